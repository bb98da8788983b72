import { corrupt } from "../codec/index.js";
import { BalsaError, type SnapshotMeta } from "../core/index.js";
import type { File } from "../platform/index.js";
import { located, storageFailure } from "./corruption.js";
import { loadFileHeader } from "./file-header.js";
import type { Identity } from "./identity.js";
import { SNAPSHOT_BLOCK_BYTES_MAX, SNAPSHOT_LIBRARY_BYTES_MAX } from "./limits.js";
import {
  BLOCK_HEADER_BYTES,
  type Block,
  decodeEnd,
  decodeSnapshotHeader,
  END_PAYLOAD_BYTES,
  readBlock,
  type SnapshotHeader,
  type SnapshotSizes,
} from "./snapshot-format.js";

const END_BYTES: number = BLOCK_HEADER_BYTES + END_PAYLOAD_BYTES;

/** What can be told of a snapshot without reading all of it. */
export interface SnapshotFrame {
  readonly header: SnapshotHeader;
  readonly sizes: SnapshotSizes;
}

/**
 * Verifies header, end and size.
 * @throws BalsaError `corrupt`, `identity-mismatch`; FileError
 */
export async function loadSnapshotFrame(file: File, path: string, identity: Identity): Promise<SnapshotFrame> {
  try {
    const header = decodeSnapshotHeader(await loadFileHeader(file), identity);
    const fileBytes = await file.sizeBytes();
    if (fileBytes < header.headerBytes + END_BYTES) throw corrupt("a snapshot is shorter than its header and end");
    const sizes = decodeEnd(readBlock(await file.read(fileBytes - END_BYTES, END_BYTES)));
    if (sizes.fileBytes !== fileBytes) throw corrupt("a snapshot is not as long as its end says");
    return { header, sizes };
  } catch (cause) {
    throw located(cause, path, 0);
  }
}

/** Reads the blocks of a file, one after the other, and checks that each follows the one before. */
class BlockCursor {
  readonly #file: File;
  readonly #path: string;
  #position: number;
  #checksum: number;

  constructor(file: File, path: string, position: number, checksum: number) {
    this.#file = file;
    this.#path = path;
    this.#position = position;
    this.#checksum = checksum;
  }

  get position(): number {
    return this.#position;
  }

