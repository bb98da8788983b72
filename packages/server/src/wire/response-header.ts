import { ReverseWriter } from "./reverse-writer.js";

/** Who answers: the part of a response's header that never changes. */
export interface Responder {
  readonly clusterId: number;
  readonly memberId: number;
}

const writer: ReverseWriter = new ReverseWriter();

/**
 * Puts the header in front of a response's other fields.
 * @param writeFields writes them, last one first
 */
export function encodeResponse(
  responder: Responder,
  revision: number,
  raftTerm: number,
  writeFields: (out: ReverseWriter) => void,
): Uint8Array {
  writer.reset();
  writeFields(writer);
  const before = writer.written;
  writer.numberField(4, raftTerm);
  writer.numberField(3, revision);
  writer.numberField(2, responder.memberId);
  writer.numberField(1, responder.clusterId);
  writer.messageField(1, before);
  return writer.finish();
}
