import type { SnapshotMeta } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { File } from "../platform/index.js";
import { storageFailure } from "./corruption.js";
import type { Identity } from "./identity.js";
import { SNAPSHOT_BLOCK_BYTES_MAX, SNAPSHOT_LIBRARY_BYTES_MAX } from "./limits.js";
import {
  BLOCK_HEADER_BYTES,
  type BlockKind,
  END_PAYLOAD_BYTES,
  encodeEnd,
  encodeSnapshotHeader,
  sealBlock,
} from "./snapshot-format.js";
import type { SnapshotTarget } from "./snapshot-target.js";

/**
 * Writes a snapshot block by block into a temporary file. One call at a time: each must settle before the next.
 * What it was given before `commit` counts for nothing.
 */
export class SnapshotWriter {
  readonly meta: SnapshotMeta;
  readonly #target: SnapshotTarget;
  readonly #file: File;
  /** The block that is being filled. */
  readonly #block: Uint8Array = new Uint8Array(BLOCK_HEADER_BYTES + SNAPSHOT_BLOCK_BYTES_MAX);
  #filled: number = BLOCK_HEADER_BYTES;
  #position: number;
  #checksum: number;
  #libraryBytes = 0;
  #applicationBytes = 0;

  private constructor(target: SnapshotTarget, meta: SnapshotMeta, headerBytes: number, headerChecksum: number) {
    this.meta = meta;
    this.#target = target;
    this.#file = target.file;
    this.#position = headerBytes;
    this.#checksum = headerChecksum;
  }

  /** Writes header and library section. */
  static async start(
    target: SnapshotTarget,
    identity: Identity,
    meta: SnapshotMeta,
    library: Uint8Array,
  ): Promise<SnapshotWriter> {
    if (library.length > SNAPSHOT_LIBRARY_BYTES_MAX) {
      throw new BalsaError("too-large", `a snapshot's library section of ${library.length} bytes is over the limit`);
    }
    const header = encodeSnapshotHeader(identity, meta);
    await target.file.write(0, [header.bytes]);
    const writer = new SnapshotWriter(target, meta, header.bytes.length, header.checksum);
    writer.#libraryBytes = library.length;
    await writer.#fill("library", library);
    await writer.#flush("library");
    return writer;
  }

  /** @throws BalsaError `storage-failed`; then only `abort` is left to do */
  async write(chunk: Uint8Array): Promise<void> {
    invariant(this.#target.isOpen, "a snapshot is written before it is committed or aborted");
    this.#applicationBytes += chunk.length;
    try {
      await this.#fill("application", chunk);
    } catch (cause) {
      throw storageFailure("writing a snapshot", cause);
    }
  }

  /**
   * Durable under its final name from here on.
   * @throws BalsaError `storage-failed`, StorageError `snapshot-out-of-date` (a newer one came meanwhile); nothing is
   * left of it then
   */
  async commit(): Promise<void> {
    invariant(this.#target.isOpen, "a snapshot is committed once, and not after it was aborted");
    try {
      await this.#flush("application");
      const sizes = {
        libraryBytes: this.#libraryBytes,
        applicationBytes: this.#applicationBytes,
        fileBytes: this.#position + BLOCK_HEADER_BYTES + END_PAYLOAD_BYTES,
      };
      await this.#file.write(this.#position, [encodeEnd(sizes, this.#checksum)]);
      await this.#target.finish();
    } catch (cause) {
      await this.#target.discard();
      throw storageFailure("writing a snapshot", cause);
    }
  }

  /** Removes what was written. No effect after `commit`, or a second time. */
  abort(): Promise<void> {
    return this.#target.discard();
  }

  async #fill(kind: BlockKind, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === this.#block.length) await this.#flush(kind);
    }
  }

  async #flush(kind: BlockKind): Promise<void> {
    if (this.#filled === BLOCK_HEADER_BYTES) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#checksum = sealBlock(block, kind, this.#checksum);
    await this.#file.write(this.#position, [block]);
    this.#position += block.length;
    this.#filled = BLOCK_HEADER_BYTES;
  }
}
