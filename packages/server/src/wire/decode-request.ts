import type Long from "long";
import type {
  CompactionRequest,
  Compare,
  CompareResult,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  SortOrder,
  SortTarget,
  TxnRequest,
} from "../mvcc/request.js";
import { ServerError } from "../server-error.js";
import { toByteString } from "./byte-string.js";
import { toBigInt, toNumber } from "./int64.js";
import { type MessageCodec, messageCodec } from "./schema.js";

/*
 * From the bytes of a client's request to what the store understands. Done where a request comes in, and again where
 * its bytes come out of the log.
 */

// As the .proto files have them.

interface WireRange {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  limit: Long;
  revision: Long;
  sortOrder: number;
  sortTarget: number;
  serializable: boolean;
  keysOnly: boolean;
  countOnly: boolean;
  minModRevision: Long;
  maxModRevision: Long;
  minCreateRevision: Long;
  maxCreateRevision: Long;
}

interface WirePut {
  key: Uint8Array;
  value: Uint8Array;
  lease: Long;
  prevKv: boolean;
  ignoreValue: boolean;
  ignoreLease: boolean;
}

interface WireDeleteRange {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  prevKv: boolean;
}

interface WireCompare {
  result: number;
  target: number;
  key: Uint8Array;
  rangeEnd: Uint8Array;
  version: Long;
  createRevision: Long;
  modRevision: Long;
  value: Uint8Array;
  lease: Long;
}

interface WireCompaction {
  revision: Long;
  physical: boolean;
}

/** At most one of them is there. */
interface WireOp {
  requestRange: WireRange | null;
  requestPut: WirePut | null;
  requestDeleteRange: WireDeleteRange | null;
  requestTxn: WireTxn | null;
}

interface WireTxn {
  compare: readonly WireCompare[];
  success: readonly WireOp[];
  failure: readonly WireOp[];
}

const rangeCodec = messageCodec<WireRange>("etcdserverpb.RangeRequest");
const putCodec = messageCodec<WirePut>("etcdserverpb.PutRequest");
const deleteRangeCodec = messageCodec<WireDeleteRange>("etcdserverpb.DeleteRangeRequest");
const compactionCodec = messageCodec<WireCompaction>("etcdserverpb.CompactionRequest");
const txnCodec = messageCodec<WireTxn>("etcdserverpb.TxnRequest");

/** @throws ServerError `malformed`, `invalid-sort-option` */
export function decodeRange(bytes: Uint8Array): RangeRequest {
  return toRange(decodeWith(rangeCodec, bytes));
}

/** @throws ServerError `malformed` */
export function decodePut(bytes: Uint8Array): PutRequest {
  return toPut(decodeWith(putCodec, bytes));
}

/** @throws ServerError `malformed` */
export function decodeDeleteRange(bytes: Uint8Array): DeleteRangeRequest {
  return toDeleteRange(decodeWith(deleteRangeCodec, bytes));
}

/** @throws ServerError `malformed`, `invalid-sort-option`, `invalid-compare` */
export function decodeTxn(bytes: Uint8Array): TxnRequest {
  return toTxn(decodeWith(txnCodec, bytes));
}

/** @throws ServerError `malformed` */
export function decodeCompaction(bytes: Uint8Array): CompactionRequest {
  // Whoever asks for a physical compaction waits until the space is given back; here it always has been.
  return { revision: toNumber(decodeWith(compactionCodec, bytes).revision) };
}

/** @throws ServerError `malformed` */
export function decodeWith<Decoded>(codec: MessageCodec<Decoded, never>, bytes: Uint8Array): Decoded {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    throw new ServerError("malformed", cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const SORT_ORDERS: readonly SortOrder[] = ["none", "ascend", "descend"];
const SORT_TARGETS: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];
const COMPARE_RESULTS: readonly CompareResult[] = ["equal", "greater", "less", "not-equal"];

function toRange(wire: WireRange): RangeRequest {
  const sortOrder = SORT_ORDERS[wire.sortOrder];
  const sortTarget = SORT_TARGETS[wire.sortTarget];
  if (sortOrder === undefined || sortTarget === undefined) throw new ServerError("invalid-sort-option");
  return {
    key: toByteString(wire.key),
    rangeEnd: toByteString(wire.rangeEnd),
    limit: toNumber(wire.limit),
    revision: toNumber(wire.revision),
    sortOrder,
    sortTarget,
    serializable: wire.serializable,
    keysOnly: wire.keysOnly,
    countOnly: wire.countOnly,
    minModRevision: toNumber(wire.minModRevision),
    maxModRevision: toNumber(wire.maxModRevision),
    minCreateRevision: toNumber(wire.minCreateRevision),
    maxCreateRevision: toNumber(wire.maxCreateRevision),
  };
}

function toPut(wire: WirePut): PutRequest {
  return {
    key: toByteString(wire.key),
    value: toByteString(wire.value),
    lease: toBigInt(wire.lease),
    prevKv: wire.prevKv,
    ignoreValue: wire.ignoreValue,
    ignoreLease: wire.ignoreLease,
  };
}

function toDeleteRange(wire: WireDeleteRange): DeleteRangeRequest {
  return { key: toByteString(wire.key), rangeEnd: toByteString(wire.rangeEnd), prevKv: wire.prevKv };
}

function toTxn(wire: WireTxn): TxnRequest {
  return { compare: wire.compare.map(toCompare), success: wire.success.map(toOp), failure: wire.failure.map(toOp) };
}

function toOp(wire: WireOp): RequestOp {
  if (wire.requestPut !== null) return { kind: "put", put: toPut(wire.requestPut) };
  if (wire.requestRange !== null) return { kind: "range", range: toRange(wire.requestRange) };
  if (wire.requestDeleteRange !== null) {
    return { kind: "delete-range", deleteRange: toDeleteRange(wire.requestDeleteRange) };
  }
  if (wire.requestTxn !== null) return { kind: "txn", txn: toTxn(wire.requestTxn) };
  return { kind: "nothing" };
}

/** An operand that did not come, or came for another target, is 0 or empty. */
function toCompare(wire: WireCompare): Compare {
  const result = COMPARE_RESULTS[wire.result];
  if (result === undefined) throw new ServerError("invalid-compare");
  const subject = { key: toByteString(wire.key), rangeEnd: toByteString(wire.rangeEnd), result };
  switch (wire.target) {
    case 0:
      return { ...subject, target: "version", operand: toNumber(wire.version) };
    case 1:
      return { ...subject, target: "create", operand: toNumber(wire.createRevision) };
    case 2:
      return { ...subject, target: "mod", operand: toNumber(wire.modRevision) };
    case 3:
      return { ...subject, target: "value", operand: toByteString(wire.value) };
    case 4:
      return { ...subject, target: "lease", operand: toBigInt(wire.lease) };
    default:
      throw new ServerError("invalid-compare");
  }
}
