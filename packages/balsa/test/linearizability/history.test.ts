import { describe, expect, test } from "vitest";
import {
  checkLinearizability,
  HistoryRecorder,
  historyOf,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";

type Input = RegisterInput<number>;
type Output = RegisterOutput<number>;

const invalid = expect.objectContaining({ code: "invalid-argument" });

describe("HistoryRecorder", () => {
  test("gives operations in the order of their invocations, with what became of them", () => {
    const recorder = new HistoryRecorder<string, number>();
    const a = recorder.invoke("p", "a", 1);
    const b = recorder.invoke("p", "b", 1);
    const c = recorder.invoke("q", "c", 2);
    recorder.complete(b, 7, 2);
    recorder.fail(a, 3);
    recorder.lose(c, 4);
    recorder.invoke("q", "d", 4);
    expect(recorder.history().operations).toEqual([
      {
        id: 0,
        client: "p",
        input: "a",
        invokedAt: 1,
        endedAt: 3,
        invokedRank: 0,
        endedRank: 4,
        outcome: { kind: "failed" },
      },
      {
        id: 1,
        client: "p",
        input: "b",
        invokedAt: 1,
        endedAt: 2,
        invokedRank: 1,
        endedRank: 3,
        outcome: { kind: "completed", output: 7 },
      },
      {
        id: 2,
        client: "q",
        input: "c",
        invokedAt: 2,
        endedAt: 4,
        invokedRank: 2,
        endedRank: Number.POSITIVE_INFINITY,
        outcome: { kind: "unknown" },
      },
      {
        id: 3,
        client: "q",
        input: "d",
        invokedAt: 4,
        endedAt: undefined,
        invokedRank: 6,
        endedRank: Number.POSITIVE_INFINITY,
        outcome: { kind: "unknown" },
      },
    ]);
  });

  test("a history once given does not change as the recording goes on", () => {
    const recorder = new HistoryRecorder<string, number>();
    const a = recorder.invoke("p", "a", 1);
    const before = recorder.history();
    recorder.complete(a, 1, 2);
    expect(before.operations[0]?.outcome).toEqual({ kind: "unknown" });
    expect(recorder.history().operations[0]?.outcome).toEqual({ kind: "completed", output: 1 });
  });

  test("refuses a time that falls and a second outcome", () => {
    const recorder = new HistoryRecorder<string, number>();
    const a = recorder.invoke("p", "a", 5);
    expect(() => recorder.complete(a, 1, 4)).toThrow(invalid);
    expect(() => recorder.invoke("p", "b", Number.NaN)).toThrow(invalid);
    recorder.lose(a, 5);
    expect(() => recorder.complete(a, 1, 6)).toThrow(invalid);
    expect(() => recorder.fail(17, 6)).toThrow(invalid);
  });
});

/** A write and a read that missed it, which began at the instant at which the write was answered. */
const read = {
  client: "q",
  input: { kind: "read" },
  outcome: { kind: "completed", output: { kind: "value", value: 0 } },
} as const;
const write = {
  client: "p",
  input: { kind: "write", value: 1 },
  outcome: { kind: "completed", output: { kind: "written" } },
} as const;

describe("what happened at one instant", () => {
  test("is concurrent where only times are known", () => {
    const at = (invokedAt: number) =>
      historyOf<Input, Output>([
        { ...read, invokedAt, endedAt: 9 },
        { ...write, invokedAt: 1, endedAt: 5 },
      ]);
    expect(checkLinearizability(registerModel(0), at(5)).kind).toBe("linearizable");
    expect(checkLinearizability(registerModel(0), at(5.1)).kind).toBe("not-linearizable");
  });

  test("is in the order in which a recorder was told", () => {
    const recorder = new HistoryRecorder<Input, Output>();
    recorder.complete(recorder.invoke("p", write.input, 5), write.outcome.output, 5);
    recorder.complete(recorder.invoke("q", read.input, 5), read.outcome.output, 5);
    expect(checkLinearizability(registerModel(0), recorder.history()).kind).toBe("not-linearizable");
  });
});

test("historyOf refuses times that can't be", () => {
  const one = { client: "p", input: "a", outcome: { kind: "completed", output: 1 } } as const;
  expect(() => historyOf([{ ...one, invokedAt: 2, endedAt: 1 }])).toThrow(invalid);
  expect(() => historyOf([{ ...one, invokedAt: 2 }])).toThrow(invalid);
  expect(() => historyOf([{ ...one, invokedAt: Number.NaN, endedAt: 1 }])).toThrow(invalid);
});
