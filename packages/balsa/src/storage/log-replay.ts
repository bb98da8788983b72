import { ENTRY_HEADER_BYTES, isRecordOf } from "../codec/index.js";
import type { HardState } from "../core/index.js";
import { type Batch, IdentityCursor, readBatchEntries, type SegmentImage } from "./batch.js";
import type { Damage } from "./corruption.js";
import type { SnapshotName } from "./data-directory.js";
import { EntryIndex } from "./entry-index.js";

/**
 * The log as its batches, one after the other, make it: entries that replace others, and snapshots that replace all.
 * A pure function of the bytes. The entries themselves are checked and not kept: the index says where they are.
 */
export class LogReplay {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  readonly index: EntryIndex;
  /** Segment whose first batch replaced the log by a snapshot, the last one; 0 = none. */
  resetIn = 0;
  readonly #identities = new IdentityCursor();

  constructor(previousIndex: number, previousTerm: number) {
    this.index = new EntryIndex(previousIndex, previousTerm);
  }

  get lastIndex(): number {
    return this.index.lastIndex;
  }

  /**
   * Takes all of the batch, or, if there is anything wrong with it, nothing.
   * @param body `unread`: its head alone is looked at; its entries will be checked when they are read
   */
  apply(image: SegmentImage, batch: Batch, body: "checked" | "unread"): Damage | undefined {
    const { state, offset } = batch;
    if (!state.reset && (state.previousIndex !== this.lastIndex || state.previousTerm !== this.#lastTerm)) {
      return this.#damage(image, offset, "a batch that does not follow the log before it");
    }
    const identities = this.#identities;
    const damage = body === "checked" ? checkRecords(image, batch, identities) : undefined;
    if (damage !== undefined) return damage;
    let last = state.previousIndex;
    for (identities.begin(image, batch); identities.next(); last = identities.index) {
      if (identities.index > last + 1) return this.#damage(image, offset, "a batch whose entries leave a gap");
    }
    if (state.commit > last) return this.#damage(image, offset, "a commit index behind the end of the log");

    if (state.reset) {
      this.index.reset(state.previousIndex, state.previousTerm);
      this.resetIn = image.segment;
    }
    let position = offset + batch.headBytes;
    for (identities.begin(image, batch); identities.next(); ) {
      const { index, term, payloadBytes } = identities;
      const recordBytes = ENTRY_HEADER_BYTES + payloadBytes;
      if (index >= this.index.firstIndex) this.index.append(index, term, image.segment, position, recordBytes);
      // What is replaced here lies in a segment that is not read. All of it is behind the snapshot: a replay begins with
      // a segment whose previousIndex is. The term before this entry is not known, so the log begins behind it.
      else this.index.reset(index, term);
      position += recordBytes;
    }
    this.hardState = { term: state.term, vote: state.vote, commit: state.commit };
    return undefined;
  }

  /**
   * Whether the log says that this snapshot is of its own past: it holds the entry, or begins right behind it.
   * The empty snapshot, of index 0, is of every log's past that has not been cut.
   */
  vouchesFor(snapshot: SnapshotName): boolean {
    const { firstIndex, lastIndex } = this.index;
    if (snapshot.index < firstIndex - 1 || snapshot.index > lastIndex) return false;
    return this.index.term(snapshot.index) === snapshot.term;
  }

  get #lastTerm(): number {
    return this.index.term(this.index.lastIndex);
  }

  #damage(image: SegmentImage, offset: number, reason: string): Damage {
    return { file: image.path, offset, index: this.lastIndex + 1, reason };
  }
}

/** Each entry by its own checksum and against its identity. Nothing is made of them: few will be needed. */
function checkRecords(image: SegmentImage, batch: Batch, identities: IdentityCursor): Damage | undefined {
  const { view, bytes, identity } = image;
  const bodyAt = batch.offset + batch.headBytes;
  let at = bodyAt;
  let isSound = true;
  for (identities.begin(image, batch); isSound && identities.next(); ) {
    const { index, term, checksum, payloadBytes } = identities;
    isSound = isRecordOf(view, bytes, at, identity.group, index, term, checksum, payloadBytes);
    at += ENTRY_HEADER_BYTES + payloadBytes;
  }
  // Somebody else says what is wrong, and reads it all for that.
  return isSound && at === bodyAt + batch.bodyBytes ? undefined : readBatchEntries(image, batch, []);
}
