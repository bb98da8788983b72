/**
 * What lies where in a data directory, and under which names (docs/storage-format.md). Names that are not ours are
 * never touched.
 */

import { FileError, type FileSystem } from "../platform/index.js";
import { isNotFound } from "./corruption.js";

export interface DataPaths {
  readonly dir: string;
  readonly identity: string;
  readonly identityTemporary: string;
  readonly lock: string;
  readonly log: string;
  readonly snapshots: string;
  /** Where repair puts the files that it replaced. */
  readonly setAside: string;
}

export function dataPaths(dir: string): DataPaths {
  return {
    dir,
    identity: `${dir}/identity`,
    identityTemporary: `${dir}/identity.tmp`,
    lock: `${dir}/lock`,
    log: `${dir}/log`,
    snapshots: `${dir}/snapshots`,
    setAside: `${dir}/set-aside`,
  };
}

/** Digits of the largest safe integer. */
const DIGITS = 16;
const SEGMENT_NAME = /^(\d{16})\.log$/;
const SPARE_NAME = /^(\d{16})\.spare$/;
const LOG_TEMPORARY_NAME = /^\d{16}\.(log|spare)\.tmp(-\d+)?$/;
const SNAPSHOT_NAME = /^(\d{16})-(\d{16})\.snapshot$/;
const SNAPSHOT_TEMPORARY_NAME = /^\d{16}-\d{16}\.snapshot\.tmp-\d+$/;

function digits(value: number): string {
  return String(value).padStart(DIGITS, "0");
}

export function segmentPath(paths: DataPaths, segment: number): string {
  return `${paths.log}/${digits(segment)}.log`;
}

/** @param attempt distinct among the files that one process makes */
export function segmentTemporaryPath(paths: DataPaths, segment: number, attempt: number): string {
  return `${segmentPath(paths, segment)}.tmp-${attempt}`;
}

/** A file that waits to become a segment. Its number says nothing: it only has to be its own. */
export function sparePath(paths: DataPaths, spare: number): string {
  return `${paths.log}/${digits(spare)}.spare`;
}

export function spareTemporaryPath(paths: DataPaths, spare: number): string {
  return `${sparePath(paths, spare)}.tmp`;
}

/** Which prefix of the log a snapshot stands for, as its file's name says. */
export interface SnapshotName {
  readonly index: number;
  readonly term: number;
}

export function snapshotPath(paths: DataPaths, name: SnapshotName): string {
  return `${paths.snapshots}/${digits(name.index)}-${digits(name.term)}.snapshot`;
}

/** @param attempt distinct among the files that one process writes at a time */
export function snapshotTemporaryPath(paths: DataPaths, name: SnapshotName, attempt: number): string {
  return `${snapshotPath(paths, name)}.tmp-${attempt}`;
}

export interface SegmentListing {
  /** Numbers, rising. */
  readonly segments: readonly number[];
  /** Numbers, rising. */
  readonly spares: readonly number[];
  /** Paths of what a crash left unfinished. */
  readonly temporaries: readonly string[];
}

export async function listSegments(files: FileSystem, paths: DataPaths): Promise<SegmentListing> {
  const segments: number[] = [];
  const spares: number[] = [];
  const temporaries: string[] = [];
  for (const name of await files.list(paths.log)) {
    const segment = SEGMENT_NAME.exec(name);
    const spare = SPARE_NAME.exec(name);
    if (segment !== null) segments.push(Number(segment[1]));
    else if (spare !== null) spares.push(Number(spare[1]));
    else if (LOG_TEMPORARY_NAME.test(name)) temporaries.push(`${paths.log}/${name}`);
  }
  const rising = (a: number, b: number): number => a - b;
  return { segments: segments.sort(rising), spares: spares.sort(rising), temporaries };
}

export interface SnapshotListing {
  /** Newest first. */
  readonly snapshots: readonly SnapshotName[];
  readonly temporaries: readonly string[];
}

export async function listSnapshots(files: FileSystem, paths: DataPaths): Promise<SnapshotListing> {
  const snapshots: SnapshotName[] = [];
  const temporaries: string[] = [];
  for (const name of await files.list(paths.snapshots)) {
    const match = SNAPSHOT_NAME.exec(name);
    if (match !== null) snapshots.push({ index: Number(match[1]), term: Number(match[2]) });
    else if (SNAPSHOT_TEMPORARY_NAME.test(name)) temporaries.push(`${paths.snapshots}/${name}`);
  }
  return { snapshots: snapshots.sort((a, b) => b.index - a.index || b.term - a.term), temporaries };
}

/** Names in a directory; undefined if there is no such directory. */
export async function listIfThere(files: FileSystem, path: string): Promise<readonly string[] | undefined> {
  try {
    return await files.list(path);
  } catch (cause) {
    if (isNotFound(cause)) return undefined;
    throw cause;
  }
}

/** Creates the directory and its missing parents, all durable. */
export async function makeDurableDir(files: FileSystem, path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; (await listIfThere(files, at)) === undefined; at = parentOf(at)) {
    missing.push(at);
    if (parentOf(at) === at) break;
  }
  if (missing.length === 0) return;
  await files.makeDir(path);
  for (const made of missing.reverse()) await files.syncDir(parentOf(made));
}

/**
 * Makes durable the names on the way to a directory that is there. The process that made it may have died, or failed, before
 * it could: they are in the kernel's cache only then. One that can't be opened for reading is not one that we made.
 */
export async function syncWayTo(files: FileSystem, path: string): Promise<void> {
  for (let at = path; parentOf(at) !== at && at !== "."; at = parentOf(at)) {
    try {
      await files.syncDir(parentOf(at));
    } catch (cause) {
      if (!(cause instanceof FileError && cause.code === "denied")) throw cause;
    }
  }
}

/** The same for the names in a data directory: of what an earlier process has created, or renamed, and could not sync. */
export async function syncNames(files: FileSystem, paths: DataPaths): Promise<void> {
  for (const path of [paths.snapshots, paths.log, paths.dir]) await files.syncDir(path);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}
