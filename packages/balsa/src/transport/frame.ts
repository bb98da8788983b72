/**
 * What connections carry: frames, one after the other. Little-endian:
 *
 *   offset  bytes  field
 *        0      4  checksum      i32, crc32c over [4, checkedBytes)
 *        4      4  frameBytes    u32, the whole frame, at most the connection's limit
 *        8      4  checkedBytes  u32, from the frame's start; what follows carries checksums of its own (entry records)
 *       12      1  kind          see FRAME_CODES; never 0
 *       13      3  reserved      zero
 *       16      8  group         u64
 *       24      n  body
 *
 * The header never changes, so that members of different versions can tell each other so in their hellos.
 */
import { ByteReader, type ByteWriter, corrupt, crc32c, readI32 } from "../codec/index.js";

export const FRAME_HEADER_BYTES = 24;

const FRAME_CODES = {
  hello: 1,
  "hello-accepted": 2,
  "hello-refused": 3,
  ping: 4,
  pong: 5,
  messages: 6,
  forward: 7,
  "forward-answer": 8,
  "snapshot-offer": 9,
  "snapshot-piece": 10,
  "snapshot-acknowledged": 11,
  "snapshot-done": 12,
  "snapshot-failed": 13,
  request: 14,
  answer: 15,
  "snapshot-resumed": 16,
} as const;

export type FrameKind = keyof typeof FRAME_CODES;

const KINDS: ReadonlyMap<number, FrameKind> = new Map(
  (Object.keys(FRAME_CODES) as FrameKind[]).map((kind) => [FRAME_CODES[kind], kind]),
);

export interface Frame {
  readonly kind: FrameKind;
  readonly group: number;
  /** The part of the body that the frame's checksum covers: all of it, except in `messages`. */
  readonly checked: ByteReader;
  /** The rest. */
  readonly records: ByteReader;
}

/** Starts a frame in `out`. Returns where, for `endFrame`. */
export function beginFrame(out: ByteWriter, kind: FrameKind, group: number): number {
  const at = out.length;
  out.i32(0);
  out.u32(0);
  out.u32(0);
  out.u32(FRAME_CODES[kind]);
  out.u64(group);
  return at;
}

/** Ends the frame that began at `at`. `checkedEnd`: where what carries checksums of its own begins. */
export function endFrame(out: ByteWriter, at: number, checkedEnd: number = out.length): void {
  out.patchU32(at + 4, out.length - at);
  out.patchU32(at + 8, checkedEnd - at);
  out.patchI32(at, out.checksum(at + 4, checkedEnd));
}

/**
 * Takes bytes cut anywhere, gives whole frames. A frame that came in one piece is a view of it; one that came in
 * several is copied once, when its last byte is there. It holds no more than what has come, whatever lengths are claimed.
 */
export class FrameDecoder {
  /** Applies from the next header on. */
  frameBytesMax: number;
  /** What has not been given out yet, in order. The first from `#position` on. */
  #parts: Uint8Array[] = [];
  #position = 0;
  #available = 0;
  /** Of the frame at the front; 0 while its header is not there. */
  #frameBytes = 0;
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#available += bytes.length;
  }

  /**
   * The next frame, once it is there.
   * @throws BalsaError `corrupt`; the decoder is of no use afterwards
   */
  next(): Frame | undefined {
    if (this.#frameBytes === 0) {
      if (this.#available < FRAME_HEADER_BYTES) return undefined;
      this.#frameBytes = this.#claimedBytes();
    }
    if (this.#available < this.#frameBytes) return undefined;
    const bytes = this.#take(this.#frameBytes);
    this.#frameBytes = 0;
    return openFrame(bytes);
  }

  #claimedBytes(): number {
    const first = this.#parts[0];
    // As a rule the header came in one piece.
    const isWhole = first !== undefined && first.length - this.#position >= FRAME_HEADER_BYTES;
    const header = isWhole ? first : this.#joinedHeader();
    const at = isWhole ? this.#position : 0;
    const frameBytes = readI32(header, at + 4) >>> 0;
    const checkedBytes = readI32(header, at + 8) >>> 0;
    if (frameBytes > this.frameBytesMax) throw corrupt("a frame is larger than the limit");
    if (checkedBytes < FRAME_HEADER_BYTES || checkedBytes > frameBytes) throw corrupt("a frame's lengths do not fit");
    return frameBytes;
  }

  #joinedHeader(): Uint8Array {
    let filled = 0;
    let position = this.#position;
    for (const part of this.#parts) {
      const piece = part.subarray(position, position + FRAME_HEADER_BYTES - filled);
      this.#header.set(piece, filled);
      filled += piece.length;
      position = 0;
      if (filled === FRAME_HEADER_BYTES) break;
    }
    return this.#header;
  }

  /** That many bytes from the front, which are there. */
  #take(lengthBytes: number): Uint8Array {
    const first = this.#parts[0];
    this.#available -= lengthBytes;
    if (first !== undefined && this.#position === 0 && first.length === lengthBytes) {
      this.#dropParts(1, 0);
      return first;
    }
    if (first !== undefined && first.length - this.#position >= lengthBytes) {
      const bytes = first.subarray(this.#position, this.#position + lengthBytes);
      this.#position += lengthBytes;
      if (this.#position === first.length) this.#dropParts(1, 0);
      return bytes;
    }
    const bytes = new Uint8Array(lengthBytes);
    let filled = 0;
    let used = 0;
    let position = this.#position;
    for (const part of this.#parts) {
      const piece = part.subarray(position, position + lengthBytes - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      position += piece.length;
      if (position < part.length) break;
      used++;
      position = 0;
      if (filled === lengthBytes) break;
    }
    this.#dropParts(used, position);
    return bytes;
  }

  #dropParts(count: number, position: number): void {
    if (count === this.#parts.length) this.#parts = [];
    else this.#parts.splice(0, count);
    this.#position = position;
  }
}

function openFrame(bytes: Uint8Array): Frame {
  const checkedBytes = readI32(bytes, 8) >>> 0;
  if (crc32c(bytes, 4, checkedBytes, 0) !== readI32(bytes, 0)) throw corrupt("a frame's checksum does not fit");
  const kind = KINDS.get(readI32(bytes, 12));
  if (kind === undefined) throw corrupt("a frame is of no known kind");
  if (kind !== "messages" && checkedBytes !== bytes.length) throw corrupt("a frame's checksum does not cover it");
  const checked = new ByteReader(bytes, 16, checkedBytes);
  return {
    kind,
    group: checked.u64(),
    checked,
    records: new ByteReader(bytes, checkedBytes, bytes.length),
  };
}
