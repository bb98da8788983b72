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

/** The codes of the kinds. */
export const FRAME_CODES = {
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

/** By code. */
const KINDS: readonly (FrameKind | undefined)[] = kindsByCode();

function kindsByCode(): (FrameKind | undefined)[] {
  const kinds: (FrameKind | undefined)[] = [undefined];
  for (const kind of Object.keys(FRAME_CODES) as FrameKind[]) kinds[FRAME_CODES[kind]] = kind;
  return kinds;
}

const NO_BYTES = new Uint8Array(0);
/** As long as it takes to make a view and to copy that: 0.1 µs. */
const LOOP_BYTES_MAX = 100;

/** There is nothing to be read, so that all may share it. */
const NO_RECORDS = new ByteReader(NO_BYTES);

export interface Frame {
  readonly kind: FrameKind;
  readonly group: number;
  /** The part of the body that the frame's checksum covers: all of it, except in `messages`. */
  readonly checked: ByteReader;
  /** The rest. */
  readonly records: ByteReader;
}

/** Starts a frame in `out`, of the kind with that code. Returns where, for `endFrame`. */
export function beginFrame(out: ByteWriter, code: number, group: number): number {
  const at = out.length;
  out.i32(0);
  out.u32(0);
  out.u32(0);
  out.u32(code);
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
  /** What comes next, from `#position` on: as a rule all that there is. */
  #front: Uint8Array = NO_BYTES;
  #position = 0;
  /** What follows it, in order. */
  readonly #later: Uint8Array[] = [];
  /** Bytes that have not been given out yet. */
  #available = 0;
  /** Of the frame at the front; 0 while its header is not there. */
  #frameBytes = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#available === 0) this.#front = bytes;
    else this.#later.push(bytes);
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
    const lengthBytes = this.#frameBytes;
    if (this.#available < lengthBytes) return undefined;
    this.#frameBytes = 0;
    return openFrame(this.#take(lengthBytes));
  }

  #claimedBytes(): number {
    // As a rule the header came in one piece.
    const isWhole = this.#front.length - this.#position >= FRAME_HEADER_BYTES;
    const header = isWhole ? this.#front : this.#joined(FRAME_HEADER_BYTES);
    const at = isWhole ? this.#position : 0;
    const frameBytes = readI32(header, at + 4) >>> 0;
    const checkedBytes = readI32(header, at + 8) >>> 0;
    if (frameBytes > this.frameBytesMax) throw corrupt("a frame is larger than the limit");
    if (checkedBytes < FRAME_HEADER_BYTES || checkedBytes > frameBytes) throw corrupt("a frame's lengths do not fit");
    return frameBytes;
  }

  /** That many bytes from the front, which are there. */
  #take(lengthBytes: number): Uint8Array {
    const front = this.#front;
    const start = this.#position;
    const end = start + lengthBytes;
    const isWhole = start === 0 && end === front.length;
    const bytes = isWhole ? front : end <= front.length ? front.subarray(start, end) : this.#joined(lengthBytes);
    this.#drop(lengthBytes);
    return bytes;
  }

  /** A copy of that many bytes from the front. */
  #joined(lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    let filled = copyPart(bytes, 0, this.#front, this.#position);
    for (let i = 0; filled < lengthBytes; i++) filled = copyPart(bytes, filled, this.#later[i] as Uint8Array, 0);
    return bytes;
  }

  /** Forgets that many bytes at the front. */
  #drop(lengthBytes: number): void {
    this.#available -= lengthBytes;
    this.#position += lengthBytes;
    if (this.#position < this.#front.length) return;
    let used = 0;
    while (this.#position >= this.#front.length && used < this.#later.length) {
      this.#position -= this.#front.length;
      this.#front = this.#later[used++] as Uint8Array;
    }
    if (used > 0) this.#later.splice(0, used);
    if (this.#available > 0) return;
    this.#front = NO_BYTES;
    this.#position = 0;
  }
}

/** Fills `to` on from `filled` with what `part` has from `start` on, and has room. Returns how far it is filled. */
function copyPart(to: Uint8Array, filled: number, part: Uint8Array, start: number): number {
  const lengthBytes = Math.min(to.length - filled, part.length - start);
  if (lengthBytes > LOOP_BYTES_MAX) {
    to.set(part.subarray(start, start + lengthBytes), filled);
  } else {
    for (let i = 0; i < lengthBytes; i++) to[filled + i] = part[start + i] as number;
  }
  return filled + lengthBytes;
}

function openFrame(bytes: Uint8Array): Frame {
  const checkedBytes = readI32(bytes, 8) >>> 0;
  if (crc32c(bytes, 4, checkedBytes, 0) !== readI32(bytes, 0)) throw corrupt("a frame's checksum does not fit");
  const code = readI32(bytes, 12);
  const kind = code > 0 && code < KINDS.length ? KINDS[code] : undefined;
  if (kind === undefined) throw corrupt("a frame is of no known kind");
  if (kind !== "messages" && checkedBytes !== bytes.length) throw corrupt("a frame's checksum does not cover it");
  const checked = new ByteReader(bytes, 16, checkedBytes);
  return {
    kind,
    group: checked.u64(),
    checked,
    records: checkedBytes === bytes.length ? NO_RECORDS : new ByteReader(bytes, checkedBytes, bytes.length),
  };
}
