import { beforeEach, describe, expect, it, vi } from "vitest";
import { deleteRange as runDeleteRange } from "../../src/mvcc/delete-range.js";
import { checkPut, put as runPut } from "../../src/mvcc/put.js";
import { readRange } from "../../src/mvcc/range.js";
import type { DeleteRangeRequest, PutRequest, RangeRequest, TxnRequest } from "../../src/mvcc/request.js";
import type { DeleteRangeResponse, PutResponse, TxnResponse } from "../../src/mvcc/response.js";
import { Store } from "../../src/mvcc/store.js";
import { runTxn } from "../../src/mvcc/txn.js";
import { deleteOp, deleteRange, put, putOp, range, rangeOp, txn, txnOp } from "../../src/sim/kv-request.js";

let store: Store;
beforeEach(() => {
  store = new Store();
});

const leases = (lease: bigint): boolean => lease === 7n;

function doPut(key: string, value: string, rest: Partial<PutRequest> = {}): PutResponse {
  const request = put(key, value, rest);
  checkPut(store, request, leases);
  const writing = store.begin();
  const response = runPut(writing, request);
  writing.end();
  return response;
}
function doDelete(key: string, rest: Partial<DeleteRangeRequest> = {}): DeleteRangeResponse {
  const writing = store.begin();
  const response = runDeleteRange(writing, deleteRange(key, rest));
  writing.end();
  return response;
}
const doTxn = (request: Partial<TxnRequest>): TxnResponse => runTxn(store, txn(request), leases);
const read = (key: string, rest: Partial<RangeRequest> = {}) => readRange(store, range(key, rest));
const keysOf = (key: string, rest: Partial<RangeRequest> = {}): string[] =>
  read(key, rest).versions.map((version) => version.key);
/** create, mod, version */
const numbersOf = (key: string, revision = 0): number[] | undefined => {
  const [version] = read(key, { revision }).versions;
  return version === undefined ? undefined : [version.createRevision, version.modRevision, version.version];
};

describe("revisions, as etcd counts them", () => {
  it("an empty store is at 1, and each write makes one more", () => {
    expect(store.revision).toBe(1);
    expect(doPut("a", "1").revision).toBe(2);
    expect(doPut("a", "2").revision).toBe(3);
    expect(numbersOf("a")).toEqual([2, 3, 2]);
  });

  it("a deletion of nothing does not raise it", () => {
    doPut("a", "1");
    expect(doDelete("b")).toMatchObject({ revision: 2, deleted: 0 });
    expect(doDelete("a")).toMatchObject({ revision: 3, deleted: 1 });
    expect(doDelete("a")).toMatchObject({ revision: 3, deleted: 0 });
  });

  it("a transaction of several writes is one", () => {
    const response = doTxn({ success: [putOp("a", "1"), putOp("b", "2"), deleteOp("c")] });
    expect(response.revision).toBe(2);
    expect(store.revision).toBe(2);
    expect(numbersOf("a")).toEqual([2, 2, 1]);
    expect(numbersOf("b")).toEqual([2, 2, 1]);
  });

  it("a transaction that changes nothing is none", () => {
    expect(doTxn({ success: [deleteOp("a"), rangeOp("a")] }).revision).toBe(1);
    expect(store.revision).toBe(1);
  });

  it("a deletion ends a key's life: the next one counts its versions anew", () => {
    doPut("a", "1");
    doPut("a", "2");
    doDelete("a");
    doPut("a", "3");
    expect(numbersOf("a")).toEqual([5, 5, 1]);
    expect(numbersOf("a", 3)).toEqual([2, 3, 2]);
    expect(numbersOf("a", 4)).toBeUndefined();
  });

  it("within a transaction reads see its writes, at the revision they will have", () => {
    const { responses } = doTxn({ success: [rangeOp("a"), putOp("a", "1"), rangeOp("a"), deleteOp("b")] });
    expect(responses.map((op) => (op.kind === "range" ? [op.range.revision, op.range.count] : []))).toEqual([
      [1, 0],
      [],
      [2, 1],
      [],
    ]);
    expect(responses[3]).toMatchObject({ deleteRange: { revision: 2, deleted: 0 } });
  });
});

