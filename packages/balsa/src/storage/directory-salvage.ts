import { BalsaError, type SnapshotMeta } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import type { Damage } from "./corruption.js";
import { type DataPaths, dataPaths, type SnapshotName, snapshotPath } from "./data-directory.js";
import { type Identity, loadIdentity } from "./identity.js";
import { type LogSalvage, salvageLog } from "./log-salvage.js";
import type { LogEnd } from "./pending-batch.js";
import type { LostRange, SalvagedLog } from "./salvaged-log.js";
import { surveySnapshots } from "./snapshot-store.js";

/** What is left of a data directory, every byte of it read. */
export interface DirectorySalvage extends LogSalvage {
  /** The newest that is sound in every block; undefined = none. What the log goes on from. */
  readonly snapshot: SnapshotMeta | undefined;
  /** Another member's, which was not taken over yet: it stands for more than the log had, or for something else. */
  readonly isSnapshotAhead: boolean;
  readonly damagedSnapshots: readonly SnapshotName[];
  /** Paths of snapshots that were never finished. */
  readonly unfinishedSnapshots: readonly string[];
}

const NO_SNAPSHOT: LogEnd = { index: 0, term: 0 };

/**
 * Reads only. Damage to the snapshots comes first among `damages`.
 * @throws BalsaError `identity-mismatch`; FileError
 */
export async function salvageDirectory(
  files: FileSystem,
  paths: DataPaths,
  identity: Identity,
): Promise<DirectorySalvage> {
  const survey = await surveySnapshots(files, paths, identity, "whole");
  // Any sound snapshot of this cluster is of a committed prefix, whether this member had taken it over or not.
  const [snapshot, older] = survey.sound;
  let found = await salvageLog(files, paths, identity, snapshot ?? NO_SNAPSHOT);
  const isSnapshotAhead = snapshot !== undefined && isAhead(snapshot, found.log);
  // The log does not know of it yet, and goes on from the one before: what is damaged since then keeps it from being opened.
  if (isSnapshotAhead) found = await salvageLog(files, paths, identity, older ?? NO_SNAPSHOT);
  if (snapshot !== undefined) found.log.beginBehind(snapshot);
  const damages = survey.damaged.map(({ name, error }): Damage => {
    return { file: snapshotPath(paths, name), offset: 0, index: name.index, term: name.term, reason: reasonOf(error) };
  });
  return {
    ...found,
    damages: [...damages, ...found.damages],
    snapshot,
    isSnapshotAhead,
    damagedSnapshots: survey.damaged.map(({ name }) => name),
    unfinishedSnapshots: survey.temporaries,
  };
}

/** A member's own snapshot stands for what is in its log, on the same disk, as it is taken. */
function isAhead({ index, term }: SnapshotMeta, log: SalvagedLog): boolean {
  if (index > log.lastIndex) return true;
  const found = log.termAt(index);
  return found !== 0 && found !== term;
}

/** What can be said of a data directory's soundness. */
export interface DirectoryReport {
  readonly identity: Identity;
  /** Every place where bytes are not what was written; of none the directory is sound. */
  readonly damages: readonly Damage[];
  /** Entries that are lost here, with what a peer's log must hold to vouch for its copy of them. */
  readonly lost: readonly LostRange[];
  /** False: the newest batches can't be read. Later entries, a later term and a vote may have been in them. */
  readonly endKnown: boolean;
  /** Where a crash left a torn write, if it did: harmless. */
  readonly torn: Damage | undefined;
  readonly snapshot: SnapshotMeta | undefined;
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
  readonly lastIndex: number;
}

/**
 * Verifies a data directory that no process uses: every block of every snapshot, and every batch and entry of the log
 * behind the newest that is sound. Takes no lock and changes nothing.
 * @throws BalsaError `identity-mismatch`, `corrupt` (the identity itself); FileError
 */
export async function verifyDirectory(files: FileSystem, dir: string): Promise<DirectoryReport> {
  const paths = dataPaths(dir);
  const identity = await loadIdentity(files, paths.identity);
  const { log, damages, torn, snapshot } = await salvageDirectory(files, paths, identity);
  const { term, vote, commit } = log.hardState;
  const { endKnown, lastIndex } = log;
  return { identity, damages, lost: log.lost(), endKnown, torn, snapshot, term, vote, commit, lastIndex };
}

/** What is wrong, without where. */
function reasonOf(error: BalsaError): string {
  return error.cause instanceof BalsaError ? error.cause.message : error.message;
}
