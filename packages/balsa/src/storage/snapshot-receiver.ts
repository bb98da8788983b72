import { ByteWriter, writeSnapshotMeta } from "../codec/index.js";
import type { SnapshotMeta } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import { storageFailure } from "./corruption.js";
import type { Identity } from "./identity.js";
import { loadSnapshotFrame, type SnapshotPoint, verifySnapshot } from "./snapshot-reader.js";
import type { SnapshotTarget } from "./snapshot-target.js";

/**
 * Takes a snapshot's file as a peer sends it, piece by piece. One call at a time. Once finished it is in its place, but
 * becomes current only by a write with that snapshot.
 */
export class SnapshotReceiver {
  readonly meta: SnapshotMeta;
  /** What is there from an earlier try, each block verified; undefined = nothing. */
  readonly resumed: SnapshotPoint | undefined;
  readonly #target: SnapshotTarget;
  readonly #identity: Identity;
  /** Of what may be kept. */
  readonly #suspended: (temporaryPath: string) => void;
  #position: number;

  constructor(
    target: SnapshotTarget,
    identity: Identity,
    meta: SnapshotMeta,
    resumed: SnapshotPoint | undefined,
    suspended: (temporaryPath: string) => void,
  ) {
    this.#target = target;
    this.#identity = identity;
    this.#suspended = suspended;
    this.#position = resumed?.position ?? 0;
    this.meta = meta;
    this.resumed = resumed;
  }

  /** What is there is not a part of the file that comes now. @throws BalsaError `storage-failed` */
  async restart(): Promise<void> {
    try {
      await this.#target.file.truncate(0);
    } catch (cause) {
      throw storageFailure("receiving a snapshot", cause);
    }
    this.#position = 0;
  }

  /** @throws BalsaError `storage-failed`; then only `abort` is left to do */
  async write(bytes: Uint8Array): Promise<void> {
    invariant(this.#target.isOpen, "a snapshot is received before it is finished or aborted");
    try {
      await this.#target.file.write(this.#position, [bytes]);
    } catch (cause) {
      throw storageFailure("receiving a snapshot", cause);
    }
    this.#position += bytes.length;
  }

  /**
   * Verifies all of it, and makes it durable under its final name.
   * @throws BalsaError `corrupt`, `identity-mismatch`, `storage-failed`, StorageError `snapshot-out-of-date`; nothing is
   * left of it then
   */
  async finish(): Promise<void> {
    invariant(this.#target.isOpen, "a snapshot is finished once, and not after it was aborted");
    const { file } = this.#target;
    try {
      const frame = await loadSnapshotFrame(file, file.path, this.#identity);
      if (!isSameMeta(frame.header.meta, this.meta)) {
        throw new BalsaError("corrupt", "a snapshot is not the one that was announced");
      }
      await verifySnapshot(file, file.path, frame);
      await this.#target.finish();
    } catch (cause) {
      await this.#target.discard();
      throw storageFailure("receiving a snapshot", cause);
    }
  }

  /** The rest does not come now: what was received is kept for the next try, until a newer snapshot is current. */
  async suspend(): Promise<void> {
    if (!this.#target.isOpen) return;
    const { path } = this.#target.file;
    await this.#target.leave();
    this.#suspended(path);
  }

  /** Removes what was received. No effect after `finish`, or a second time. */
  abort(): Promise<void> {
    return this.#target.discard();
  }
}

/** Equal if their bytes are. */
export function isSameMeta(a: SnapshotMeta, b: SnapshotMeta): boolean {
  const [left, right] = [encoded(a), encoded(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function encoded(meta: SnapshotMeta): Uint8Array {
  const out = new ByteWriter(256);
  writeSnapshotMeta(out, meta);
  return out.finish();
}