  get point(): SnapshotPoint {
    return { position: this.#position, checksum: this.#checksum };
  }

  copy(): BlockCursor {
    return new BlockCursor(this.#file, this.#path, this.#position, this.#checksum);
  }

  /** @throws BalsaError `corrupt`, `storage-failed` */
  async next(): Promise<Block> {
    try {
      const bytes = await this.#file.read(this.#position, BLOCK_HEADER_BYTES + SNAPSHOT_BLOCK_BYTES_MAX);
      const block = readBlock(bytes);
      if (block.previousChecksum !== this.#checksum) throw corrupt("a block does not follow the one before it");
      this.#position += BLOCK_HEADER_BYTES + block.payload.length;
      this.#checksum = block.checksum;
      return block;
    } catch (cause) {
      throw storageFailure(`reading ${this.#path}`, located(cause, this.#path, this.#position));
    }
  }
}

/** Verifies every block, and that they add up to what the end says. */
export async function verifySnapshot(file: File, path: string, frame: SnapshotFrame): Promise<void> {
  const cursor = new BlockCursor(file, path, frame.header.headerBytes, frame.header.checksum);
  let libraryBytes = 0;
  let applicationBytes = 0;
  for (;;) {
    const block = await cursor.next();
    if (block.kind === "end") break;
    if (block.kind === "application") applicationBytes += block.payload.length;
    else if (applicationBytes === 0) libraryBytes += block.payload.length;
    else throw located(corrupt("a library block behind the application's"), path, cursor.position);
  }
  const { sizes } = frame;
  const fits =
    libraryBytes === sizes.libraryBytes &&
    applicationBytes === sizes.applicationBytes &&
    cursor.position === sizes.fileBytes;
  if (!fits) throw located(corrupt("a snapshot's sections are not as long as its end says"), path, cursor.position);
}

/** A place in a snapshot's file, and the checksum of the block that ends there: by the chain it covers all before it. */
export interface SnapshotPoint {
  readonly position: number;
  readonly checksum: number;
}

/** How far a file that may end anywhere holds sound blocks; not beyond its end block. @throws BalsaError `corrupt`; FileError */
export async function soundPart(file: File, path: string, header: SnapshotHeader): Promise<SnapshotPoint> {
  const cursor = new BlockCursor(file, path, header.headerBytes, header.checksum);
  for (;;) {
    const { point } = cursor;
    try {
      if ((await cursor.next()).kind === "end") return point;
    } catch (cause) {
      if (cause instanceof BalsaError && cause.code === "corrupt") return point;
      throw cause;
    }
  }
}

/** A stored snapshot, open. It can be read however often it is replaced or removed meanwhile. */
export class SnapshotReader {
  readonly meta: SnapshotMeta;
  /** What of the replicated state is not the application's. */
  readonly library: Uint8Array;
  /** Of the file as `readRaw` gives it: what a peer is sent. */
  readonly fileBytes: number;
  readonly #file: File;
  readonly #path: string;
  readonly #frame: SnapshotFrame;
  /** At the application's first block. */
  readonly #application: BlockCursor;
  readonly #closed: () => void;
  #isClosed = false;

  private constructor(
    file: File,
    path: string,
    frame: SnapshotFrame,
    library: Uint8Array,
    application: BlockCursor,
    closed: () => void,
  ) {
    this.#file = file;
    this.#path = path;
    this.#frame = frame;
    this.#application = application;
    this.#closed = closed;
    this.meta = frame.header.meta;
    this.library = library;
    this.fileBytes = frame.sizes.fileBytes;
  }

  /**
   * @param closed called once, when the reader is closed
   * @throws BalsaError `corrupt`, `storage-failed`
   */
  static async open(file: File, path: string, identity: Identity, closed: () => void): Promise<SnapshotReader> {
    const frame = await loadSnapshotFrame(file, path, identity);
    const { libraryBytes } = frame.sizes;
    if (libraryBytes > SNAPSHOT_LIBRARY_BYTES_MAX) {
      throw located(corrupt("a snapshot's library section is above the limit"), path, 0);
    }
    const library = new Uint8Array(libraryBytes);
    const cursor = new BlockCursor(file, path, frame.header.headerBytes, frame.header.checksum);
    for (let filled = 0; filled < libraryBytes; ) {
      const { kind, payload } = await cursor.next();
      if (kind !== "library" || payload.length > libraryBytes - filled) {
        throw located(corrupt("a snapshot's library section is not as long as its end says"), path, cursor.position);
      }
      library.set(payload, filled);
      filled += payload.length;
    }
    return new SnapshotReader(file, path, frame, library, cursor, closed);
  }

  /**
   * The application's section. Each piece was verified before it is handed out.
   * @throws BalsaError `corrupt`, `storage-failed`
   */
  async *content(): AsyncGenerator<Uint8Array, void, undefined> {
    const cursor = this.#application.copy();
    let left = this.#frame.sizes.applicationBytes;
    while (left > 0) {
      const { kind, payload } = await cursor.next();
      if (kind !== "application" || payload.length > left) {
        throw located(corrupt("a snapshot's content is not as long as its end says"), this.#path, cursor.position);
      }
      left -= payload.length;
      yield payload;
    }
    const { kind } = await cursor.next();
    if (kind !== "end") {
      throw located(corrupt("a snapshot's content is longer than its end says"), this.#path, cursor.position);
    }
  }

  /**
   * Bytes of the file, fewer only at its end.
   * @throws BalsaError `storage-failed`
   */
  async readRaw(position: number, lengthBytes: number): Promise<Uint8Array> {
    try {
      return await this.#file.read(position, lengthBytes);
    } catch (cause) {
      throw storageFailure(`reading ${this.#path}`, cause);
    }
  }

  /**
   * Whether this file up to `point` is what another one is up to there, as far as checksums tell.
   * @throws BalsaError `storage-failed`
   */
  async agreesWith({ position, checksum }: SnapshotPoint): Promise<boolean> {
    // The block that begins there says which one it follows.
    const bytes = await this.readRaw(position, BLOCK_HEADER_BYTES);
    if (bytes.length < BLOCK_HEADER_BYTES) return false;
    return new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, true) === checksum;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#file.close();
    } catch (cause) {
      throw storageFailure(`closing ${this.#path}`, cause);
    } finally {
      this.#closed();
    }
  }
}
