import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AppendLogInput,
  type AppendLogOutput,
  appendLogModel,
  checkLinearizability,
  historyOf,
  type KeyValueAccess,
  type KeyValueInput,
  type KeyValueOutput,
  type KeyValueResult,
  keyValueModel,
  type Model,
  type Operation,
  type OperationRecord,
  perKeyModel,
  type QueueInput,
  type QueueOutput,
  queueModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";
import { type EffectiveOperation, isEffective } from "../../src/linearizability/operation.js";
import { scheduleOf } from "../../src/linearizability/schedule.js";
import { Search } from "../../src/linearizability/search.js";
import { bagModel } from "./bag-model.js";
import { isLinearizableByForce, isLinearization, isPossible } from "./brute-force.js";

/** A call and an answer to it, right or wrong. */
type Call<Input, Output> = readonly [Input, Output];

const OPERATIONS_MAX = 6;

/** Histories of a few operations that overlap a lot, with all outcomes. */
function records<Input, Output>(
  call: fc.Arbitrary<Call<Input, Output>>,
): fc.Arbitrary<OperationRecord<Input, Output>[]> {
  const one = fc.record({
    call,
    client: fc.constantFrom("p", "q", "r"),
    invokedAt: fc.nat(12),
    lasts: fc.nat(6),
    outcome: fc.constantFrom("completed", "completed", "completed", "completed", "unknown", "failed"),
  });
  return fc.array(
    one.map(({ call: [input, output], client, invokedAt, lasts, outcome }): OperationRecord<Input, Output> => {
      const endedAt = invokedAt + lasts;
      if (outcome === "completed") return { client, input, outcome: { kind: outcome, output }, invokedAt, endedAt };
      return { client, input, outcome: { kind: outcome === "unknown" ? "unknown" : "failed" }, invokedAt, endedAt };
    }),
    { maxLength: OPERATIONS_MAX },
  );
}

/** A check of so few operations is done before the second search begins; and the parts are searched as one here. */
function expectAgreementInEitherOrder<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  isRight: boolean,
): void {
  const effective = operations.filter(isEffective);
  const schedule = scheduleOf(effective, (input) => model.isReadOnly?.(input) ?? false);
  for (const order of ["deepest", "fewest-guesses"] as const) {
    const search = new Search(model, schedule, order);
    // In the smallest portions.
    let result = search.run(1, 1_000);
    while (result.kind === "unfinished") result = search.run(1, 1_000);
    expect(result.kind).toBe(isRight ? "found" : "exhausted");
    if (result.kind === "found") {
      const path: EffectiveOperation<Input, Output>[] = [];
      for (let at = result.path; at !== undefined; at = at.before) path.unshift(at.operation);
      expect(isLinearization(model, effective, path)).toBe(true);
    }
  }
}

function expectAgreementWithBruteForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  call: fc.Arbitrary<Call<Input, Output>>,
): void {
  const found = { linearizable: 0, "not-linearizable": 0, undecided: 0 };
  fc.assert(
    fc.property(records(call), fc.array(fc.nat(OPERATIONS_MAX)), (list, likelyOrder) => {
      const history = historyOf(list);
      const { operations } = history;
      const verdict = checkLinearizability(model, history);
      found[verdict.kind] += 1;
      const isRight = isLinearizableByForce(model, operations);
      expect(verdict.kind).toBe(isRight ? "linearizable" : "not-linearizable");
      expectAgreementInEitherOrder(model, operations, isRight);
      // Whatever is said to be likely.
      expect(checkLinearizability(model, history, { likelyOrder }).kind).toBe(verdict.kind);
      if (verdict.kind === "linearizable") {
        const parts = verdict.linearizations.map(({ order }) => order);
        const placed = new Set(parts.flat());
        for (const operation of operations) {
          if (operation.outcome.kind === "completed") expect(placed).toContain(operation);
        }
        for (const order of parts) expect(isLinearization(model, order, order)).toBe(true);
      }
      if (verdict.kind === "not-linearizable") {
        const { operation, attempts, prefix } = verdict.counterexample;
        // All that was answered before it has an order; with it there is none.
        expect(prefix).toEqual(expect.arrayContaining([operation]));
        const isEarlier = ({ endedRank }: Operation<Input, Output>) => endedRank < operation.endedRank;
        expect(isLinearizableByForce(model, prefix, (other) => !isEarlier(other))).toBe(true);
        expect(isLinearizableByForce(model, prefix, (other) => !isEarlier(other) && other !== operation)).toBe(false);
        expect(attempts.length).toBeGreaterThan(0);
        for (const { order, state, refusals } of attempts) {
          const placed = new Set(order);
          for (const other of order) expect(prefix).toContain(other);
          for (const other of prefix) {
            if (isEarlier(other) && other.outcome.kind === "completed") expect(placed).toContain(other);
          }
          expect(isLinearization(model, order, order)).toBe(true);
          expect(refusals[0]?.operation).toBe(operation);
          expect(isPossible(model, [...order, operation])).toBe(false);
          for (const { operation: refused } of refusals) {
            expect(model.step(state, refused.input, refused.outcome)).toEqual([]);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
  // Neither verdict is rare.
  expect(found.linearizable).toBeGreaterThan(50);
  expect(found["not-linearizable"]).toBeGreaterThan(50);
}

const bit = fc.constantFrom(0, 1);
const letter = fc.constantFrom("a", "b");
const key = fc.constantFrom("x", "y", "z");
const maybeLetter = fc.option(letter, { nil: undefined });

const registerCall: fc.Arbitrary<Call<RegisterInput<number>, RegisterOutput<number>>> = fc.oneof(
  bit.map((value): Call<RegisterInput<number>, RegisterOutput<number>> => [{ kind: "read" }, { kind: "value", value }]),
  bit.map(
    (value): Call<RegisterInput<number>, RegisterOutput<number>> => [{ kind: "write", value }, { kind: "written" }],
  ),
  fc.tuple(bit, bit, fc.boolean()).map(
    ([expected, value, swapped]): Call<RegisterInput<number>, RegisterOutput<number>> => [
      { kind: "compare-and-set", expected, value },
      { kind: "compared", swapped },
    ],
  ),
);

function access(keys: fc.Arbitrary<string>): fc.Arbitrary<Call<KeyValueAccess, KeyValueResult>> {
  return fc.oneof(
    fc.tuple(keys, maybeLetter).map(
      ([key, value]): Call<KeyValueAccess, KeyValueResult> => [
        { kind: "get", key },
        { kind: "value", value },
      ],
    ),
    fc
      .tuple(keys, letter)
      .map(([key, value]): Call<KeyValueAccess, KeyValueResult> => [{ kind: "put", key, value }, { kind: "done" }]),
    keys.map((key): Call<KeyValueAccess, KeyValueResult> => [{ kind: "delete", key }, { kind: "done" }]),
  );
}

const keyValueCall: fc.Arbitrary<Call<KeyValueInput, KeyValueOutput>> = fc.oneof(
  { weight: 4, arbitrary: access(key) },
  {
    weight: 2,
    arbitrary: fc.tuple(key, maybeLetter, maybeLetter, fc.boolean()).map(
      ([key, expected, value, swapped]): Call<KeyValueInput, KeyValueOutput> => [
        { kind: "compare-and-set", key, expected, value },
        { kind: "compared", swapped },
      ],
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(key, maybeLetter, fc.array(access(key), { maxLength: 2 }), fc.array(access(key), { maxLength: 1 }), bit)
      .map(
        ([key, value, success, failure, branch]): Call<KeyValueInput, KeyValueOutput> => [
          {
            kind: "transaction",
            when: [{ key, value }],
            success: success.map(([input]) => input),
            failure: failure.map(([input]) => input),
          },
          {
            kind: "transaction",
            succeeded: branch === 1,
            results: (branch === 1 ? success : failure).map(([, output]) => output),
          },
        ],
      ),
  },
);

const scanCall = fc.uniqueArray(key, { maxLength: 2 }).chain((keys) =>
  fc
    .array(letter, { minLength: keys.length, maxLength: keys.length })
    .map((values): Call<KeyValueInput, KeyValueOutput> => {
      const entries = keys.toSorted().map((key, i): [string, string] => [key, values[i]!]);
      return [
        { kind: "scan", from: "x", to: "z" },
        { kind: "entries", entries },
      ];
    }),
);

const queueCall: fc.Arbitrary<Call<QueueInput<number>, QueueOutput<number>>> = fc.oneof(
  bit.map((value): Call<QueueInput<number>, QueueOutput<number>> => [{ kind: "enqueue", value }, { kind: "enqueued" }]),
  bit.map((value): Call<QueueInput<number>, QueueOutput<number>> => [{ kind: "dequeue" }, { kind: "dequeued", value }]),
  fc.constant<Call<QueueInput<number>, QueueOutput<number>>>([{ kind: "dequeue" }, { kind: "empty" }]),
);

const logCall: fc.Arbitrary<Call<AppendLogInput, AppendLogOutput>> = fc.oneof(
  fc.tuple(letter, fc.constantFrom(0, 1, 2, undefined, undefined)).map(
    ([value, position]): Call<AppendLogInput, AppendLogOutput> => [
      { kind: "append", value },
      { kind: "appended", position },
    ],
  ),
  fc.tuple(fc.nat(1), fc.array(letter, { maxLength: 2 })).map(
    ([from, values]): Call<AppendLogInput, AppendLogOutput> => [
      { kind: "read", from },
      { kind: "values", values },
    ],
  ),
);

describe("the search agrees with trying every order, verdict, proof and counterexample", () => {
  test("on registers with compare-and-set", () => expectAgreementWithBruteForce(registerModel(0), registerCall));

  test("on registers one by one, as parts of one history", () => {
    const call = fc
      .tuple(fc.constantFrom("x", "y"), registerCall)
      .map(([key, [input, output]]) => [{ key, input }, output] as const);
    expectAgreementWithBruteForce(perKeyModel(registerModel<number>(0)), call);
  });

  test("on keys and values with transactions that connect keys", () =>
    expectAgreementWithBruteForce(keyValueModel([["x", "a"]]), keyValueCall));

  test("on keys and values with scans that connect everything", () =>
    expectAgreementWithBruteForce(keyValueModel(), fc.oneof(access(key), scanCall)));

  test("on queues", () => expectAgreementWithBruteForce(queueModel<number>(), queueCall));

  test("on logs", () => expectAgreementWithBruteForce(appendLogModel(), logCall));

  test("on a model of one's own whose answers are not determined by its state", () => {
    const value = fc.constantFrom("a", "b", "c");
    const call = fc.oneof(
      value.map((put) => [{ put }, undefined] as const),
      value.map((taken) => [{ put: undefined }, taken] as const),
    );
    expectAgreementWithBruteForce(bagModel, call);
  });
});
