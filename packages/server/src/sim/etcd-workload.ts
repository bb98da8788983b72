import type { Prng } from "balsa/sim";
import type { DrawContext, MemberCalls, Workload } from "balsa/trial";
import { KvService } from "../rpc/kv-service.js";
import { type Behind, type EtcdInput, requestOf, resolve } from "./etcd-input.js";
import { etcdModel } from "./etcd-model.js";
import type { KvAnswer } from "./kv-answer.js";
import { callKv } from "./kv-client.js";
import type { NaiveStore } from "./naive-store.js";
import { DigestedState } from "./state-digest.js";

export type EtcdWorkload = Workload<DigestedState, NaiveStore, EtcdInput, KvAnswer>;

/** Few, so that operations meet. */
const KEYS = ["a", "b", "c", "d", "e"] as const;
const FIRST_KEY = KEYS[0];
/** etcd's way to say: and all behind it. */
const ALL_BEHIND = "\0";
/** One value in twenty is long enough to fill tiny segments, windows and messages. */
const LONG_CHANCE = 0.05;
const LONG_BYTES = 2_000;
/**
 * How far back revisions are asked for and compacted to. A compaction comes after some ten writes, so that about a third of
 * the revisions that are asked for are compacted.
 */
const BEHIND_MAX = 16;

/**
 * The server's key-value state and the services before it, all but gRPC: puts, ranges, deletions, transactions and
 * compactions go in as a client's bytes, and come out as such.
 */
export const etcdWorkload: EtcdWorkload = {
  name: "etcd",
  create: () => new DigestedState(),
  draw,
  resolve: (input, { store }) => resolve(input, store),
  probes,
  call,
  model: etcdModel,
  digest: (state) => state.digest,
};

function draw(prng: Prng, { ordinal }: DrawContext<EtcdInput>): EtcdInput {
  const key = prng.pick(KEYS);
  const kind = prng.below(100);
  if (kind < 20) return prng.chance(0.3) ? { kind: "range", key, rangeEnd: ALL_BEHIND } : { kind: "range", key };
  // One ahead now and then, which is in the future unless somebody writes meanwhile.
  if (kind < 30)
    return { kind: "range", key, rangeEnd: ALL_BEHIND, revision: { behind: prng.between(-1, BEHIND_MAX) } };
  if (kind < 37) return { kind: "look", key, upTo: prng.pick(KEYS.slice(1)) };
  if (kind < 42) return { kind: "compact", revision: { behind: prng.between(0, BEHIND_MAX) } };
  if (kind < 48) return { kind: "delete", key };
  // Several at once, or none where the end is before the beginning.
  if (kind < 50) return { kind: "delete", key, rangeEnd: prng.pick(KEYS) };
  // No two operations write the same: a read tells whose value it saw.
  const value = `v${ordinal}${prng.chance(LONG_CHANCE) ? ".".repeat(prng.below(LONG_BYTES)) : ""}`;
  if (kind < 80) return { kind: "put", key, value };
  switch (prng.below(3)) {
    case 0:
      return { kind: "swap", key, value, seen: drawSeen(prng) };
    case 1:
      return { kind: "move", key, to: prng.pick(KEYS.filter((other) => other !== key)), value, seen: drawSeen(prng) };
    default:
      return { kind: "toggle", key, value };
  }
}

/** What a client saw last, mostly; or somewhat earlier. */
function drawSeen(prng: Prng): Behind {
  return { behind: prng.chance(0.7) ? 0 : prng.between(1, 4) };
}

/** All of it, now and as it was, from several members. */
function probes(): readonly EtcdInput[] {
  const all = { kind: "range", key: FIRST_KEY, rangeEnd: ALL_BEHIND } as const;
  const past = [0, 1, 3, 6, 10].map((behind): EtcdInput => ({ ...all, revision: { behind } }));
  return [{ kind: "put", key: FIRST_KEY, value: "peace" }, all, ...past, { kind: "compact", revision: { behind: 3 } }];
}

function call(member: MemberCalls<DigestedState>, input: EtcdInput): Promise<KvAnswer> {
  const consensus = {
    // Only headers tell it, and nobody compares those.
    term: 1,
    propose: async (data: Uint8Array) => ({ result: await member.propose(data) }),
    read: () => member.read(),
  };
  // How long a call may take is the trial's to say.
  const parts = { consensus, state: member.machine, responder: { clusterId: 1, memberId: 1 }, timeoutMs: 0 };
  return callKv(new KvService(parts), requestOf(input));
}
