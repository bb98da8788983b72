import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../mvcc/request.js";

/** A request of etcd's KV. */
export type KvRequest =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "delete"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly request: CompactionRequest };

// Requests where only some fields matter; the others have their defaults.

export function range(key: string, rest: Partial<RangeRequest> = {}): RangeRequest {
  return {
    key,
    rangeEnd: "",
    limit: 0,
    revision: 0,
    sortOrder: "none",
    sortTarget: "key",
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...rest,
  };
}

export function put(key: string, value: string, rest: Partial<PutRequest> = {}): PutRequest {
  return { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...rest };
}

export function deleteRange(key: string, rest: Partial<DeleteRangeRequest> = {}): DeleteRangeRequest {
  return { key, rangeEnd: "", prevKv: false, ...rest };
}

export function txn(rest: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...rest };
}

export const putOp = (key: string, value: string, rest: Partial<PutRequest> = {}): RequestOp => ({
  kind: "put",
  put: put(key, value, rest),
});
export const rangeOp = (key: string, rest: Partial<RangeRequest> = {}): RequestOp => ({
  kind: "range",
  range: range(key, rest),
});
export const deleteOp = (key: string, rest: Partial<DeleteRangeRequest> = {}): RequestOp => ({
  kind: "delete-range",
  deleteRange: deleteRange(key, rest),
});
export const txnOp = (rest: Partial<TxnRequest>): RequestOp => ({ kind: "txn", txn: txn(rest) });
