import type { SnapshotMeta } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import { dataPaths, listSnapshots, snapshotPath } from "./data-directory.js";
import { loadIdentity } from "./identity.js";
import { loadSnapshotFrame, SnapshotReader, verifySnapshot } from "./snapshot-reader.js";

/** A snapshot's file, every block of it read. */
export type ScannedSnapshot = { readonly file: string; readonly index: number; readonly term: number } & (
  | {
      readonly kind: "sound";
      readonly meta: SnapshotMeta;
      readonly fileBytes: number;
      readonly applicationBytes: number;
      /** What of the replicated state is not the application's. */
      readonly library: Uint8Array;
    }
  | { readonly kind: "damaged"; readonly reason: string }
);

/**
 * One of a data directory's snapshots, to be read and closed. Takes no lock and changes nothing.
 * @throws BalsaError `corrupt`, `identity-mismatch`, `storage-failed`; FileError
 */
export async function openSnapshotFile(
  files: FileSystem,
  dir: string,
  { index, term }: SnapshotMeta,
): Promise<SnapshotReader> {
  const paths = dataPaths(dir);
  const identity = await loadIdentity(files, paths.identity);
  const path = snapshotPath(paths, { index, term });
  const file = await files.open(path, "read");
  try {
    return await SnapshotReader.open(file, path, identity, () => {});
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/**
 * Verifies each of a data directory's snapshots, the newest first. Takes no lock and changes nothing.
 * @throws BalsaError `corrupt` (the identity), `identity-mismatch`; FileError
 */
export async function* scanSnapshots(files: FileSystem, dir: string): AsyncGenerator<ScannedSnapshot, void, undefined> {
  const paths = dataPaths(dir);
  const identity = await loadIdentity(files, paths.identity);
  for (const { index, term } of (await listSnapshots(files, paths)).snapshots) {
    const path = snapshotPath(paths, { index, term });
    const name = { file: path, index, term };
    const file = await files.open(path, "read");
    try {
      const frame = await loadSnapshotFrame(file, path, identity);
      await verifySnapshot(file, path, frame);
      const { library, meta } = await SnapshotReader.open(file, path, identity, () => {});
      const { fileBytes, applicationBytes } = frame.sizes;
      yield { ...name, kind: "sound", meta, fileBytes, applicationBytes, library };
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
      yield { ...name, kind: "damaged", reason: cause.message };
    } finally {
      await file.close();
    }
  }
}