describe("ranges", () => {
  beforeEach(() => {
    for (const key of ["k/1", "k/2", "k/3", "k0", "l"]) doPut(key, key);
  });

  it("one key, an interval, from a key on", () => {
    expect(keysOf("k/2")).toEqual(["k/2"]);
    expect(keysOf("k/2", { rangeEnd: "k0" })).toEqual(["k/2", "k/3"]);
    expect(keysOf("k/3", { rangeEnd: "\0" })).toEqual(["k/3", "k0", "l"]);
    expect(keysOf("k/3", { rangeEnd: "k/1" })).toEqual([]);
    expect(keysOf("\0", { rangeEnd: "\0" })).toHaveLength(5);
  });

  it("keys are in the order of their bytes, also above 0x7f", () => {
    for (const key of ["\xff", "\x80", "~"]) doPut(key, "");
    expect(keysOf("m", { rangeEnd: "\0" })).toEqual(["~", "\x80", "\xff"]);
  });

  it("a limit says whether there is more, and counts all", () => {
    expect(read("k/1", { rangeEnd: "\0", limit: 2 })).toMatchObject({ count: 5, more: true });
    expect(keysOf("k/1", { rangeEnd: "\0", limit: 2 })).toEqual(["k/1", "k/2"]);
    expect(read("k/1", { rangeEnd: "\0", limit: 5 })).toMatchObject({ count: 5, more: false });
  });

  it("count only brings no keys and never more", () => {
    expect(read("k/1", { rangeEnd: "\0", countOnly: true, limit: 1 })).toMatchObject({
      count: 5,
      more: false,
      versions: [],
    });
  });

  it("bounds on revisions filter what is shown and not what is counted", () => {
    expect(keysOf("k/1", { rangeEnd: "\0", minModRevision: 3, maxModRevision: 4 })).toEqual(["k/2", "k/3"]);
    expect(read("k/1", { rangeEnd: "\0", minCreateRevision: 6 })).toMatchObject({ count: 5, more: false });
    expect(read("k/1", { rangeEnd: "\0", maxCreateRevision: 4, limit: 2 })).toMatchObject({ count: 5, more: true });
  });

  it("sorted by value, ties in the order of the keys, also descending", () => {
    for (const key of ["k/1", "k/3"]) doPut(key, "same");
    expect(keysOf("k/", { rangeEnd: "k0", sortTarget: "value", sortOrder: "descend" })).toEqual(["k/1", "k/3", "k/2"]);
    expect(keysOf("k/", { rangeEnd: "k0", sortTarget: "version", sortOrder: "ascend" })).toEqual(["k/2", "k/1", "k/3"]);
  });

  it("as etcd, a target without an order cuts before it sorts", () => {
    doPut("k/1", "z");
    expect(keysOf("k/", { rangeEnd: "k0", sortTarget: "value", limit: 1 })).toEqual(["k/2"]);
    expect(keysOf("k/", { rangeEnd: "k0", sortTarget: "value", sortOrder: "descend", limit: 1 })).toEqual(["k/1"]);
  });

  it("the future can't be read; 0 and less are the present", () => {
    expect(() => read("k/1", { revision: store.revision + 1 })).toThrow("future-revision");
    expect(read("k/1", { revision: -5 }).count).toBe(1);
  });
});

describe("puts", () => {
  it("give what was there before, if asked", () => {
    doPut("a", "1");
    expect(doPut("a", "2").previous).toBeUndefined();
    expect(doPut("a", "3", { prevKv: true }).previous).toMatchObject({ value: "2", version: 2 });
    expect(doPut("b", "1", { prevKv: true }).previous).toBeUndefined();
  });

  it("keep value or lease of a key that exists", () => {
    doPut("a", "1", { lease: 7n });
    doPut("a", "", { ignoreValue: true });
    expect(read("a").versions[0]).toMatchObject({ value: "1", lease: 0n });
    doPut("a", "2", { lease: 7n });
    doPut("a", "3", { ignoreLease: true });
    expect(read("a").versions[0]).toMatchObject({ value: "3", lease: 7n });
    expect(() => doPut("b", "", { ignoreValue: true })).toThrow("key-not-found");
    expect(() => doPut("b", "v", { ignoreLease: true })).toThrow("key-not-found");
  });

  it("are refused when there is no room for more keys; deletions are not", () => {
    doPut("a", "1");
    vi.spyOn(store, "hasRoom", "get").mockReturnValue(false);
    expect(() => doPut("b", "1")).toThrow("no-space");
    expect(() => doTxn({ success: [txnOp({ success: [putOp("b", "1")] })] })).toThrow("no-space");
    expect(doTxn({ success: [deleteOp("a")] }).revision).toBe(3);
  });

  it("name a lease that exists", () => {
    expect(() => doPut("a", "1", { lease: 8n })).toThrow("lease-not-found");
    expect(store.revision).toBe(1);
  });
});

