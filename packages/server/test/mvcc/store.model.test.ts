import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkTxnRequest } from "../../src/mvcc/check-request.js";
import { deleteRange } from "../../src/mvcc/delete-range.js";
import type { KeyVersion } from "../../src/mvcc/key-version.js";
import { checkPut, put } from "../../src/mvcc/put.js";
import { readRange } from "../../src/mvcc/range.js";
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../../src/mvcc/request.js";
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
import { type NaiveKeyValue, type NaiveResponse, NaiveStore } from "./naive-store.js";
import { compactionRequests, deleteRangeRequests, putRequests, rangeRequests, txnRequests } from "./requests.js";

type Operation =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "delete"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly request: CompactionRequest };

const operations: fc.Arbitrary<Operation> = fc.oneof(
  rangeRequests.map((request): Operation => ({ kind: "range", request })),
  { arbitrary: putRequests.map((request): Operation => ({ kind: "put", request })), weight: 3 },
  deleteRangeRequests.map((request): Operation => ({ kind: "delete", request })),
  { arbitrary: txnRequests.map((request): Operation => ({ kind: "txn", request })), weight: 2 },
  compactionRequests.map((request): Operation => ({ kind: "compact", request })),
);

const noLeases = (): boolean => false;

function runOn(store: Store, { kind, request }: Operation): NaiveResponse {
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

function runOnModel(model: NaiveStore, { kind, request }: Operation): NaiveResponse {
  switch (kind) {
    case "range":
      return model.range(request);
    case "put":
      return model.put(request);
    case "delete":
      return model.deleteRange(request);
    case "txn":
      return model.txn(request);
    case "compact":
      return model.compact(request.revision);
    default:
      throw new Error("no such operation");
  }
}

function orRefusal(run: () => NaiveResponse): NaiveResponse {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof ServerError) return cause.code as NaiveResponse;
    throw cause;
  }
}

/** What no server would let pass, etcd's least of all. */
function isRefusedBefore(operation: Operation): boolean {
  if (operation.kind !== "txn") return false;
  try {
    checkTxnRequest(operation.request);
    return false;
  } catch {
    return true;
  }
}

function plain(version: KeyVersion, keysOnly: boolean): NaiveKeyValue {
  const { key, value, createRevision: create, modRevision: mod, version: count, lease } = version;
  return { key, value: keysOnly ? "" : value, create, mod, version: count, lease };
}
const plainRange = ({ revision, versions, count, more, keysOnly }: RangeResponse): NaiveResponse => ({
  revision,
  kvs: versions.map((version) => plain(version, keysOnly)),
  count,
  more,
});
const plainPut = ({ revision, previous }: PutResponse): NaiveResponse => ({
  revision,
  previous: previous === undefined ? undefined : plain(previous, false),
});
const plainDelete = ({ revision, deleted, previous }: DeleteRangeResponse): NaiveResponse => ({
  revision,
  deleted,
  previous: previous.map((version) => plain(version, false)),
});
const plainTxn = ({ revision, succeeded, responses }: TxnResponse): NaiveResponse => ({
  revision,
  succeeded,
  responses: responses.map(plainOp),
});
function plainOp(op: ResponseOp): NaiveResponse {
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
        const model = new NaiveStore();
        for (const operation of history.filter((candidate) => !isRefusedBefore(candidate))) {
          expect(orRefusal(() => runOn(store, operation))).toEqual(runOnModel(model, operation));
          expect(store.revision).toBe(model.revision);
        }
      }),
      { numRuns: 500 },
    );
  });
});
