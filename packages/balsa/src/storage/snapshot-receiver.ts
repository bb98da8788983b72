import { ByteWriter, writeSnapshotMeta } from "../codec/index.js";
import type { SnapshotMeta } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import { storageFailure } from "./corruption.js";
import type { Identity } from "./identity.js";
import { loadSnapshotFrame, verifySnapshot } from "./snapshot-reader.js";
import type { SnapshotTarget } from "./snapshot-target.js";

/**
 * Takes a snapshot's file as a peer sends it, piece by piece. One call at a time. Once finished it is in its place, but
 * becomes current only by a write with that snapshot.
 */
export class SnapshotReceiver {
  readonly meta: SnapshotMeta;
  readonly #target: SnapshotTarget;
  readonly #identity: Identity;
  #position = 0;

  constructor(target: SnapshotTarget, identity: Identity, meta: SnapshotMeta) {
    this.#target = target;
    this.#identity = identity;
    this.meta = meta;
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

  /** Removes what was received. No effect after `finish`, or a second time. */
  abort(): Promise<void> {
    return this.#target.discard();
  }
}

/** Equal if their bytes are. */
function isSameMeta(a: SnapshotMeta, b: SnapshotMeta): boolean {
  const [left, right] = [encoded(a), encoded(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

function encoded(meta: SnapshotMeta): Uint8Array {
  const out = new ByteWriter(256);
  writeSnapshotMeta(out, meta);
  return out.finish();
}
