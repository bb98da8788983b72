/**
 * What a state machine with sessions answers, in bytes:
 *
 *   u8                 version (upper four bits, now 1) and kind (lower four)
 *   opened             varint session, varint results that it holds
 *   closed             nothing more
 *   result             varint index, varint term, the result
 *   result-too-large   varint index, varint term
 *   refused            u8 why
 */
import { ByteReader, ByteWriter, corrupt } from "../codec/index.js";
import { invariant, unreachable } from "../core/index.js";

export type SessionAnswer =
  | { readonly kind: "opened"; readonly session: number; readonly resultsMax: number }
  | { readonly kind: "closed" }
  /** The command took effect at this place, however often it was proposed, and this is what came of it. */
  | { readonly kind: "result"; readonly index: number; readonly term: number; readonly result: Uint8Array }
  /** The same, but what came of it is above the limit. */
  | { readonly kind: "result-too-large"; readonly index: number; readonly term: number }
  /** This attempt had no effect. */
  | { readonly kind: "refused"; readonly why: SessionRefusal };

export type SessionRefusal =
  /** There is no such session: it expired, was closed, or never was. */
  | "unknown-session"
  /** The client has said before that it does not wait for this one any more. */
  | "not-awaited"
  /** The session holds as many results as it may. */
  | "too-many-results"
  /** The bytes are no command of a session. */
  | "malformed";

const VERSION = 1;
const OPENED = 1;
const CLOSED = 2;
const RESULT = 3;
const RESULT_TOO_LARGE = 4;
const REFUSED = 5;

/** The place is the code: only ever add at the end. */
const REFUSALS: readonly SessionRefusal[] = ["unknown-session", "not-awaited", "too-many-results", "malformed"];

const scratch = new ByteWriter();

/**
 * Exactly as large as it needs to be, not a part of something larger: it may be kept for long, and its length is what
 * it costs.
 */
export function encodeSessionAnswer(answer: SessionAnswer): Uint8Array {
  const out = scratch;
  invariant(out.length === 0, "a session's answer is encoded in one go");
  switch (answer.kind) {
    case "opened":
      out.u8((VERSION << 4) | OPENED);
      out.varint(answer.session);
      out.varint(answer.resultsMax);
      break;
    case "closed":
      out.u8((VERSION << 4) | CLOSED);
      break;
    case "result":
    case "result-too-large":
      out.u8((VERSION << 4) | (answer.kind === "result" ? RESULT : RESULT_TOO_LARGE));
      out.varint(answer.index);
      out.varint(answer.term);
      if (answer.kind === "result") return withPayload(out, answer.result);
      break;
    case "refused":
      out.u8((VERSION << 4) | REFUSED);
      out.u8(REFUSALS.indexOf(answer.why));
      break;
    default:
      throw unreachable(answer satisfies never);
  }
  return withPayload(out, EMPTY);
}

const EMPTY = new Uint8Array(0);

function withPayload(head: ByteWriter, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head.peek(0, head.length));
  bytes.set(payload, head.length);
  head.truncate(0);
  return bytes;
}

/**
 * The result is a copy: the group remembers the given bytes, and whoever gets the result may write on it.
 * @throws BalsaError `corrupt`
 */
export function decodeSessionAnswer(bytes: Uint8Array): SessionAnswer {
  const reader = new ByteReader(bytes);
  const versionAndKind = reader.u8();
  if (versionAndKind >>> 4 !== VERSION) throw corrupt("a session's answer is of no known version");
  const answer = readAnswer(reader, versionAndKind & 0x0f);
  reader.expectEnd();
  return answer;
}

function readAnswer(reader: ByteReader, kind: number): SessionAnswer {
  switch (kind) {
    case OPENED:
      return { kind: "opened", session: reader.varint(), resultsMax: reader.varint() };
    case CLOSED:
      return { kind: "closed" };
    case RESULT: {
      const index = reader.varint();
      const term = reader.varint();
      return { kind: "result", index, term, result: reader.raw(reader.remaining).slice() };
    }
    case RESULT_TOO_LARGE:
      return { kind: "result-too-large", index: reader.varint(), term: reader.varint() };
    case REFUSED: {
      const why = REFUSALS[reader.u8()];
      if (why === undefined) throw corrupt("a session's refusal is of no known kind");
      return { kind: "refused", why };
    }
    default:
      throw corrupt("a session's answer is of no known kind");
  }
}