describe("transactions", () => {
  it("are refused as a whole when one put or range of the branch that runs is impossible", () => {
    doPut("a", "1");
    const impossible = [putOp("new", "v"), putOp("missing", "", { ignoreValue: true })];
    expect(() => doTxn({ success: impossible })).toThrow("key-not-found");
    expect(() => doTxn({ success: [putOp("new", "v"), rangeOp("a", { revision: 3 })] })).toThrow("future-revision");
    expect(() => doTxn({ success: [putOp("new", "v"), txnOp({ success: [rangeOp("a", { revision: 9 })] })] })).toThrow(
      "future-revision",
    );
    expect(store.revision).toBe(2);
    expect(read("new").count).toBe(0);
    expect(doTxn({ failure: impossible }).succeeded).toBe(true);
  });

  it("compares of nested ones are made on the state before the outermost", () => {
    const absent = { key: "a", rangeEnd: "", result: "equal", target: "version", operand: 0 } as const;
    const { responses } = doTxn({
      success: [putOp("a", "1"), txnOp({ compare: [absent], success: [putOp("b", "1")], failure: [putOp("c", "1")] })],
    });
    expect(responses[1]).toMatchObject({ txn: { succeeded: true, revision: 0 } });
    expect([read("b").count, read("c").count]).toEqual([1, 0]);
  });

  it("a value is compared with none where there is no key, not with an empty one", () => {
    const empty = { key: "a", rangeEnd: "", target: "value", operand: "" } as const;
    expect(doTxn({ compare: [{ ...empty, result: "equal" }] }).succeeded).toBe(false);
    expect(doTxn({ compare: [{ ...empty, result: "not-equal" }] }).succeeded).toBe(false);
    doPut("a", "");
    expect(doTxn({ compare: [{ ...empty, result: "equal" }] }).succeeded).toBe(true);
  });

  it("a compare over a range holds if every key of it satisfies it", () => {
    doPut("p/1", "x");
    doPut("p/2", "x");
    const all = { key: "p/", rangeEnd: "p0", result: "equal", target: "version", operand: 1 } as const;
    expect(doTxn({ compare: [all] }).succeeded).toBe(true);
    doPut("p/2", "y");
    expect(doTxn({ compare: [all] }).succeeded).toBe(false);
  });

  it("a key deleted and put in one transaction keeps the value it had, where etcd would crash", () => {
    doPut("b", "kept");
    doTxn({ success: [deleteOp("a", { rangeEnd: "\0" }), putOp("b", "", { ignoreValue: true })] });
    expect(read("b").versions[0]).toMatchObject({ value: "kept", createRevision: 3, version: 1 });
  });
});

describe("the whole", () => {
  it("accounts for keys and values, history included", () => {
    const empty = store.sizeBytes;
    doPut("key", "value");
    const one = store.sizeBytes;
    doPut("key", "value");
    expect(one).toBeGreaterThan(empty + 8);
    expect(store.sizeBytes - one).toBe(one - empty);
  });

  it("stays as it was frozen while writing goes on", () => {
    doPut("a", "1");
    doPut("b", "1");
    const frozen = store.freeze();
    doPut("a", "2");
    doPut("c", "1");
    doDelete("b");
    const seen = [...frozen.keys.histories()].map((history) => {
      const version = history.newest.asOf(frozen.revision);
      return `${version?.key}=${version?.value}@${version?.modRevision}`;
    });
    expect(seen).toEqual(["a=1@2", "b=1@3"]);
  });
});

describe("compaction", () => {
  beforeEach(() => {
    doPut("a", "1"); // 2
    doPut("a", "2"); // 3
    doPut("b", "1"); // 4
    doDelete("b"); // 5
    doPut("a", "3"); // 6
  });

  it("keeps what can be seen at its revision and later, and refuses what is before it", () => {
    store.compact(5);
    expect(store.revision).toBe(6);
    expect(read("a", { revision: 5 }).versions[0]?.value).toBe("2");
    expect(numbersOf("a")).toEqual([2, 6, 3]);
    expect(keysOf("b", { revision: 5 })).toEqual([]);
    expect(() => read("a", { revision: 4 })).toThrow("compacted");
    expect(() => doTxn({ success: [rangeOp("a", { revision: 4 })] })).toThrow("compacted");
  });

  it("is refused where it was made already, and beyond the newest revision", () => {
    store.compact(5);
    expect(() => store.compact(5)).toThrow("compacted");
    expect(() => store.compact(4)).toThrow("compacted");
    expect(() => store.compact(7)).toThrow("future-revision");
    store.compact(6);
  });

  it("gives back the space of what it drops, deleted keys and all", () => {
    const { sizeBytes } = store;
    store.compact(3);
    expect(store.sizeBytes).toBeLessThan(sizeBytes);
    store.compact(6);
    const fresh = new Store();
    const writing = fresh.begin();
    runPut(writing, put("a", "3"));
    writing.end();
    expect(store.sizeBytes).toBe(fresh.sizeBytes);
  });

  it("takes nothing from a view that was frozen before, nor does what is written after it", () => {
    const frozen = store.freeze();
    store.compact(6);
    doPut("a", "4");
    doPut("b", "2");
    const seen = [...frozen.keys.histories()].map(({ newest }) => {
      const values: string[] = [];
      for (let at = newest.asOf(frozen.revision); at !== undefined; at = at.previous) values.push(at.value);
      return values;
    });
    expect(seen).toEqual([
      ["3", "2", "1"],
      ["", "1"],
    ]);
  });
});
