import type { Entry, HardState } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { File, FileSystem } from "../platform/index.js";
import { BatchBuilder } from "./batch-builder.js";
import { type DataPaths, segmentPath, segmentTemporaryPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { BATCH_BYTES_TARGET, SEGMENT_FILE_BYTES_MAX } from "./limits.js";
import { encodeTerminator, TERMINATOR_BYTES } from "./log-end.js";
import type { LogEnd } from "./pending-batch.js";
import { encodeSegmentHeader, NO_LINK, SEGMENT_HEADER_BYTES } from "./segment-header.js";

/** What a log is to say, from its first segment on. */
export interface LogImage {
  readonly hardState: HardState;
  /** What the log begins behind. Of index 0 = nothing. */
  readonly snapshot: LogEnd;
  /** Consecutive, from the one behind the snapshot on. */
  readonly entries: readonly Entry[];
}

/**
 * Writes all of a log into one new segment, whose first batch resets the log to the snapshot. It counts from the moment
 * when its name is durable: until then the log is what it was.
 * @param segment a number above all that there are
 * @throws BalsaError `too-large` (more than a segment can hold); FileError
 */
export async function rewriteLog(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  segment: number,
  image: LogImage,
): Promise<void> {
  const temporary = segmentTemporaryPath(paths, segment, 0);
  if ((await files.list(paths.log)).includes(temporary.slice(paths.log.length + 1))) await files.remove(temporary);
  const file = await files.open(temporary, "create");
  try {
    await writeLog(file, identity, segment, image);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, segmentPath(paths, segment));
  await files.syncDir(paths.log);
}

async function writeLog(file: File, identity: Identity, segment: number, image: LogImage): Promise<void> {
  const { hardState, snapshot, entries } = image;
  const header = encodeSegmentHeader(identity, {
    segment,
    previous: NO_LINK,
    previousIndex: snapshot.index,
    previousTerm: snapshot.term,
    preparedBytes: 0,
    isRecycled: false,
    isTerminated: true,
  });
  await file.write(0, [header.bytes]);
  let offset = SEGMENT_HEADER_BYTES;
  let previousChecksum = header.checksum;
  let previous = snapshot;
  let next = 0;
  const builder = new BatchBuilder(identity);
  // At least one batch, be there entries or not: it holds the hard state.
  do {
    const first = next;
    while (next < entries.length && builder.bodyBytes < BATCH_BYTES_TARGET) {
      builder.add([entries[next++] as Entry]);
    }
    const last = next > first ? (entries[next - 1] as Entry) : previous;
    const state = {
      term: hardState.term,
      vote: hardState.vote,
      commit: Math.min(hardState.commit, last.index),
      previousIndex: previous.index,
      previousTerm: previous.term,
      reset: first === 0,
    };
    const lengthBytes = builder.lengthBytes;
    if (offset + lengthBytes + TERMINATOR_BYTES > SEGMENT_FILE_BYTES_MAX) {
      throw new BalsaError("too-large", "the repaired log is larger than a segment can be");
    }
    const batch = builder.seal(state, { segment, offset, durable: first === 0 ? 0 : offset, previousChecksum });
    await file.write(offset, batch);
    offset += lengthBytes;
    previousChecksum = builder.checksum;
    previous = last;
    builder.clear();
  } while (next < entries.length);
  const { incarnation } = identity;
  await file.write(offset, [encodeTerminator({ incarnation, segment, offset }, previousChecksum)]);
}
