/**
 * What became of a command, as bytes from the state machine to the one who proposed it:
 *
 *   offset  bytes  field
 *        0      1  0 = carried out; else why it was refused
 *        1    1–8  revision, a varint            (only if carried out)
 *              n   the response's fields without its header
 *
 * It never leaves the member.
 */

import { ByteReader } from "balsa/codec";
import { invariant } from "balsa/core";
import { ServerError, type ServerErrorCode } from "../server-error.js";
import { ReverseWriter } from "../wire/reverse-writer.js";

const CARRIED_OUT = 0;

/** By their number in a result. */
const REFUSALS: readonly (ServerErrorCode | undefined)[] = [
  undefined,
  "key-not-found",
  "lease-not-found",
  "future-revision",
  "compacted",
  "no-space",
];

const writer: ReverseWriter = new ReverseWriter();

/** @param writeFields writes the response's fields, last one first */
export function encodeResult(revision: number, writeFields: (out: ReverseWriter) => void): Uint8Array {
  writer.reset();
  writeFields(writer);
  writer.varint(revision);
  writer.byte(CARRIED_OUT);
  return writer.finish();
}

/** A refusal by the state; anything else is a failure of this member and is thrown on. */
export function encodeRefusal(cause: unknown): Uint8Array {
  const code = cause instanceof ServerError ? REFUSALS.indexOf(cause.code) : -1;
  if (code < 1) throw cause;
  return Uint8Array.of(code);
}

/** @throws ServerError if the command was refused */
export function decodeResult(result: Uint8Array): { readonly revision: number; readonly fields: Uint8Array } {
  const reader = new ByteReader(result);
  const code = reader.u8();
  if (code !== CARRIED_OUT) {
    const refusal = REFUSALS[code];
    invariant(refusal !== undefined, "results: a known refusal");
    throw new ServerError(refusal);
  }
  const revision = reader.varint();
  return { revision, fields: reader.raw(reader.remaining) };
}
