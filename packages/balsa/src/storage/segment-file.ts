import { BalsaError } from "../core/index.js";
import { type File, FileError, type FileSystem } from "../platform/index.js";
import type { BatchPlace } from "./batch.js";
import { type DataPaths, segmentPath, segmentTemporaryPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { BLANK_END_BYTES } from "./limits.js";
import { encodeTerminator } from "./log-end.js";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment-header.js";

/** A file that may become a segment, open for writing, under a name that is none of a segment's. */
export interface SegmentBase {
  readonly path: string;
  readonly file: File;
  /** Written beforehand, and durable; 0 = it grows. */
  readonly preparedBytes: number;
  /** It holds bytes of an older life. */
  readonly isRecycled: boolean;
}

/** A segment, open for writing. */
export interface SegmentFile {
  readonly segment: number;
  readonly file: File;
  readonly preparedBytes: number;
  /** Of the segment: an earlier version's has none, and gets none when the log goes on in it. */
  readonly isTerminated: boolean;
}

/** A batch's bytes for its place. */
export interface SealedBatch {
  readonly buffers: readonly Uint8Array[];
  readonly checksum: number;
}

/** What of a segment's header is not its file's. */
export type SegmentStart = Omit<SegmentHeader, "preparedBytes" | "isRecycled" | "checksum">;

/** An empty file. @throws FileError */
export async function createBase(
  files: FileSystem,
  paths: DataPaths,
  segment: number,
  attempt: number,
): Promise<SegmentBase> {
  const path = segmentTemporaryPath(paths, segment, attempt);
  return { path, file: await files.open(path, "create"), preparedBytes: 0, isRecycled: false };
}

/**
 * Makes a segment with its first batch. It gets its name only when both are durable, so that a segment under its name is
 * never half-made. The name itself is durable once the directory is synced, and only then is there a segment.
 * @param seal the batch's bytes for this place
 * @throws FileError; the base has kept its name then
 */
export async function makeSegment(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  base: SegmentBase,
  start: SegmentStart,
  seal: (place: BatchPlace) => SealedBatch,
): Promise<SegmentFile> {
  const { segment, isTerminated } = start;
  const { path, file, preparedBytes, isRecycled } = base;
  const { bytes, checksum } = encodeSegmentHeader(identity, { ...start, preparedBytes, isRecycled });
  const batch = seal({ segment, offset: SEGMENT_HEADER_BYTES, durable: 0, previousChecksum: checksum });
  const made = { segment, file, preparedBytes, isTerminated };
  await writeSynced(file, 0, [bytes, ...terminated(made, identity, SEGMENT_HEADER_BYTES, batch)]);
  await files.rename(path, segmentPath(paths, segment));
  return made;
}

const BLANK_END: Uint8Array = new Uint8Array(BLANK_END_BYTES);

/** The batch's buffers for `offset`, and what ends the log behind them. */
export function terminated(
  { segment, preparedBytes, isTerminated }: SegmentFile,
  { incarnation }: Identity,
  offset: number,
  { buffers, checksum }: SealedBatch,
): readonly Uint8Array[] {
  let end = offset;
  for (const buffer of buffers) end += buffer.length;
  if (isTerminated) return [...buffers, encodeTerminator({ incarnation, segment, offset: end }, checksum)];
  // None may be needed at the file's end, and none may make it grow.
  const blankBytes = Math.max(0, Math.min(BLANK_END_BYTES, preparedBytes - end));
  return [...buffers, BLANK_END.subarray(0, blankBytes)];
}

export function writeSynced(file: File, position: number, buffers: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    file.writeAndSync(position, buffers, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** No room, or no descriptor: nothing was done, and later it may succeed. */
export function isShortage(cause: unknown): cause is FileError {
  return cause instanceof FileError && (cause.code === "full" || cause.code === "too-many-open");
}

/** A full disk, said by the file system or by the library. */
export function isDiskFull(cause: unknown): boolean {
  return (
    (cause instanceof FileError && cause.code === "full") || (cause instanceof BalsaError && cause.code === "disk-full")
  );
}
