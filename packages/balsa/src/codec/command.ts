/**
 * The envelope in the data of `normal` entries:
 *
 *   offset  bytes  field
 *        0      1  version (upper four bits, now 1) and kind (lower four: 1 application, 2 library)
 *        1      1  flags: bit 0 = a session follows; the others are zero
 *        2   0–16  session and sequence, two varints, if bit 0 is set
 *              n   payload
 *
 * An entry without data is no command: it is the empty entry that a new leader appends.
 */
import { BalsaError, invariant } from "../core/index.js";
import { ByteReader, corrupt } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/** `application`: for the state machine. `library`: for the runtime's own part of the replicated state. */
export type CommandKind = "application" | "library";

export interface Command {
  readonly kind: CommandKind;
  /** Session under which it is applied once however often it comes; undefined, together with `sequence`, for none. */
  readonly session?: number | undefined;
  /** Of the command in its session. */
  readonly sequence?: number | undefined;
  readonly payload: Uint8Array;
}

const VERSION = 1;
const APPLICATION = 1;
const LIBRARY = 2;
const FLAG_SESSION = 1;

/** Commands of a turn lie side by side: a slab holds some 200 commands of 256 bytes. */
const SLAB_BYTES = 64 * 1024;
const sharedSlab = new ByteWriter(SLAB_BYTES);

/**
 * What anything else would be encoded as is not what was meant: a text's characters, for one, as so many zeros.
 * @throws BalsaError `invalid-argument`
 */
export function requireBytes(data: unknown): void {
  if (data instanceof Uint8Array) return;
  const what = data === null ? "null" : Array.isArray(data) ? "an array" : `of type ${typeof data}`;
  throw new BalsaError("invalid-argument", `a command is a Uint8Array, and this is ${what}: encode it first`);
}

/**
 * The payload is copied; the result is a view of a slab that is never written again.
 * @throws BalsaError `invalid-argument`
 */
export function encodeCommand(command: Command): Uint8Array {
  const { session, sequence, payload } = command;
  requireBytes(payload);
  if ((session === undefined) !== (sequence === undefined)) {
    throw new BalsaError("invalid-argument", "a command has both a session and a sequence, or neither");
  }
  if (session !== undefined) requireSafe(session);
  if (sequence !== undefined) requireSafe(sequence);
  const out = sharedSlab;
  invariant(out.length === 0, "a command is encoded in one go");
  out.u8((VERSION << 4) | (command.kind === "application" ? APPLICATION : LIBRARY));
  if (session !== undefined && sequence !== undefined) {
    out.u8(FLAG_SESSION);
    out.varint(session);
    out.varint(sequence);
  } else {
    out.u8(0);
  }
  out.raw(payload);
  return out.finish();
}

/**
 * The payload is a view of `data`. An empty entry is no command and must not come here.
 * @throws BalsaError `corrupt`
 */
export function decodeCommand(data: Uint8Array): Command {
  const reader = new ByteReader(data);
  const versionAndKind = reader.u8();
  if (versionAndKind >>> 4 !== VERSION) throw corrupt("a command is of no known version");
  const kind = commandKind(versionAndKind & 0x0f);
  const flags = reader.u8();
  if ((flags & ~FLAG_SESSION) !== 0) throw corrupt("a command has unknown flags");
  const hasSession = (flags & FLAG_SESSION) !== 0;
  const session = hasSession ? reader.varint() : undefined;
  const sequence = hasSession ? reader.varint() : undefined;
  return { kind, session, sequence, payload: reader.raw(reader.remaining) };
}

/** Whether an entry's data is a command of the library's, at the cost of a look at its first byte. */
export function isLibraryCommand(data: Uint8Array): boolean {
  return data.length > 0 && ((data[0] ?? 0) & 0x0f) === LIBRARY;
}

function commandKind(code: number): CommandKind {
  switch (code) {
    case APPLICATION:
      return "application";
    case LIBRARY:
      return "library";
    default:
      throw corrupt("a command is of no known kind");
  }
}

function requireSafe(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new BalsaError("invalid-argument", "a session or sequence is a safe integer, not negative");
  }
}
