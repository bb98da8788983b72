/**
 * The sessions in a snapshot, before the state machine's own content. In pieces, each u32 length and so many bytes:
 *
 *   first     u8 version (now 1), varint sessionsMax, resultsMax, resultBytesMax
 *   then      sessions, the least recently used first, as many as fit: varint ID, varint oldest sequence awaited,
 *             varint count of results, and of each a varint sequence, varint length and the answer as it was given
 *   last      length 0
 */
import { ByteReader, ByteWriter, corrupt } from "../codec/index.js";
import { BalsaError, invariant } from "../core/index.js";
import { ANSWER_OVERHEAD_BYTES, SECTION_PIECE_BYTES, SESSION_OVERHEAD_BYTES, SLOT_OVERHEAD_BYTES } from "./limits.js";
import type { SessionLimits } from "./session-limits.js";
import type { Session, Slot } from "./session-table.js";
import type { StreamReader } from "./stream-reader.js";

const VERSION = 1;
const LENGTH_BYTES = 4;

export function* writeSessionSection(sessions: readonly Session[], limits: SessionLimits): Iterable<Uint8Array> {
  const out = new ByteWriter(SECTION_PIECE_BYTES);
  out.skip(LENGTH_BYTES);
  out.u8(VERSION);
  out.varint(limits.sessionsMax);
  out.varint(limits.resultsMax);
  out.varint(limits.resultBytesMax);
  yield finishPiece(out);
  out.skip(LENGTH_BYTES);
  for (const session of sessions) {
    writeSession(out, session);
    if (out.length < SECTION_PIECE_BYTES) continue;
    yield finishPiece(out);
    out.skip(LENGTH_BYTES);
  }
  if (out.length > LENGTH_BYTES) {
    yield finishPiece(out);
    out.skip(LENGTH_BYTES);
  }
  yield out.finish();
}

/** @throws BalsaError `corrupt`; `invalid-argument`, if it was written under other limits than these */
export async function readSessionSection(stream: StreamReader, limits: SessionLimits): Promise<readonly Session[]> {
  checkHeader(await readPiece(stream, limits), limits);
  const sessions: Session[] = [];
  const ids = new Set<number>();
  for (;;) {
    const piece = await readPiece(stream, limits);
    if (piece.remaining === 0) return sessions;
    while (piece.remaining > 0) {
      const session = readSession(piece, limits);
      if (ids.has(session.id)) throw corrupt("a session is in its snapshot twice");
      if (sessions.length >= limits.sessionsMax) throw corrupt("a snapshot has more sessions than its limit");
      ids.add(session.id);
      sessions.push(session);
    }
  }
}

function checkHeader(header: ByteReader, limits: SessionLimits): void {
  if (header.u8() !== VERSION) throw corrupt("a snapshot's sessions are of no known version");
  for (const option of ["sessionsMax", "resultsMax", "resultBytesMax"] as const) {
    const taken = header.varint();
    if (taken === limits[option]) continue;
    throw new BalsaError(
      "invalid-argument",
      `option ${option} is ${limits[option]}, and the snapshot was taken with ${taken}: it can't change`,
    );
  }
  header.expectEnd();
}

function writeSession(out: ByteWriter, { id, oldestAwaited, slots }: Session): void {
  out.varint(id);
  out.varint(oldestAwaited);
  out.varint(slots.size);
  for (const [sequence, { answer }] of slots) {
    invariant(answer !== undefined, "sessions: a snapshot is taken while nothing runs");
    out.varint(sequence);
    out.bytes(answer);
  }
}

function readSession(reader: ByteReader, { resultsMax, resultBytesMax }: SessionLimits): Session {
  const id = reader.varint();
  const oldestAwaited = reader.varint();
  if (oldestAwaited < 1) throw corrupt("a session's sequence begins at 1");
  const slots = new Map<number, Slot>();
  for (let left = reader.count(resultsMax, 2); left > 0; left--) {
    const sequence = reader.varint();
    if (sequence < oldestAwaited) throw corrupt("a session holds a result that nobody awaits");
    if (slots.has(sequence)) throw corrupt("a session holds two results of one command");
    // A copy: what is held must not keep the piece that it came in.
    slots.set(sequence, { answer: reader.lengthPrefixed(ANSWER_OVERHEAD_BYTES + resultBytesMax).slice() });
  }
  return { id, oldestAwaited, slots };
}

function finishPiece(out: ByteWriter): Uint8Array {
  out.patchU32(0, out.length - LENGTH_BYTES);
  return out.finish();
}

async function readPiece(stream: StreamReader, { resultsMax, resultBytesMax }: SessionLimits): Promise<ByteReader> {
  const lengthBytes = new ByteReader(await stream.read(LENGTH_BYTES)).u32();
  const slotBytesMax = SLOT_OVERHEAD_BYTES + ANSWER_OVERHEAD_BYTES + resultBytesMax;
  const sessionBytesMax = SESSION_OVERHEAD_BYTES + resultsMax * slotBytesMax;
  if (lengthBytes > SECTION_PIECE_BYTES + sessionBytesMax)
    throw corrupt("a piece of a snapshot's sessions is too long");
  return new ByteReader(await stream.read(lengthBytes));
}
