import { describe, expect, test } from "vitest";
import {
  type AppendLogInput,
  type AppendLogOutput,
  appendLogModel,
  checkLinearizability,
  type History,
  HistoryRecorder,
  type Keyed,
  perKeyModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  sequentialModel,
} from "../../src/linearizability/index.js";
import { isEffective } from "../../src/linearizability/operation.js";
import { scheduleOf } from "../../src/linearizability/schedule.js";
import { Search } from "../../src/linearizability/search.js";
import { randomHistory } from "./random-history.js";

type RegisterHistory = History<Keyed<RegisterInput<number>>, RegisterOutput<number>>;

const model = perKeyModel(registerModel(0));

/** The same history, but one read late in it answers what was there long before. */
function withStaleRead(history: RegisterHistory): { readonly history: RegisterHistory; readonly stale: number } {
  const { operations } = history;
  const stale = operations.findLast(
    ({ input, outcome }) => input.input.kind === "read" && outcome.kind === "completed",
  )!;
  const written = operations.flatMap(({ input: { key, input } }) =>
    key === stale.input.key && input.kind === "write" ? [input.value] : [],
  );
  const value = written[0]!;
  return {
    stale: stale.id,
    history: {
      operations: operations.map((operation) =>
        operation === stale
          ? { ...stale, outcome: { kind: "completed", output: { kind: "value", value } } }
          : operation,
      ),
    },
  };
}

function stepsFor(history: RegisterHistory): number {
  const verdict = checkLinearizability(model, history);
  expect(verdict.kind).toBe("linearizable");
  return verdict.steps;
}

