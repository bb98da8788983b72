import { BalsaError } from "../core/index.js";
import type { FileSystem, Random } from "../platform/index.js";
import { BATCH_HEAD_BYTES_MIN } from "./batch.js";
import { BatchBuilder } from "./batch-builder.js";
import {
  type DataPaths,
  listIfThere,
  listSegments,
  listSnapshots,
  makeDurableDir,
  segmentPath,
  syncWayTo,
} from "./data-directory.js";
import { FORMAT_VERSION } from "./file-header.js";
import { drawIncarnation, encodeIdentity, type Identity, type NewIdentity } from "./identity.js";
import { TERMINATOR_BYTES } from "./log-end.js";
import { createBase, makeSegment } from "./segment-file.js";
import { NO_LINK, SEGMENT_HEADER_BYTES } from "./segment-header.js";

const FIRST_SEGMENT = 1;
/** Of the first segment as creation leaves it. */
const FIRST_SEGMENT_BYTES: number = SEGMENT_HEADER_BYTES + BATCH_HEAD_BYTES_MIN + TERMINATOR_BYTES;
/** What a directory may hold and still count as empty; the last is what a file system puts at its root. */
const IGNORED_NAMES: readonly string[] = ["identity.tmp", "log", "snapshots", "lost+found"];

/**
 * Fills an empty directory: the log's first segment, and then, as the last step, the identity.
 * @throws BalsaError `invalid-argument` (it is not empty); FileError
 */
export async function createDirectory(
  files: FileSystem,
  paths: DataPaths,
  random: Random,
  whose: NewIdentity & Pick<Identity, "group" | "name">,
): Promise<void> {
  const { clusterId, memberId, group, name } = whose;
  const incarnation = whose.incarnation ?? drawIncarnation(random);
  const identity: Identity = { clusterId, memberId, group, incarnation, formatVersion: FORMAT_VERSION, name };
  await clearUnfinished(files, paths);
  await makeDurableDir(files, paths.log);
  await makeDurableDir(files, paths.snapshots);
  // Where they were there already, an earlier process may not have come to that.
  await files.syncDir(paths.dir);
  await syncWayTo(files, paths.dir);
  const start = { segment: FIRST_SEGMENT, previous: NO_LINK, previousIndex: 0, previousTerm: 0, isTerminated: true };
  const nothing = { term: 0, vote: 0, commit: 0, previousIndex: 0, previousTerm: 0, reset: false };
  const base = await createBase(files, paths, FIRST_SEGMENT, 0);
  try {
    const builder = new BatchBuilder(identity);
    await makeSegment(files, paths, identity, base, start, (place) => {
      const buffers = builder.seal(nothing, place);
      return { buffers, checksum: builder.checksum };
    });
    await files.syncDir(paths.log);
  } finally {
    await base.file.close();
  }
  const file = await files.open(paths.identityTemporary, "create");
  try {
    await file.write(0, [encodeIdentity(identity)]);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(paths.identityTemporary, paths.identity);
  await files.syncDir(paths.dir);
}

/** Removes what a creation that broke off has left; refuses if there is anything else. */
async function clearUnfinished(files: FileSystem, paths: DataPaths): Promise<void> {
  const names = await files.list(paths.dir);
  for (const name of names) {
    // Where a lock is a file, its name begins so.
    if (!IGNORED_NAMES.includes(name) && !name.startsWith("lock")) throw notEmpty(paths, name);
  }
  if (names.includes("identity.tmp")) await files.remove(paths.identityTemporary);
  const leftovers: string[] = [];
  if ((await listIfThere(files, paths.log)) !== undefined) {
    const { segments, temporaries } = await listSegments(files, paths);
    for (const segment of segments) {
      const path = segmentPath(paths, segment);
      if (segment !== FIRST_SEGMENT || (await sizeOf(files, path)) > FIRST_SEGMENT_BYTES) throw notEmpty(paths, path);
      leftovers.push(path);
    }
    leftovers.push(...temporaries);
  }
  if ((await listIfThere(files, paths.snapshots)) !== undefined) {
    const { snapshots } = await listSnapshots(files, paths);
    if (snapshots.length > 0) throw notEmpty(paths, "snapshots");
  }
  for (const path of leftovers) await files.remove(path);
}

async function sizeOf(files: FileSystem, path: string): Promise<number> {
  const file = await files.open(path, "read");
  try {
    return await file.sizeBytes();
  } finally {
    await file.close();
  }
}

function notEmpty(paths: DataPaths, what: string): BalsaError {
  return new BalsaError(
    "invalid-argument",
    `${paths.dir} is neither empty nor a complete data directory: it has no identity, but ${what}; give another directory`,
  );
}
