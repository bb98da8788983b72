import { TXN_OPERATIONS_MAX } from "../limits.js";
import { ServerError } from "../server-error.js";
import type { ByteString } from "./byte-string.js";
import { type Interval, IntervalSet } from "./interval-set.js";
import type { DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "./request.js";

/*
 * What can be refused without looking at the state, before a request costs a place in the log. In etcd's order, so that
 * a request that is wrong in two ways gets the same answer.
 */

/** @throws ServerError `key-not-provided` */
export function checkRangeRequest(request: RangeRequest): void {
  requireKey(request.key);
}

/** @throws ServerError `key-not-provided`, `value-provided`, `lease-provided` */
export function checkPutRequest(request: PutRequest): void {
  requireKey(request.key);
  if (request.ignoreValue && request.value !== "") throw new ServerError("value-provided");
  if (request.ignoreLease && request.lease !== 0n) throw new ServerError("lease-provided");
}

/** @throws ServerError `key-not-provided` */
export function checkDeleteRangeRequest(request: DeleteRangeRequest): void {
  requireKey(request.key);
}

/** @throws ServerError `too-many-operations`, `duplicate-key`, and those of its operations */
export function checkTxnRequest(request: TxnRequest): void {
  checkOperations(request, TXN_OPERATIONS_MAX);
  collectWrites(request.success);
  collectWrites(request.failure);
}

function requireKey(key: ByteString): void {
  if (key === "") throw new ServerError("key-not-provided");
}

function checkOperations(request: TxnRequest, operationsMax: number): void {
  const operations = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (operations > operationsMax) throw new ServerError("too-many-operations");
  for (const compare of request.compare) requireKey(compare.key);
  for (const op of request.success) checkOperation(op, operationsMax - operations);
  for (const op of request.failure) checkOperation(op, operationsMax - operations);
}

function checkOperation(op: RequestOp, operationsMax: number): void {
  switch (op.kind) {
    case "range":
      return checkRangeRequest(op.range);
    case "put":
      return checkPutRequest(op.put);
    case "delete-range":
      return checkDeleteRangeRequest(op.deleteRange);
    case "txn":
      return checkOperations(op.txn, operationsMax);
    case "nothing":
      throw new ServerError("key-not-provided");
    default:
      op satisfies never;
  }
}

/**
 * What a list of operations writes. The end of an interval is taken literally, as etcd does: "from here on" (a zero
 * byte) is then an empty interval, so that such a deletion passes beside a put of one of its keys.
 */
interface Writes {
  readonly puts: Set<ByteString>;
  readonly deletes: IntervalSet;
}

/**
 * Nothing may be written twice in one revision: no key put twice, or put and deleted. The two branches of a nested
 * transaction exclude each other, so that both may put a key.
 * @throws ServerError `duplicate-key`
 */
function collectWrites(ops: readonly RequestOp[]): Writes {
  const writes: Writes = { puts: new Set(), deletes: new IntervalSet() };
  for (const op of ops) if (op.kind === "delete-range") writes.deletes.add(intervalOf(op.deleteRange));
  for (const op of ops) if (op.kind === "txn") collectNested(writes, op.txn);
  for (const op of ops) if (op.kind === "put") addPut(writes, op.put.key, NO_KEYS);
  return writes;
}

function collectNested(writes: Writes, txn: TxnRequest): void {
  const success = collectWrites(txn.success);
  const failure = collectWrites(txn.failure);
  for (const key of success.puts) addPut(writes, key, NO_KEYS);
  for (const key of failure.puts) addPut(writes, key, success.puts);
  writes.deletes.addAll(success.deletes);
  writes.deletes.addAll(failure.deletes);
}

function addPut(writes: Writes, key: ByteString, mayRepeat: ReadonlySet<ByteString>): void {
  if (writes.puts.has(key) && !mayRepeat.has(key)) throw new ServerError("duplicate-key");
  if (writes.deletes.has(key)) throw new ServerError("duplicate-key");
  writes.puts.add(key);
}

function intervalOf({ key, rangeEnd }: DeleteRangeRequest): Interval {
  return { from: key, to: rangeEnd === "" ? `${key}\0` : rangeEnd };
}

const NO_KEYS: ReadonlySet<ByteString> = new Set();
