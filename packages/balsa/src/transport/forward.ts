/** Proposals that a follower sends on to the leader, and the leader's answer: a request of the runtime's own. */
import type { ByteReader, ByteWriter } from "../codec/index.js";
import { corrupt, ENTRY_PAYLOAD_BYTES_MAX } from "../codec/index.js";
import type { BalsaErrorCode } from "../core/index.js";
import { FORWARD_COMMANDS_MAX } from "./limits.js";

export interface Forward {
  readonly kind: "forward";
  /** The asking runtime's own, echoed in the answer. */
  readonly requestId: number;
  readonly commands: readonly Uint8Array[];
}

export type ForwardAnswer =
  /** They are in the leader's log, one after the other from `firstIndex` on, with this term. */
  | { readonly kind: "accepted"; readonly firstIndex: number; readonly term: number }
  /** They are not. `leader`: who leads, as far as the refusing member knows; 0 = unknown. */
  | { readonly kind: "refused"; readonly code: BalsaErrorCode; readonly leader: number };

export interface ForwardAnswered {
  readonly kind: "forward-answer";
  readonly requestId: number;
  readonly answer: ForwardAnswer;
}

const ACCEPTED = 0;

/** What a refusal is on the wire; 0 stands for an acceptance. */
const REFUSAL_CODES: Readonly<Record<BalsaErrorCode, number>> = {
  "invalid-argument": 1,
  "identity-mismatch": 2,
  locked: 3,
  "address-in-use": 4,
  corrupt: 5,
  "storage-failed": 6,
  "not-leader": 7,
  overloaded: 8,
  "too-large": 9,
  superseded: 10,
  timeout: 11,
  aborted: 12,
  closed: 13,
  // To whoever asks they are the same, as that member is of no use, and a code of its own would not be known to earlier
  // versions. It is read as what stands behind it, `invariant`.
  "state-machine-failed": 14,
  invariant: 14,
  "disk-full": 15,
  "membership-refused": 16,
  removed: 17,
  "session-expired": 18,
};

const CODES: ReadonlyMap<number, BalsaErrorCode> = new Map(
  (Object.keys(REFUSAL_CODES) as BalsaErrorCode[]).map((code) => [REFUSAL_CODES[code], code]),
);

export function writeForward(out: ByteWriter, forward: Forward): void {
  out.varint(forward.requestId);
  out.varint(forward.commands.length);
  for (const command of forward.commands) out.bytes(command);
}

export function readForward(reader: ByteReader): Forward {
  const requestId = reader.varint();
  const count = reader.count(FORWARD_COMMANDS_MAX, 1);
  const commands: Uint8Array[] = [];
  for (let i = 0; i < count; i++) commands.push(reader.lengthPrefixed(ENTRY_PAYLOAD_BYTES_MAX));
  reader.expectEnd();
  return { kind: "forward", requestId, commands };
}

export function writeForwardAnswer(out: ByteWriter, { requestId, answer }: ForwardAnswered): void {
  out.varint(requestId);
  switch (answer.kind) {
    case "accepted":
      out.u8(ACCEPTED);
      out.varint(answer.firstIndex);
      out.varint(answer.term);
      return;
    case "refused":
      out.u8(REFUSAL_CODES[answer.code]);
      out.varint(answer.leader);
      return;
    default:
      answer satisfies never;
  }
}

export function readForwardAnswer(reader: ByteReader): ForwardAnswered {
  const requestId = reader.varint();
  const answer = readAnswer(reader);
  reader.expectEnd();
  return { kind: "forward-answer", requestId, answer };
}

function readAnswer(reader: ByteReader): ForwardAnswer {
  const tag = reader.u8();
  if (tag === ACCEPTED) {
    const firstIndex = reader.varint();
    const term = reader.varint();
    return { kind: "accepted", firstIndex, term };
  }
  const code = CODES.get(tag);
  if (code === undefined) throw corrupt("a forward was refused with no known code");
  return { kind: "refused", code, leader: reader.varint() };
}
