import fc from "fast-check";
import { expect, test } from "vitest";
import { historyOf } from "../../src/linearizability/index.js";
import { type EffectiveOperation, isEffective } from "../../src/linearizability/operation.js";
import { partitionsOf } from "../../src/linearizability/partition.js";

type Keys = readonly string[] | undefined;

const model = { keys: (input: Keys) => input };

function operationsOn(list: readonly Keys[]): EffectiveOperation<Keys, string>[] {
  const { operations } = historyOf<Keys, string>(
    list.map((input, i) => ({ client: "p", input, outcome: { kind: "unknown" }, invokedAt: i })),
  );
  return operations.filter(isEffective<Keys, string>);
}

test("operations with a key in common are checked together, directly or through others, and only those", () => {
  const keys = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 8 }), (list) => {
      const operations = operationsOn(list);
      const parts = partitionsOf(model, operations);
      // Each is in one part, in the order in which they were.
      expect(parts.flatMap((part) => part.operations).toSorted((a, b) => a.id - b.id)).toEqual(operations);
      for (const part of parts) {
        expect(part.keys).toEqual([...new Set(part.operations.flatMap(({ input }) => input ?? []))].sort());
        for (const other of parts) {
          if (other !== part) for (const key of other.keys ?? []) expect(part.keys).not.toContain(key);
        }
        // From the first of a part all others can be reached, key by key.
        const reached = new Set(part.operations[0]?.input);
        for (const _ of part.operations) {
          for (const { input } of part.operations) {
            if (input?.some((key) => reached.has(key))) for (const key of input) reached.add(key);
          }
        }
        expect([...reached].sort()).toEqual(part.keys);
      }
    }),
  );
});

test("an operation on everything leaves nothing apart", () => {
  const operations = operationsOn([["a"], ["b"], undefined]);
  expect(partitionsOf(model, operations)).toEqual([{ keys: undefined, operations }]);
  expect(partitionsOf({}, operations)).toEqual([{ keys: undefined, operations }]);
});

test("operations on nothing are checked all the same", () => {
  const operations = operationsOn([[], ["a"], []]);
  expect(partitionsOf(model, operations).map(({ operations }) => operations.map(({ id }) => id))).toEqual([
    [0, 2],
    [1],
  ]);
});
