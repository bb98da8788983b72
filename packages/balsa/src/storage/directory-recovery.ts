import type { SnapshotMeta } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import type { DataPaths, SnapshotName } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { type RecoveredLog, recoverLog } from "./log-recovery.js";
import { type SnapshotSurvey, surveySnapshots } from "./snapshot-store.js";

/** What a data directory says. */
export interface RecoveredDirectory {
  readonly log: RecoveredLog;
  /** undefined = none. */
  readonly snapshot: SnapshotMeta | undefined;
  readonly survey: SnapshotSurvey;
}

/**
 * Reads only.
 * @param keepEntries before the newest snapshot, that are taken up as well if they are there
 * @throws BalsaError `corrupt`, `identity-mismatch`; FileError
 */
export async function recoverDirectory(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
  keepEntries: number,
): Promise<RecoveredDirectory> {
  const survey = await surveySnapshots(files, paths, identity);
  try {
    const log = await recoverLog(files, paths, identity, survey.sound, keepEntries);
    const snapshot = survey.sound.find((meta) => isSame(meta, log.snapshot));
    return { log, snapshot, survey };
  } catch (cause) {
    // Without its snapshot a log begins nowhere: what is wrong with the snapshot is the better answer.
    const [damaged] = survey.damaged;
    if (damaged !== undefined && cause instanceof BalsaError && cause.code === "corrupt") throw damaged.error;
    throw cause;
  }
}

function isSame(a: SnapshotName, b: SnapshotName): boolean {
  return a.index === b.index && a.term === b.term;
}
