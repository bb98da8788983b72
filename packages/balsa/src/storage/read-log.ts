import type { Entry, HardState, SnapshotMeta } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import { storageFailure } from "./corruption.js";
import { dataPaths } from "./data-directory.js";
import { recoverDirectory } from "./directory-recovery.js";
import { EntryReader } from "./entry-reader.js";
import { type Identity, loadIdentity } from "./identity.js";
import { READ_BACK_BYTES_MAX } from "./limits.js";

/** What a member would come back with. */
export interface LogContent {
  readonly identity: Identity;
  readonly hardState: HardState;
  /** undefined = none. */
  readonly snapshot: SnapshotMeta | undefined;
  /** Behind the snapshot. */
  readonly entries: readonly Entry[];
  /** Where a crash left a torn write, if it did. */
  readonly torn: { readonly file: string; readonly offset: number } | undefined;
}

/**
 * Reads a data directory that no process uses. Takes no lock and changes nothing.
 * @throws BalsaError `corrupt`, `identity-mismatch`, `storage-failed`
 */
export async function readLog(files: FileSystem, dir: string): Promise<LogContent> {
  const paths = dataPaths(dir);
  try {
    const identity = await loadIdentity(files, paths.identity);
    const { log, snapshot } = await recoverDirectory(files, paths, identity, 0);
    const reader = new EntryReader(files, paths, identity.group, log.index);
    const entries: Entry[] = [];
    const { lastIndex } = log.index;
    for (let at = log.snapshot.index + 1; at <= lastIndex; at = log.snapshot.index + 1 + entries.length) {
      entries.push(...(await reader.read(at, lastIndex + 1, READ_BACK_BYTES_MAX)));
    }
    const torn = log.torn === undefined ? undefined : { file: log.torn.file, offset: log.torn.offset };
    return { identity, hardState: log.hardState, snapshot, entries, torn };
  } catch (cause) {
    throw storageFailure(`reading ${dir}`, cause);
  }
}
