/**
 * From the files of a log to what it says. Reads only (docs/storage-format.md, "Reading, and what is torn and what is
 * corrupt").
 */
import type { HardState } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import type { Batch, SegmentImage } from "./batch.js";
import { corruption, type Damage, isDamage, storageFailure } from "./corruption.js";
import { type DataPaths, listSegments, type SegmentListing, type SnapshotName, segmentPath } from "./data-directory.js";
import type { EntryIndex } from "./entry-index.js";
import type { Identity } from "./identity.js";
import { LogReplay } from "./log-replay.js";
import { SEGMENT_HEADER_BYTES, type SegmentHeader, type SegmentLink } from "./segment-header.js";
import { SegmentLoader } from "./segment-loader.js";
import { replayClosed, replayNewest } from "./segment-replay.js";

/** A segment as the running log knows it. */
export interface SegmentSpan {
  readonly segment: number;
  /** Last index of the log before it: with a snapshot of that index, nothing before the segment is needed. */
  readonly previousIndex: number;
}

export interface RecoveredLog {
  readonly hardState: HardState;
  /** Of index 0 = none. */
  readonly snapshot: SnapshotName;
  /**
   * Of all entries that are there, also of those that lie before the snapshot. What is behind the snapshot was checked;
   * of what is before it the batches' heads were.
   */
  readonly index: EntryIndex;
  /** Segments that stay in the log, rising. */
  readonly spans: readonly SegmentSpan[];
  /** The last batch, which the fresh segment repeats, and the link to what is before it. */
  readonly last: { readonly image: SegmentImage; readonly batch: Batch; readonly isTerminated: boolean };
  readonly link: SegmentLink;
  readonly nextSegment: number;
  /** A crash's trace at the end of the log. */
  readonly torn: Damage | undefined;
  /** What is wrong with a segment that only holds what the snapshot holds too: the log begins behind it. */
  readonly damagedBefore: BalsaError | undefined;
  /** Segments that are not, or no longer, part of the log. */
  readonly unlinked: readonly number[];
  /** Numbers of prepared files that no segment was made of yet. */
  readonly spares: readonly number[];
  /** Paths of segments and spares that were never finished. */
  readonly temporaries: readonly string[];
}

/** No snapshot: what a log needs that reaches back to its beginning. */
const NO_SNAPSHOT: SnapshotName = { index: 0, term: 0 };

/**
 * @param snapshots sound ones, the newest first
 * @param keepEntries before the snapshot, that are taken up as well if they are there
 * @throws BalsaError `corrupt`, `identity-mismatch`; FileError
 */
export async function recoverLog(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  snapshots: readonly SnapshotName[],
  keepEntries: number,
): Promise<RecoveredLog> {
  const listing = await listSegments(files, paths);
  const { segments } = listing;
  const newest = segments.at(-1);
  if (newest === undefined) throw corruption({ file: paths.log, offset: 0, reason: "no segment of the log is there" });
  const loader = new SegmentLoader(files, paths, identity);
  const oldestIndex = snapshots.at(-1)?.index ?? 0;
  let missing: Damage | undefined;
  for (const snapshot of [...snapshots, NO_SNAPSHOT]) {
    const needed = [await loader.header(newest)];
    missing = undefined;
    for (let first = needed[0]; first !== undefined && first.previousIndex > snapshot.index; first = needed[0]) {
      const { previous } = first;
      if (!segments.includes(previous.segment)) {
        missing = missingSegment(paths, first);
        break;
      }
      needed.unshift(await loader.header(previous.segment));
    }
    if (missing !== undefined) continue;
    const keepIndex = Math.max(0, snapshot.index - keepEntries);
    const before = await headersBefore(needed[0], segments, Math.min(oldestIndex, keepIndex), loader);
    const recovered = await replayChain({ needed, before, keepIndex, listing }, snapshot, loader);
    if (recovered !== undefined) return recovered;
  }
  throw corruption(missing ?? { file: paths.snapshots, offset: 0, reason: "the snapshot before the log is not there" });
}

/** Segments of a log, rising. */
interface Chain {
  /** They hold all that is behind the snapshot. */
  readonly needed: readonly SegmentHeader[];
  /** They hold what is before it: for peers that are behind, and for the case that the snapshot turns out to be damaged. */
  readonly before: readonly SegmentHeader[];
  /** The log is taken up behind this index. */
  readonly keepIndex: number;
  readonly listing: SegmentListing;
}