describe("what a check costs", () => {
  test("a valid history of ten clients takes a few steps an operation, however long it is", () => {
    for (const keys of [1, 20]) {
      for (const operations of [1_000, 8_000]) {
        const steps = stepsFor(randomHistory({ seed: "valid", operations, clients: 10, keys }));
        expect(steps / operations).toBeLessThan(25);
      }
    }
  });

  test("time grows with the length, not with its square", () => {
    const time = (operations: number): number => {
      const history = randomHistory({ seed: "time", operations, clients: 10, keys: 1 });
      const tries = Array.from({ length: 3 }, () => {
        const startMs = performance.now();
        stepsFor(history);
        return performance.now() - startMs;
      });
      return Math.min(...tries);
    };
    time(1_000);
    // Eight times as long; the square would be 64 times.
    expect(time(8_000) / time(1_000)).toBeLessThan(32);
  });

  test("writes that timed out and may yet happen don't double the search each", () => {
    for (const [operations, keys] of [
      [1_000, 1],
      [8_000, 20],
    ] as const) {
      const history = randomHistory({ seed: "lost", operations, clients: 10, keys, lost: 0.02 });
      expect(history.operations.filter(({ outcome }) => outcome.kind === "unknown").length).toBeGreaterThan(15);
      expect(stepsFor(history) / operations).toBeLessThan(200);
    }
  });

  test("where the state remembers all, two of many writes that timed out are found without trying all orders of them", () => {
    const recorder = new HistoryRecorder<AppendLogInput, AppendLogOutput>();
    for (let i = 0; i < 12; i++) {
      recorder.lose(recorder.invoke(`client ${i}`, { kind: "append", value: `v${i}` }, i), i);
    }
    const read = recorder.invoke("reader", { kind: "read", from: 0 }, 20);
    recorder.complete(read, { kind: "values", values: ["v3", "v1"] }, 21);
    const { operations } = recorder.history();
    const { rulesOut: _, ...log } = appendLogModel();
    const verdict = checkLinearizability(log, { operations });
    expect(verdict.kind).toBe("linearizable");
    expect(verdict.steps).toBeLessThan(5_000);
    // Deepest first alone is far from it after ten times as much.
    const schedule = scheduleOf(operations.filter(isEffective), ({ kind }) => kind === "read");
    expect(new Search(log, schedule, "deepest").run(50_000, 500_000).kind).toBe("unfinished");
    // Unless the model says that a log never gets shorter.
    expect(new Search(appendLogModel(), schedule, "deepest").run(5_000, 500_000).kind).toBe("found");
  });

  test("many writes that timed out and all happened are placed at once where the log's order is known", () => {
    const recorder = new HistoryRecorder<AppendLogInput, AppendLogOutput>();
    const ids = Array.from({ length: 20 }, (_, i) =>
      recorder.invoke(`client ${i}`, { kind: "append", value: `v${i}` }, i),
    );
    for (const id of ids) recorder.lose(id, 20);
    const likelyOrder = ids.toSorted((a, b) => ((a * 7) % 20) - ((b * 7) % 20));
    const read = recorder.invoke("reader", { kind: "read", from: 0 }, 20);
    recorder.complete(read, { kind: "values", values: likelyOrder.map((id) => `v${id}`) }, 21);
    const { rulesOut: _, ...log } = appendLogModel();
    const check = (order?: readonly number[]) =>
      checkLinearizability(log, recorder.history(), { stepsMax: 20_000, likelyOrder: order });
    expect(check().kind).toBe("undecided");
    expect(check(likelyOrder)).toMatchObject({ kind: "linearizable" });
    expect(check(likelyOrder).steps).toBeLessThan(50);
    // One that is wrong from some place on is a help up to there.
    const [last, ...others] = likelyOrder.toReversed();
    expect(check([...others.toReversed().slice(0, -1), last!, others[0]!]).kind).toBe("linearizable");
  });

  test("the log's order is followed also through states that it has led to before", () => {
    type State = { readonly isOn: boolean; readonly log: string };
    const switchedLog = sequentialModel<State, string, string>({
      name: "a log that takes values while it is switched on",
      initial: () => ({ isOn: true, log: "" }),
      apply({ isOn, log }, input) {
        if (input === "switch") return [{ isOn: !isOn, log }, ""];
        return input === "read" ? [{ isOn, log }, log] : [{ isOn, log: isOn ? `${log}${input} ` : log }, ""];
      },
      sameOutput: (a, b) => a === b,
      stateKey: ({ isOn, log }) => `${isOn} ${log}`,
      isReadOnly: (input) => input === "read",
      describe: { input: (input) => input, output: (output) => output, state: ({ log }) => log },
    });
    const recorder = new HistoryRecorder<string, string>();
    const values = Array.from({ length: 12 }, (_, i) => `v${(i * 5) % 12}`);
    // Off and on again: all is as it was, and two operations are spent.
    const ids = ["switch", "switch", ...values].map((input) => recorder.invoke("client", input, 0));
    for (const id of ids.toReversed()) recorder.lose(id, 1);
    recorder.complete(recorder.invoke("reader", "read", 2), `${values.join(" ")} `, 3);
    const verdict = checkLinearizability(switchedLog, recorder.history(), { stepsMax: 100, likelyOrder: ids });
    expect(verdict.kind).toBe("linearizable");
  });

  test("a stale read at the end of thousands of operations is proved to be one, within the limits", () => {
    for (const keys of [1, 20]) {
      const valid = randomHistory({ seed: "stale", operations: 5_000, clients: 10, keys });
      const { history, stale } = withStaleRead(valid);
      const verdict = checkLinearizability(model, history);
      expect(verdict.kind).toBe("not-linearizable");
      if (verdict.kind === "not-linearizable") expect(verdict.counterexample.operation.id).toBe(stale);
      expect(verdict.steps / 5_000).toBeLessThan(200);
    }
  });

  test("two hundred clients are no trouble as long as they use many keys", () => {
    const steps = stepsFor(randomHistory({ seed: "wide", operations: 4_000, clients: 200, keys: 100 }));
    expect(steps / 4_000).toBeLessThan(12);
  });
});
