import {
  type History,
  HistoryRecorder,
  type Keyed,
  type RegisterInput,
  type RegisterOutput,
} from "../../src/linearizability/index.js";
import { Prng } from "../../src/sim/index.js";

export interface RandomHistoryOptions {
  readonly seed: string;
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** Of all operations, how many are given up before their answer; those take effect much later, or never. */
  readonly lost?: number;
}

type Input = Keyed<RegisterInput<number>>;
type Output = RegisterOutput<number>;

/** A call that is under way; `answer` once it has taken effect. */
interface Call {
  readonly operation: number;
  readonly input: Input;
  readonly client: number;
  answer: Output | undefined;
}

/** Clients of real registers whose operations take effect at some instant: linearizable by construction. */
export function randomHistory(options: RandomHistoryOptions): History<Input, Output> {
  const { clients, keys, lost = 0 } = options;
  const prng = new Prng(options.seed);
  const recorder = new HistoryRecorder<Input, Output>();
  const registers = new Map<string, number>();
  const calls: (Call | undefined)[] = Array.from({ length: clients });
  const limbo: Call[] = [];
  let now = 0;
  let invoked = 0;
  const drawInput = (): Input => {
    const key = `k${prng.below(keys)}`;
    if (prng.chance(0.5)) return { key, input: { kind: "read" } };
    const value = prng.below(1_000_000);
    if (prng.chance(0.7)) return { key, input: { kind: "write", value } };
    return { key, input: { kind: "compare-and-set", expected: registers.get(key) ?? 0, value } };
  };
  while (invoked < options.operations || calls.some((call) => call !== undefined)) {
    now += 1;
    if (limbo.length > 0 && prng.chance(0.02)) takeEffect(registers, limbo.splice(prng.below(limbo.length), 1)[0]!);
    const client = prng.below(clients);
    const call = calls[client];
    if (call === undefined) {
      if (invoked === options.operations) continue;
      const input = drawInput();
      const operation = recorder.invoke(`client ${client}`, input, now);
      calls[client] = { operation, input, client, answer: undefined };
      invoked += 1;
    } else if (call.answer === undefined && prng.chance(lost)) {
      recorder.lose(call.operation, now);
      limbo.push(call);
      calls[client] = undefined;
    } else if (call.answer === undefined) takeEffect(registers, call);
    else {
      recorder.complete(call.operation, call.answer, now);
      calls[client] = undefined;
    }
  }
  return recorder.history();
}

function takeEffect(registers: Map<string, number>, call: Call): void {
  const { key, input } = call.input;
  const value = registers.get(key) ?? 0;
  switch (input.kind) {
    case "read":
      call.answer = { kind: "value", value };
      break;
    case "write":
      registers.set(key, input.value);
      call.answer = { kind: "written" };
      break;
    case "compare-and-set":
      if (value === input.expected) registers.set(key, input.value);
      call.answer = { kind: "compared", swapped: value === input.expected };
      break;
    default:
      input satisfies never;
  }
}
