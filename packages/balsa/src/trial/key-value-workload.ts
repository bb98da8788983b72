import {
  type KeyValueInput,
  type KeyValueOutput,
  type KeyValueState,
  keyValueModel,
} from "../linearizability/index.js";
import type { Prng } from "../sim/index.js";
import { KeyValueMachine, readAnswer } from "./key-value-machine.js";
import { type KeyValueChange, writeChange } from "./read-changes.js";
import type { DrawContext, MemberCalls, Workload } from "./workload.js";

/** Keys at a time, and how long they are used: about twenty operations each at ten a second, which is quickly checked. */
const KEYS = 5;
const KEY_LIFE_MS = 10_000;
/** One value in twenty is long enough to fill tiny segments, windows and messages. */
const LONG_CHANCE = 0.05;
const LONG_BYTES = 2_000;

/** Gets, puts, deletes and compare-and-sets on a few keys: the workload of the project's own runs. */
export const keyValueWorkload: Workload<KeyValueMachine, KeyValueState, KeyValueInput, KeyValueOutput> = {
  name: "key-value",
  create: () => new KeyValueMachine(),
  draw,
  probes,
  call,
  model: keyValueModel(),
  digest: (machine) => machine.digest,
};

function draw(prng: Prng, { ordinal, atMs, earlier }: DrawContext<KeyValueInput>): KeyValueInput {
  const key = `k${prng.below(KEYS)}.${Math.floor(atMs / KEY_LIFE_MS)}`;
  const kind = prng.below(20);
  if (kind < 9) return { kind: "get", key };
  if (kind < 10) return { kind: "delete", key };
  // No two operations write the same: a read tells whose value it saw.
  const value = `v${ordinal}${prng.chance(LONG_CHANCE) ? ".".repeat(prng.below(LONG_BYTES)) : ""}`;
  if (kind < 16) return { kind: "put", key, value };
  return { kind: "compare-and-set", key, expected: lastWritten(key, earlier), value };
}

/** What the key holds if the last write that was drawn is the last that took effect. */
function lastWritten(key: string, earlier: readonly KeyValueInput[]): string | undefined {
  const life = key.slice(key.indexOf("."));
  for (let i = earlier.length - 1; i >= 0; i -= 1) {
    const input = earlier[i] as KeyValueInput;
    if (!("key" in input)) continue;
    // Of a key of this life there is nothing before. To look all the same took the square of a run's length.
    if (!input.key.endsWith(life)) return undefined;
    if (input.kind === "get" || input.key !== key) continue;
    return input.kind === "delete" ? undefined : input.value;
  }
  return undefined;
}

function probes(earlier: readonly KeyValueInput[]): readonly KeyValueInput[] {
  const keys = new Set<string>();
  for (const input of earlier) if ("key" in input) keys.add(input.key);
  const gets = [...keys].map((key): KeyValueInput => ({ kind: "get", key }));
  return [{ kind: "put", key: "last", value: "peace" }, ...gets];
}

async function call(member: MemberCalls<KeyValueMachine>, input: KeyValueInput): Promise<KeyValueOutput> {
  if (input.kind === "get") {
    await member.read();
    return { kind: "value", value: member.machine.get(input.key) };
  }
  return readAnswer(await member.propose(writeChange(input as KeyValueChange)));
}
