import { invariant } from "balsa/core";
import { ServerError } from "../server-error.js";
import type { PutRequest } from "./request.js";
import type { PutResponse } from "./response.js";
import type { Store, WriteTxn } from "./store.js";

/** Whether a lease exists. */
export type LeaseLookup = (lease: bigint) => boolean;

/**
 * Whether a put can be carried out.
 * @throws ServerError `key-not-found`, `lease-not-found`, `no-space`
 */
export function checkPut(store: Store, request: PutRequest, hasLease: LeaseLookup): void {
  if (!store.hasRoom) throw new ServerError("no-space");
  if ((request.ignoreValue || request.ignoreLease) && store.find(request.key, store.revision) === undefined) {
    throw new ServerError("key-not-found");
  }
  if (request.lease !== 0n && !hasLease(request.lease)) throw new ServerError("lease-not-found");
}

/** Carries out a put that `checkPut` has found possible. */
export function put(txn: WriteTxn, request: PutRequest): PutResponse {
  const { key } = request;
  const previous = txn.find(key, txn.revision);
  let { value, lease } = request;
  if (request.ignoreValue || request.ignoreLease) {
    // It existed when the transaction began. Differs from etcd, which crashes if this transaction has deleted it.
    const kept = previous ?? txn.find(key, txn.beginRevision);
    invariant(kept !== undefined, "put: checked before");
    if (request.ignoreValue) value = kept.value;
    if (request.ignoreLease) lease = kept.lease;
  }
  txn.put(key, value, lease);
  return { revision: txn.revision, previous: request.prevKv ? previous : undefined };
}
