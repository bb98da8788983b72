import { invariant } from "balsa/core";
import type { KeyVersion } from "../mvcc/key-version.js";
import type { DeleteRangeResponse, PutResponse, RangeResponse, ResponseOp, TxnResponse } from "../mvcc/response.js";
import type { ReverseWriter } from "./reverse-writer.js";

/*
 * What the store answers, as the fields of etcd's responses without their first: the header is known only where the
 * answer leaves the member. Numbers of fields are those of proto/etcdserverpb.proto and mvccpb.proto, last one first,
 * since the writer goes backwards.
 */

const HEADER = 1;

export function writeRange(out: ReverseWriter, response: RangeResponse): void {
  out.numberField(4, response.count);
  out.booleanField(3, response.more);
  writeKeyValues(out, 2, response.versions, response.keysOnly);
}

export function writePut(out: ReverseWriter, response: PutResponse): void {
  if (response.previous !== undefined) writeKeyValue(out, 2, response.previous, false);
}

export function writeDeleteRange(out: ReverseWriter, response: DeleteRangeResponse): void {
  writeKeyValues(out, 3, response.previous, false);
  out.numberField(2, response.deleted);
}

export function writeTxn(out: ReverseWriter, response: TxnResponse): void {
  for (let i = response.responses.length - 1; i >= 0; i--) {
    const before = out.written;
    const op = response.responses[i];
    invariant(op !== undefined, "responses: dense list");
    writeOp(out, op);
    out.messageField(3, before);
  }
  out.booleanField(2, response.succeeded);
}

function writeOp(out: ReverseWriter, op: ResponseOp): void {
  const before = out.written;
  switch (op.kind) {
    case "range":
      writeRange(out, op.range);
      writeInnerHeader(out, op.range.revision);
      return out.messageField(1, before);
    case "put":
      writePut(out, op.put);
      writeInnerHeader(out, op.put.revision);
      return out.messageField(2, before);
    case "delete-range":
      writeDeleteRange(out, op.deleteRange);
      writeInnerHeader(out, op.deleteRange.revision);
      return out.messageField(3, before);
    case "txn":
      writeTxn(out, op.txn);
      writeInnerHeader(out, op.txn.revision);
      return out.messageField(4, before);
    default:
      op satisfies never;
  }
}

/** The header of a response within a transaction's: only its revision is set, and it is there even when empty. */
function writeInnerHeader(out: ReverseWriter, revision: number): void {
  const before = out.written;
  out.numberField(3, revision);
  out.messageField(HEADER, before);
}

function writeKeyValues(out: ReverseWriter, field: number, versions: readonly KeyVersion[], keysOnly: boolean): void {
  for (let i = versions.length - 1; i >= 0; i--) {
    const version = versions[i];
    invariant(version !== undefined, "key values: dense list");
    writeKeyValue(out, field, version, keysOnly);
  }
}

function writeKeyValue(out: ReverseWriter, field: number, version: KeyVersion, keysOnly: boolean): void {
  const before = out.written;
  out.bigintField(6, version.lease);
  if (!keysOnly) out.byteStringField(5, version.value);
  out.numberField(4, version.version);
  out.numberField(3, version.modRevision);
  out.numberField(2, version.createRevision);
  out.byteStringField(1, version.key);
  out.messageField(field, before);
}
