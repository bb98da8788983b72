import fc from "fast-check";
import type {
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../../src/mvcc/request.js";

/* Arbitrary requests over few keys, so that they meet. */

const keys: fc.Arbitrary<string> = fc.constantFrom("\0", "a", "a\0", "aa", "ab", "b", "b\xff", "c", "\xff");
const rangeEnds: fc.Arbitrary<string> = fc.oneof({ arbitrary: fc.constant(""), weight: 3 }, fc.constant("\0"), keys);
const values: fc.Arbitrary<string> = fc.constantFrom("", "1", "2", "\0\xff", "x".repeat(40));
/** Revisions around those that a short history has. */
const revisions: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constant(0), weight: 3 },
  fc.integer({ min: -1, max: 12 }),
);
const bounds: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constant(0), weight: 5 },
  fc.integer({ min: 1, max: 10 }),
);

export const rangeRequests: fc.Arbitrary<RangeRequest> = fc.record({
  key: keys,
  rangeEnd: rangeEnds,
  limit: fc.integer({ min: -1, max: 4 }),
  revision: revisions,
  sortOrder: fc.constantFrom("none", "ascend", "descend"),
  sortTarget: fc.constantFrom("key", "version", "create", "mod", "value"),
  serializable: fc.boolean(),
  keysOnly: fc.boolean(),
  countOnly: fc.boolean(),
  minModRevision: bounds,
  maxModRevision: bounds,
  minCreateRevision: bounds,
  maxCreateRevision: bounds,
});

export const putRequests: fc.Arbitrary<PutRequest> = fc
  .record({ key: keys, value: values, prevKv: fc.boolean(), ignoreValue: fc.boolean(), ignoreLease: fc.boolean() })
  .map((request) => ({ ...request, lease: 0n, value: request.ignoreValue ? "" : request.value }));

export const deleteRangeRequests: fc.Arbitrary<DeleteRangeRequest> = fc.record({
  key: keys,
  rangeEnd: rangeEnds,
  prevKv: fc.boolean(),
});

const compares: fc.Arbitrary<Compare> = fc
  .record({
    key: keys,
    rangeEnd: rangeEnds,
    result: fc.constantFrom<Compare["result"]>("equal", "not-equal", "greater", "less"),
  })
  .chain((subject) =>
    fc
      .oneof(
        fc.record({
          target: fc.constantFrom<"version" | "create" | "mod">("version", "create", "mod"),
          operand: fc.integer({ min: 0, max: 8 }),
        }),
        values.map((operand) => ({ target: "value" as const, operand })),
        fc.constantFrom(0n, 7n).map((operand) => ({ target: "lease" as const, operand })),
      )
      .map((object) => ({ ...subject, ...object })),
  );

export const txnRequests: fc.Arbitrary<TxnRequest> = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  txn: fc.record({
    compare: fc.array(compares, { maxLength: 2 }),
    success: fc.array(tie("op"), { maxLength: 3 }),
    failure: fc.array(tie("op"), { maxLength: 3 }),
  }),
  op: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    putRequests.map((request): RequestOp => ({ kind: "put", put: request })),
    rangeRequests.map((request): RequestOp => ({ kind: "range", range: request })),
    deleteRangeRequests.map((request): RequestOp => ({ kind: "delete-range", deleteRange: request })),
    tie("txn").map((request): RequestOp => ({ kind: "txn", txn: request })),
  ),
})).txn;

export const compactionRequests: fc.Arbitrary<CompactionRequest> = fc.record({
  revision: fc.integer({ min: -1, max: 15 }),
});
