/**
 * From the files of a log to what it says. Reads only (docs/storage-format.md, "Reading, and what is torn and what is
 * corrupt").
 */
import { corrupt } from "../codec/index.js";
import type { Entry, HardState } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import type { Batch, SegmentImage } from "./batch.js";
import { corruption, type Damage, located } from "./corruption.js";
import { type DataPaths, listSegments, type SegmentListing, type SnapshotName, segmentPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { SEGMENT_FILE_BYTES_MAX } from "./limits.js";
import { LogReplay } from "./log-replay.js";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentLink } from "./segment-header.js";
import { replayClosed, replayNewest, type Segment } from "./segment-replay.js";

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
  /** Behind the snapshot. */
  readonly entries: readonly Entry[];
  /** Segments that stay in the log, rising. */
  readonly spans: readonly SegmentSpan[];
  /** The last batch, which the fresh segment repeats, and the link to what is before it. */
  readonly last: { readonly image: SegmentImage; readonly batch: Batch };
  readonly link: SegmentLink;
  readonly nextSegment: number;
  /** A crash's trace at the end of the log. */
  readonly torn: Damage | undefined;
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
 * @throws BalsaError `corrupt`, `identity-mismatch`; FileError
 */
export async function recoverLog(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  snapshots: readonly SnapshotName[],
): Promise<RecoveredLog> {
  const listing = await listSegments(files, paths);
  const { segments } = listing;
  const newest = segments.at(-1);
  if (newest === undefined) throw corruption({ file: paths.log, offset: 0, reason: "no segment of the log is there" });
  const loaded = new Map<number, Segment>();
  const load = async (number: number): Promise<Segment> => {
    const segment = loaded.get(number) ?? (await loadSegment(files, paths, identity, number));
    loaded.set(number, segment);
    return segment;
  };
  let missing: Damage | undefined;
  for (const snapshot of [...snapshots, NO_SNAPSHOT]) {
    const chain = [await load(newest)];
    missing = undefined;
    for (let first = chain[0]; first !== undefined && first.header.previousIndex > snapshot.index; first = chain[0]) {
      const { previous } = first.header;
      if (!segments.includes(previous.segment)) {
        missing = missingSegment(paths, first);
        break;
      }
      chain.unshift(await load(previous.segment));
    }
    if (missing !== undefined) continue;
    const recovered = replayChain(chain, snapshot, listing);
    if (recovered !== undefined) return recovered;
  }
  throw corruption(missing ?? { file: paths.snapshots, offset: 0, reason: "the snapshot before the log is not there" });
}

function missingSegment(paths: DataPaths, first: Segment): Damage {
  const { previous, previousIndex, previousTerm } = first.header;
  const file = segmentPath(paths, previous.segment);
  const reason = "the segment is missing, and no snapshot holds what was in it";
  return { file, offset: 0, index: previousIndex, term: previousTerm, reason };
}

/** undefined: the log that these segments hold does not vouch for the snapshot. */
function replayChain(
  chain: readonly Segment[],
  snapshot: SnapshotName,
  { segments, spares, temporaries }: SegmentListing,
): RecoveredLog | undefined {
  const [first] = chain;
  const newest = chain.at(-1);
  if (first === undefined || newest === undefined) return undefined;
  const replay = new LogReplay(first.header.previousIndex, first.header.previousTerm);
  for (let i = 0; i + 1 < chain.length; i++) {
    const [segment, successor] = [chain[i], chain[i + 1]];
    if (segment !== undefined && successor !== undefined) replayClosed(segment, successor.header.previous, replay);
  }
  const { last, torn } = replayNewest(newest, replay);
  if (!replay.vouchesFor(snapshot)) return undefined;

  const emptied = last.offset === SEGMENT_HEADER_BYTES;
  const { segment, previous } = newest.header;
  const kept: SegmentSpan[] = [];
  for (const { header } of emptied ? chain.slice(0, -1) : chain) {
    kept.push({ segment: header.segment, previousIndex: header.previousIndex });
  }
  const { term, vote, commit } = replay.hardState;
  return {
    // What a snapshot holds was committed, whether or not a commit index that says so was ever synced.
    hardState: { term, vote, commit: Math.max(commit, snapshot.index) },
    snapshot,
    entries: replay.entriesAfter(snapshot.index),
    spans: kept,
    last: { image: newest.image, batch: last },
    link: emptied ? previous : { segment, end: last.offset, checksum: last.previousChecksum },
    nextSegment: segment + 1,
    torn,
    unlinked: segments.filter((number) => !kept.some((span) => span.segment === number)),
    spares,
    temporaries,
  };
}

async function loadSegment(files: FileSystem, paths: DataPaths, identity: Identity, segment: number): Promise<Segment> {
  const path = segmentPath(paths, segment);
  const file = await files.open(path, "read");
  try {
    const fileBytes = await file.sizeBytes();
    if (fileBytes > SEGMENT_FILE_BYTES_MAX) throw corrupt("the file is larger than any segment");
    const bytes = await file.read(0, fileBytes);
    const header = decodeSegmentHeader(bytes, bytes.length, segment, identity);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { header, image: { path, segment, identity, bytes, view } };
  } catch (cause) {
    if (cause instanceof BalsaError && cause.code === "identity-mismatch") {
      throw new BalsaError("identity-mismatch", `${path}: ${cause.message}`, { cause });
    }
    throw located(cause, path, 0);
  } finally {
    await file.close();
  }
}
