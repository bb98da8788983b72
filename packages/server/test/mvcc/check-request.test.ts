import { describe, expect, it } from "vitest";
import { TXN_OPERATIONS_MAX } from "../../src/limits.js";
import {
  checkDeleteRangeRequest,
  checkPutRequest,
  checkRangeRequest,
  checkTxnRequest,
} from "../../src/mvcc/check-request.js";
import type { Compare, RequestOp } from "../../src/mvcc/request.js";
import { ServerError } from "../../src/server-error.js";
import { deleteOp, deleteRange, put, putOp, range, rangeOp, txn, txnOp } from "../../src/sim/kv-request.js";

function refusal(check: () => void): string {
  try {
    check();
    return "passes";
  } catch (cause) {
    if (cause instanceof ServerError) return cause.code;
    throw cause;
  }
}
const ofTxn = (ops: readonly RequestOp[], branch: "success" | "failure" = "success"): string =>
  refusal(() => checkTxnRequest(txn({ [branch]: ops })));

describe("a request is refused before it costs anything", () => {
  it.each([
    ["a range without a key", () => checkRangeRequest(range(""))],
    ["a put without a key", () => checkPutRequest(put("", "v"))],
    ["a deletion without a key", () => checkDeleteRangeRequest(deleteRange(""))],
    ["a compare without a key", () => checkTxnRequest(txn({ compare: [compare("")] }))],
    ["an operation without a key", () => checkTxnRequest(txn({ failure: [rangeOp("")] }))],
    ["an empty operation", () => checkTxnRequest(txn({ success: [{ kind: "nothing" }] }))],
  ])("%s: key-not-provided", (_what, check) => {
    expect(refusal(check)).toBe("key-not-provided");
  });

  it("a put that keeps the value and brings one: value-provided", () => {
    expect(refusal(() => checkPutRequest(put("a", "v", { ignoreValue: true })))).toBe("value-provided");
    expect(refusal(() => checkPutRequest(put("a", "", { ignoreValue: true })))).toBe("passes");
  });

  it("a put that keeps the lease and names one: lease-provided", () => {
    expect(refusal(() => checkPutRequest(put("a", "v", { ignoreLease: true, lease: 7n })))).toBe("lease-provided");
    expect(refusal(() => checkPutRequest(put("a", "v", { ignoreLease: true })))).toBe("passes");
  });

  it.each(["compare", "success", "failure"] as const)("too many of %s: too-many-operations", (list) => {
    const many = (count: number): (Compare | RequestOp)[] =>
      Array.from({ length: count }, (_, i) => (list === "compare" ? compare(`k${i}`) : putOp(`k${i}`, "")));
    expect(refusal(() => checkTxnRequest(txn({ [list]: many(TXN_OPERATIONS_MAX) })))).toBe("passes");
    expect(refusal(() => checkTxnRequest(txn({ [list]: many(TXN_OPERATIONS_MAX + 1) })))).toBe("too-many-operations");
  });

  it("nested transactions share the limit along the way down", () => {
    const puts = (count: number, prefix: string): RequestOp[] =>
      Array.from({ length: count }, (_, i) => putOp(`${prefix}${i}`, ""));
    const outer = TXN_OPERATIONS_MAX - 10;
    const nested = (inner: number): RequestOp[] => [...puts(outer - 1, "o"), txnOp({ success: puts(inner, "i") })];
    expect(ofTxn(nested(10))).toBe("passes");
    expect(ofTxn(nested(11))).toBe("too-many-operations");
  });
});

describe("nothing is written twice in one transaction", () => {
  it.each<[string, RequestOp[]]>([
    ["two puts of a key", [putOp("a", "1"), putOp("a", "2")]],
    ["a put and a deletion of a key", [putOp("a", "1"), deleteOp("a")]],
    ["a deletion and a put of a key", [deleteOp("a"), putOp("a", "1")]],
    ["a put within a deleted interval", [putOp("ab", "1"), deleteOp("a", { rangeEnd: "b" })]],
    ["a put and a nested put", [putOp("a", "1"), txnOp({ success: [putOp("a", "2")] })]],
    ["a put and a nested put in the other branch", [putOp("a", "1"), txnOp({ failure: [putOp("a", "2")] })]],
    ["a deletion and a nested put", [deleteOp("a", { rangeEnd: "b" }), txnOp({ failure: [putOp("ab", "2")] })]],
    ["a nested deletion and a put", [txnOp({ success: [deleteOp("a")] }), putOp("a", "1")]],
    ["puts of two nested ones", [txnOp({ success: [putOp("a", "1")] }), txnOp({ success: [putOp("a", "2")] })]],
    [
      "a nested deletion and a later nested put",
      [txnOp({ failure: [deleteOp("a")] }), txnOp({ success: [putOp("a", "2")] })],
    ],
  ])("%s: duplicate-key", (_what, ops) => {
    expect(ofTxn(ops)).toBe("duplicate-key");
    expect(ofTxn(ops, "failure")).toBe("duplicate-key");
  });

  it.each<[string, RequestOp[]]>([
    [
      "the two branches of a nested one put the same key",
      [txnOp({ success: [putOp("a", "1")], failure: [putOp("a", "2")] })],
    ],
    ["a key is deleted twice", [deleteOp("a"), deleteOp("a", { rangeEnd: "b" })]],
    [
      "a put lies at the end of a deleted interval, which is not part of it",
      [deleteOp("a", { rangeEnd: "b" }), putOp("b", "1")],
    ],
    ["a key is read and put", [rangeOp("a"), putOp("a", "1"), rangeOp("a")]],
    // etcd takes the zero byte for the interval's literal end, which makes it empty.
    ["a put lies in what is deleted from a key on", [deleteOp("a", { rangeEnd: "\0" }), putOp("b", "1")]],
  ])("passes when %s", (_what, ops) => {
    expect(ofTxn(ops)).toBe("passes");
  });

  it("the branches of the transaction itself exclude each other", () => {
    expect(refusal(() => checkTxnRequest(txn({ success: [putOp("a", "1")], failure: [putOp("a", "2")] })))).toBe(
      "passes",
    );
  });

  it("is found out in no time, however many puts and deletions a request may hold", () => {
    const leaves = (prefix: string): RequestOp[] =>
      Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? putOp(`${prefix}p${i}`, "") : deleteOp(`${prefix}d${i}`)));
    const ops = Array.from({ length: 60 }, (_, i) => txnOp({ success: leaves(`s${i}`), failure: leaves(`f${i}`) }));
    const startMs = performance.now();
    expect(ofTxn(ops)).toBe("passes");
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});

function compare(key: string): Compare {
  return { key, rangeEnd: "", result: "equal", target: "version", operand: 0 };
}
