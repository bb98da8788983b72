import { invariant } from "balsa/core";
import type { ByteString } from "./byte-string.js";

/** What a write says of a key. */
export interface KeyWrite {
  readonly key: ByteString;
  readonly value: ByteString;
  /** 64 bits; 0 = none. */
  readonly lease: bigint;
  /** Revision at which this life of the key began; 0 for a tombstone. */
  readonly createRevision: number;
  readonly modRevision: number;
  /** Position among the changes of its transaction, from 0. */
  readonly sub: number;
  /** 1 for the first write of a life; 0 = a tombstone, which ends it. */
  readonly version: number;
}

/**
 * One version of a key, linked to the one before it. Never changed once made: whoever holds one has the key's history
 * up to there for good, whatever is written meanwhile.
 *
 * `jump` skips back over many versions such that any older one is found in O(log n) steps (E. Myers, "An applicative
 * random-access stack", 1983): a key that was written a million times answers an old revision as fast as the others.
 */
export class KeyVersion implements KeyWrite {
  readonly key: ByteString;
  readonly value: ByteString;
  readonly lease: bigint;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly sub: number;
  readonly version: number;
  /** The version before, a tombstone perhaps; undefined: none, or compacted. */
  readonly previous: KeyVersion | undefined;
  private readonly jump: KeyVersion | undefined;
  /** Versions in the chain, this one included. */
  private readonly depth: number;

  constructor(write: KeyWrite, previous: KeyVersion | undefined) {
    this.key = write.key;
    this.value = write.value;
    this.lease = write.lease;
    this.createRevision = write.createRevision;
    this.modRevision = write.modRevision;
    this.sub = write.sub;
    this.version = write.version;
    this.previous = previous;
    this.depth = KeyVersion.depthOf(previous) + 1;
    this.jump = previous === undefined ? undefined : KeyVersion.jumpOver(previous);
  }

  get isTombstone(): boolean {
    return this.version === 0;
  }

  /** The newest version of this chain at or before `revision`; undefined: the key had none. */
  asOf(revision: number): KeyVersion | undefined {
    let at: KeyVersion | undefined = this;
    while (at !== undefined && at.modRevision > revision) {
      at = at.jump !== undefined && at.jump.modRevision > revision ? at.jump : at.previous;
    }
    return at;
  }

  /**
   * This chain without what nobody may ask for any more: of the versions up to `revision` the newest stays, unless it is
   * a tombstone. The same object if nothing goes; undefined if nothing stays.
   */
  withoutBefore(revision: number): KeyVersion | undefined {
    const oldest = this.asOf(revision);
    if (oldest === undefined || (oldest.previous === undefined && !oldest.isTombstone)) return this;
    const newer: KeyVersion[] = [];
    for (let at: KeyVersion = this; at !== oldest; ) {
      newer.push(at);
      invariant(at.previous !== undefined, "key version: as-of lies on the chain");
      at = at.previous;
    }
    let kept = oldest.isTombstone ? undefined : new KeyVersion(oldest, undefined);
    for (const version of newer.reverse()) kept = new KeyVersion(version, kept);
    return kept;
  }

  /** Of all versions of the chain; see sizeBytes. */
  get chainBytes(): number {
    let bytes = 0;
    for (let at: KeyVersion | undefined = this; at !== undefined; at = at.previous) bytes += at.sizeBytes;
    return bytes;
  }

  /** Bytes that it accounts for, by rule and not by measurement: the same on every member. */
  get sizeBytes(): number {
    return VERSION_OVERHEAD_BYTES + this.key.length + this.value.length;
  }

  private static depthOf(version: KeyVersion | undefined): number {
    return version === undefined ? 0 : version.depth;
  }

  /** Where the version after `previous` jumps to: over the last two jumps if they are equally long, else one back. */
  private static jumpOver(previous: KeyVersion): KeyVersion | undefined {
    const first = previous.jump;
    const second = first?.jump;
    const firstLength = previous.depth - KeyVersion.depthOf(first);
    const secondLength = KeyVersion.depthOf(first) - KeyVersion.depthOf(second);
    return firstLength === secondLength ? second : previous;
  }
}

/** Object, links and numbers of one version, rounded. */
const VERSION_OVERHEAD_BYTES = 128;
