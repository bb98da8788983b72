import fc from "fast-check";
import { expect, test } from "vitest";
import { answerText, sameAnswer } from "../../src/sim/kv-answer.js";
import { deleteRange, type KvRequest, put, range } from "../../src/sim/kv-request.js";
import { NaiveStore } from "../../src/sim/naive-store.js";

const requests: fc.Arbitrary<KvRequest> = fc.oneof(
  fc
    .tuple(fc.constantFrom("a", "b"), fc.constantFrom("1", "2"))
    .map(([key, value]): KvRequest => ({ kind: "put", request: put(key, value) })),
  fc.constantFrom("a", "b").map((key): KvRequest => ({ kind: "delete", request: deleteRange(key) })),
  fc.integer({ min: 0, max: 4 }).map((revision): KvRequest => ({ kind: "compact", request: { revision } })),
);

/** The whole of it, at all revisions there are. */
function everything(store: NaiveStore): string {
  const revisions = Array.from({ length: store.revision }, (_, i) => i + 1);
  return revisions
    .map((revision) => store.run({ kind: "range", request: range("\0", { rangeEnd: "\0", revision }) })[1])
    .map(answerText)
    .join();
}

test("E3 naive stores of one beginning have one key exactly if they have the same revisions and are compacted alike", () => {
  const beginning = NaiveStore.empty();
  const after = (log: readonly KvRequest[]): NaiveStore =>
    log.reduce((store, request) => store.run(request)[0], beginning);
  const logs = fc.array(requests, { maxLength: 4 });
  const uncompacted = (log: readonly KvRequest[]): readonly KvRequest[] => log.filter(({ kind }) => kind !== "compact");
  let alike = 0;
  fc.assert(
    fc.property(logs, logs, (one, other) => {
      // In whichever order they came about: others that went other ways are there, too.
      const [a, b] = [after(one), after(other)];
      if (a.stateKey === b.stateKey) expect(everything(a)).toBe(everything(b));
      const [c, d] = [after(uncompacted(one)), after(uncompacted(other))];
      expect(c.stateKey === d.stateKey).toBe(everything(c) === everything(d));
      if (c.stateKey === d.stateKey) alike += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(alike).toBeGreaterThan(50);
});

test("E3 what a request makes of a store leaves the store itself as it was", () => {
  const [one] = NaiveStore.empty().run({ kind: "put", request: put("a", "1") });
  const before = everything(one);
  one.run({ kind: "put", request: put("a", "2") });
  one.run({ kind: "delete", request: deleteRange("a") });
  one.run({ kind: "compact", request: { revision: 2 } });
  expect(everything(one)).toBe(before);
});

test("answers are the same where all that they say is", () => {
  const kv = { key: "a", value: "1", create: 2, mod: 2, version: 1, lease: 0n };
  const answer = { revision: 2, kvs: [kv], count: 1, more: false };
  expect(sameAnswer(answer, structuredClone(answer))).toBe(true);
  for (const change of [{ value: "2" }, { mod: 3 }, { version: 2 }, { lease: 1n }]) {
    expect(sameAnswer(answer, { ...answer, kvs: [{ ...kv, ...change }] })).toBe(false);
  }
  expect(sameAnswer(answer, { ...answer, kvs: [kv, kv] })).toBe(false);
  expect(sameAnswer(answer, "compacted")).toBe(false);
  expect(sameAnswer({ revision: 2 }, { revision: 2, previous: kv })).toBe(false);
  expect(sameAnswer({ revision: 2, previous: undefined }, { revision: 2, previous: kv })).toBe(false);
});
