import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTxnRequest } from "../../src/mvcc/check-request.js";
import { deleteRange } from "../../src/mvcc/delete-range.js";
import type { KeyVersion } from "../../src/mvcc/key-version.js";
import { checkPut, put } from "../../src/mvcc/put.js";
import { readRange } from "../../src/mvcc/range.js";
import type {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from "../../src/mvcc/response.js";
import { Store } from "../../src/mvcc/store.js";
import { isReadOnly, readTxn, runTxn } from "../../src/mvcc/txn.js";
import { ServerError } from "../../src/server-error.js";
import type { KvAnswer, KvRefusal, PlainKeyValue } from "../../src/sim/kv-answer.js";
import type { KvRequest } from "../../src/sim/kv-request.js";
import { NaiveStore } from "../../src/sim/naive-store.js";
import { compactionRequests, deleteRangeRequests, putRequests, rangeRequests, txnRequests } from "./requests.js";

const operations: fc.Arbitrary<KvRequest> = fc.oneof(
  rangeRequests.map((request): KvRequest => ({ kind: "range", request })),
  { arbitrary: putRequests.map((request): KvRequest => ({ kind: "put", request })), weight: 3 },
  deleteRangeRequests.map((request): KvRequest => ({ kind: "delete", request })),
  { arbitrary: txnRequests.map((request): KvRequest => ({ kind: "txn", request })), weight: 2 },
  compactionRequests.map((request): KvRequest => ({ kind: "compact", request })),
);

const noLeases = (): boolean => false;

function runOn(store: Store, { kind, request }: KvRequest): KvAnswer {
  switch (kind) {
    case "range":
      return plainRange(readRange(store, request));
    case "put": {
      checkPut(store, request, noLeases);
      const writing = store.begin();
      const response = put(writing, request);
      writing.end();
      return plainPut(response);
    }
    case "delete": {
      const writing = store.begin();
      const response = deleteRange(writing, request);
      writing.end();
      return plainDelete(response);
    }
    case "txn":
      return plainTxn(isReadOnly(request) ? readTxn(store, request) : runTxn(store, request, noLeases));
    case "compact":
      store.compact(request.revision);
      return { revision: store.revision };
    default:
      throw new Error("no such operation");
  }
}

function orRefusal(run: () => KvAnswer): KvAnswer {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof ServerError) return cause.code as KvRefusal;
    throw cause;
  }
}

/** What no server would let pass, etcd's least of all. */
function isRefusedBefore(operation: KvRequest): boolean {
  if (operation.kind !== "txn") return false;
  try {
    checkTxnRequest(operation.request);
    return false;
  } catch {
    return true;
  }
}

function plain(version: KeyVersion, keysOnly: boolean): PlainKeyValue {
  const { key, value, createRevision: create, modRevision: mod, version: count, lease } = version;
  return { key, value: keysOnly ? "" : value, create, mod, version: count, lease };
}
const plainRange = ({ revision, versions, count, more, keysOnly }: RangeResponse): KvAnswer => ({
  revision,
  kvs: versions.map((version) => plain(version, keysOnly)),
  count,
  more,
});
const plainPut = ({ revision, previous }: PutResponse): KvAnswer => ({
  revision,
  previous: previous === undefined ? undefined : plain(previous, false),
});
const plainDelete = ({ revision, deleted, previous }: DeleteRangeResponse): KvAnswer => ({
  revision,
  deleted,
  previous: previous.map((version) => plain(version, false)),
});
const plainTxn = ({ revision, succeeded, responses }: TxnResponse): KvAnswer => ({
  revision,
  succeeded,
  responses: responses.map(plainOp),
});
function plainOp(op: ResponseOp): KvAnswer {
  switch (op.kind) {
    case "range":
      return plainRange(op.range);
    case "put":
      return plainPut(op.put);
    case "delete-range":
      return plainDelete(op.deleteRange);
    default:
      return plainTxn(op.txn);
  }
}

describe("the store, against a list of whole states", () => {
  it("gives the same answers to any requests in any order, at any revision", () => {
    fc.assert(
      fc.property(fc.array(operations, { minLength: 1, maxLength: 25 }), (history) => {
        const store = new Store();
        let model = NaiveStore.empty();
        for (const operation of history.filter((candidate) => !isRefusedBefore(candidate))) {
          const [next, answer] = model.run(operation);
          expect(orRefusal(() => runOn(store, operation))).toEqual(answer);
          expect(store.revision).toBe(next.revision);
          model = next;
        }
      }),
      { numRuns: 500 },
    );
  });
});
