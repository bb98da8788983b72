/**
 * What a state machine with sessions takes, in bytes:
 *
 *   u8       version (upper four bits, now 1) and kind (lower four)
 *   open     nothing more
 *   call     varint session, varint sequence, varint how far before it lies the oldest one still awaited, payload
 *   close    varint session
 *   plain    payload
 */
import { ByteReader, ByteWriter, corrupt } from "../codec/index.js";
import { invariant, unreachable } from "../core/index.js";

export type SessionCommand =
  /** A new session. Its ID is the index of the entry that carries this, so no two are ever the same. */
  | { readonly kind: "open" }
  | SessionCall
  | { readonly kind: "close"; readonly session: number }
  /** Of no session: takes effect as often as it is in the log. */
  | { readonly kind: "plain"; readonly payload: Uint8Array };

/** A command of a session. */
export interface SessionCall {
  readonly kind: "call";
  readonly session: number;
  /** From 1, one more for each command of the session; the same for every attempt at it. */
  readonly sequence: number;
  /** The lowest sequence whose answer the client still waits for: results before it are not asked for again. */
  readonly oldestAwaited: number;
  readonly payload: Uint8Array;
}

const VERSION = 1;
const OPEN = 1;
const CALL = 2;
const CLOSE = 3;
const PLAIN = 4;

const slab = new ByteWriter(64 * 1024);

/** The payload is copied. */
export function encodeSessionCommand(command: SessionCommand): Uint8Array {
  switch (command.kind) {
    case "open":
      return header(OPEN).finish();
    case "call": {
      const { session, sequence, oldestAwaited, payload } = command;
      invariant(oldestAwaited >= 1 && oldestAwaited <= sequence, "session: a command is awaited while it is proposed");
      const out = header(CALL);
      out.varint(session);
      out.varint(sequence);
      out.varint(sequence - oldestAwaited);
      out.raw(payload);
      return out.finish();
    }
    case "close": {
      const out = header(CLOSE);
      out.varint(command.session);
      return out.finish();
    }
    case "plain": {
      const out = header(PLAIN);
      out.raw(command.payload);
      return out.finish();
    }
    default:
      throw unreachable(command satisfies never);
  }
}

/**
 * The payload is a view of `data`.
 * @throws BalsaError `corrupt`
 */
export function decodeSessionCommand(data: Uint8Array): SessionCommand {
  const reader = new ByteReader(data);
  const versionAndKind = reader.u8();
  if (versionAndKind >>> 4 !== VERSION) throw corrupt("a session's command is of no known version");
  switch (versionAndKind & 0x0f) {
    case OPEN:
      reader.expectEnd();
      return { kind: "open" };
    case CALL: {
      const session = reader.varint();
      const sequence = reader.varint();
      const distance = reader.varint();
      if (distance >= sequence) throw corrupt("a session's sequence begins at 1");
      return { kind: "call", session, sequence, oldestAwaited: sequence - distance, payload: rest(reader) };
    }
    case CLOSE: {
      const session = reader.varint();
      reader.expectEnd();
      return { kind: "close", session };
    }
    case PLAIN:
      return { kind: "plain", payload: rest(reader) };
    default:
      throw corrupt("a session's command is of no known kind");
  }
}

function header(kind: number): ByteWriter {
  invariant(slab.length === 0, "a session's command is encoded in one go");
  slab.u8((VERSION << 4) | kind);
  return slab;
}

function rest(reader: ByteReader): Uint8Array {
  return reader.raw(reader.remaining);
}
