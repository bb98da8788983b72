import type { File, FileSystem } from "../platform/index.js";
import type { BatchPlace } from "./batch.js";
import { type DataPaths, segmentPath, segmentTemporaryPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment-header.js";

/**
 * Makes a new segment with its first batch. It gets its name only when both are durable, so that a segment under its
 * name is never half-made.
 * @param seal the batch's bytes for this place
 * @returns the file, open for writing
 * @throws FileError
 */
export async function createSegment(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  header: Omit<SegmentHeader, "checksum">,
  seal: (place: BatchPlace) => readonly Uint8Array[],
): Promise<File> {
  const { segment } = header;
  const { bytes, checksum } = encodeSegmentHeader(identity, header);
  const batch = seal({ segment, offset: SEGMENT_HEADER_BYTES, durable: 0, previousChecksum: checksum });
  const temporary = segmentTemporaryPath(paths, segment);
  const file = await files.open(temporary, "create");
  try {
    await writeSynced(file, 0, [bytes, ...batch]);
    await files.rename(temporary, segmentPath(paths, segment));
    await files.syncDir(paths.log);
  } catch (cause) {
    await file.close();
    throw cause;
  }
  return file;
}

function writeSynced(file: File, position: number, buffers: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    file.writeAndSync(position, buffers, (error) => (error === undefined ? resolve() : reject(error)));
  });
}
