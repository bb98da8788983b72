import { describe, expect, test } from "vitest";
import {
  checkLinearizability,
  explainVerdict,
  type History,
  HistoryRecorder,
  type Keyed,
  type Model,
  perKeyModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";
import { randomHistory } from "./random-history.js";

const model = perKeyModel(registerModel(0));

/** Writes that all overlap, then a read of what none of them wrote: nothing is known before every order was tried. */
function hard(key: string, writes: number): History<Keyed<RegisterInput<number>>, RegisterOutput<number>> {
  const recorder = new HistoryRecorder<Keyed<RegisterInput<number>>, RegisterOutput<number>>();
  const started = Array.from({ length: writes }, (_, i) =>
    recorder.invoke(`client ${i}`, { key, input: { kind: "write", value: i + 1 } }, 0),
  );
  for (const operation of started) recorder.complete(operation, { kind: "written" }, 1);
  const read = recorder.invoke("reader", { key, input: { kind: "read" } }, 2);
  recorder.complete(read, { kind: "value", value: -1 }, 3);
  return recorder.history();
}

describe("a limit that is reached gives no verdict, and never a pass", () => {
  test("steps", () => {
    const verdict = checkLinearizability(model, hard("x", 16), { stepsMax: 10_000 });
    expect(verdict).toMatchObject({ kind: "undecided", limit: "steps", keys: ["x"], completed: 17 });
    expect(verdict.steps).toBeLessThan(10_100);
    expect(explainVerdict(model, verdict)).toMatch(/^undecided: the history of x takes more steps than allowed/);
  });

  test("configurations", () => {
    const verdict = checkLinearizability(model, hard("x", 16), { configurationsMax: 1_000 });
    expect(verdict).toMatchObject({ kind: "undecided", limit: "configurations" });
  });

  test("even where a valid order would have been found with a little more", () => {
    const history = randomHistory({ seed: "limits", operations: 500, clients: 5, keys: 1 });
    const enough = checkLinearizability(model, history);
    expect(enough.kind).toBe("linearizable");
    for (const stepsMax of [1, 10, 100, Math.floor(enough.steps / 2)]) {
      expect(checkLinearizability(model, history, { stepsMax }).kind).toBe("undecided");
    }
  });

  test("with enough of both the same history is proved wrong", () => {
    expect(checkLinearizability(model, hard("x", 8)).kind).toBe("not-linearizable");
  });

  test("a part that is proved wrong is wrong, whatever became of the others", () => {
    const operations = [...hard("x", 16).operations, ...hard("y", 2).operations];
    const verdict = checkLinearizability(model, { operations }, { configurationsMax: 1_000 });
    expect(verdict).toMatchObject({ kind: "not-linearizable", counterexample: { keys: ["y"] } });
  });

  test("a part that can't be decided leaves the whole undecided", () => {
    const fine = hard("y", 2).operations.filter(({ input }) => input.input.kind === "write");
    const verdict = checkLinearizability(
      model,
      { operations: [...hard("x", 16).operations, ...fine] },
      { configurationsMax: 1_000 },
    );
    expect(verdict).toMatchObject({ kind: "undecided", keys: ["x"] });
  });

  test("a limit that is no positive number is refused", () => {
    for (const wrong of [0, -1, Number.NaN]) {
      expect(() => checkLinearizability(model, hard("x", 2), { stepsMax: wrong })).toThrow("stepsMax");
      expect(() => checkLinearizability(model, hard("x", 2), { configurationsMax: wrong })).toThrow(
        "configurationsMax",
      );
    }
  });
});

test("a history of thirty thousand operations needs no deep stack", () => {
  const history = randomHistory({ seed: "long", operations: 30_000, clients: 3, keys: 1 });
  expect(checkLinearizability(model, history).kind).toBe("linearizable");
});

test("a model that calls an operation read-only and changes the state is refused", () => {
  const liar: Model<number, RegisterInput<number>, RegisterOutput<number>> = {
    ...registerModel(0),
    isReadOnly: () => true,
  };
  const recorder = new HistoryRecorder<RegisterInput<number>, RegisterOutput<number>>();
  recorder.complete(recorder.invoke("p", { kind: "write", value: 1 }, 0), { kind: "written" }, 1);
  expect(() => checkLinearizability(liar, recorder.history())).toThrow("write 1 is read-only and changes the state");
});