/** Of the segments before `first` those that are sound and hold anything above `index`. */
async function headersBefore(
  first: SegmentHeader | undefined,
  segments: readonly number[],
  index: number,
  loader: SegmentLoader,
): Promise<readonly SegmentHeader[]> {
  const before: SegmentHeader[] = [];
  for (let at = first; at !== undefined && at.previousIndex > index; at = before[0]) {
    if (!segments.includes(at.previous.segment)) break;
    try {
      before.unshift(await loader.header(at.previous.segment));
    } catch (cause) {
      if (isDamage(cause)) break;
      throw cause;
    }
  }
  return before;
}

function missingSegment(paths: DataPaths, first: SegmentHeader): Damage {
  const { previous, previousIndex, previousTerm } = first;
  const file = segmentPath(paths, previous.segment);
  const reason = "the segment is missing, and no snapshot holds what was in it";
  return { file, offset: 0, index: previousIndex, term: previousTerm, reason };
}

/** undefined: the log that these segments hold does not vouch for the snapshot. */
async function replayChain(
  { needed, before, keepIndex, listing: { segments, spares, temporaries } }: Chain,
  snapshot: SnapshotName,
  loader: SegmentLoader,
): Promise<RecoveredLog | undefined> {
  const [firstNeeded] = needed;
  const newestHeader = needed.at(-1);
  if (firstNeeded === undefined || newestHeader === undefined) return undefined;
  const from = before.findLastIndex(({ previousIndex }) => previousIndex <= keepIndex);
  const kept = firstNeeded.previousIndex <= keepIndex ? [] : before.slice(Math.max(0, from));
  const { replay, damaged: damagedBefore } = await replayBefore(kept, firstNeeded, loader);
  for (const [i, header] of needed.slice(0, -1).entries()) {
    const successor = needed[i + 1];
    // One at a time: what was replayed is not kept.
    if (successor !== undefined) replayClosed(await loader.segment(header), successor.previous, replay);
  }
  const newest = await loader.segment(newestHeader);
  const { last, torn } = replayNewest(newest, replay);
  if (!replay.vouchesFor(snapshot)) return undefined;
  if (keepIndex >= replay.index.firstIndex) replay.index.compact(keepIndex);
  const chain = [...before, ...needed].filter(({ segment }) => segment >= replay.resetIn);

  const emptied = last.offset === SEGMENT_HEADER_BYTES;
  const { segment, previous } = newest.header;
  const spans: SegmentSpan[] = [];
  for (const { segment: number, previousIndex } of emptied ? chain.slice(0, -1) : chain) {
    spans.push({ segment: number, previousIndex });
  }
  const { term, vote, commit } = replay.hardState;
  return {
    // What a snapshot holds was committed, whether or not a commit index that says so was ever synced.
    hardState: { term, vote, commit: Math.max(commit, snapshot.index) },
    snapshot,
    index: replay.index,
    spans,
    last: { image: newest.image, batch: last, isTerminated: newest.header.isTerminated },
    link: emptied ? previous : { segment, end: last.offset, checksum: last.previousChecksum },
    nextSegment: segment + 1,
    torn,
    damagedBefore,
    unlinked: segments.filter((number) => !spans.some((span) => span.segment === number)),
    spares,
    temporaries,
  };
}

interface ReplayBefore {
  readonly replay: LogReplay;
  readonly damaged: BalsaError | undefined;
}

/** Takes up what is left of the log before `firstNeeded`: as far back as it is sound. */
async function replayBefore(
  before: readonly SegmentHeader[],
  firstNeeded: SegmentHeader,
  loader: SegmentLoader,
): Promise<ReplayBefore> {
  const [first = firstNeeded] = before;
  let replay = new LogReplay(first.previousIndex, first.previousTerm);
  let damaged: BalsaError | undefined;
  for (const [i, header] of before.entries()) {
    const successor = before[i + 1] ?? firstNeeded;
    try {
      replayClosed(await loader.segment(header), successor.previous, replay, "unread");
    } catch (cause) {
      const damage = isDamage(cause) ? storageFailure("reading the log", cause) : undefined;
      if (!(damage instanceof BalsaError)) throw cause;
      damaged = damage;
      replay = new LogReplay(successor.previousIndex, successor.previousTerm);
    }
  }
  return { replay, damaged };
}
