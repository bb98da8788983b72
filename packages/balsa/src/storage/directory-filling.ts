import { BalsaError } from "../core/index.js";
import type { FileSystem, Platform } from "../platform/index.js";
import {
  type DataPaths,
  listIfThere,
  listSegments,
  listSnapshots,
  segmentPath,
  snapshotPath,
  sparePath,
} from "./data-directory.js";
import { createDirectory } from "./directory-creation.js";
import { type ExpectedIdentity, loadIdentity } from "./identity.js";

/** Makes the directory what is expected, if it holds nothing yet, or what is to be replaced. */
export async function fillDirectory(
  { files, random }: Pick<Platform, "files" | "random">,
  paths: DataPaths,
  expect: ExpectedIdentity,
): Promise<void> {
  const names = await files.list(paths.dir);
  // A clearing that broke off.
  if (names.includes(CLEARING)) await clearDirectory(files, paths);
  else if (names.includes("identity") && !(await isToBeReplaced(files, paths, expect))) return;
  if (expect.kind === "existing") throw noData(paths.dir);
  const whose = expect.kind === "join" ? await expect.obtain() : expect;
  if ((await files.list(paths.dir)).includes("identity")) await clearDirectory(files, paths);
  await createDirectory(files, paths, random, { ...whose, group: expect.group, name: expect.name });
}

async function isToBeReplaced(files: FileSystem, paths: DataPaths, expect: ExpectedIdentity): Promise<boolean> {
  if (expect.kind !== "join" || expect.replaces === 0) return false;
  return (await loadIdentity(files, paths.identity)).incarnation === expect.replaces;
}

/** Is there while a directory is being emptied: nothing in it is of use any more. */
const CLEARING = "clearing";

/** Whether there is a member's data in a directory, sound or not: it was filled, and is not being emptied. */
export async function holdsMember(files: FileSystem, paths: DataPaths): Promise<boolean> {
  const names = (await listIfThere(files, paths.dir)) ?? [];
  return names.includes("identity") && !names.includes(CLEARING);
}

/** Empties a directory that has promised nothing to anybody. Where it breaks off, it is finished at the next opening. */
async function clearDirectory(files: FileSystem, paths: DataPaths): Promise<void> {
  const mark = `${paths.dir}/${CLEARING}`;
  if (!(await files.list(paths.dir)).includes(CLEARING)) {
    const file = await files.open(mark, "create");
    await file.close();
  }
  await files.syncDir(paths.dir);
  const unwanted: string[] = [];
  if ((await listIfThere(files, paths.snapshots)) !== undefined) {
    const { snapshots, temporaries } = await listSnapshots(files, paths);
    unwanted.push(...snapshots.map((name) => snapshotPath(paths, name)), ...temporaries);
  }
  if ((await listIfThere(files, paths.log)) !== undefined) {
    const { segments, spares, temporaries } = await listSegments(files, paths);
    unwanted.push(...segments.map((segment) => segmentPath(paths, segment)), ...temporaries);
    unwanted.push(...spares.map((spare) => sparePath(paths, spare)));
  }
  for (const path of unwanted) await files.remove(path);
  for (const dir of [paths.snapshots, paths.log]) {
    if ((await listIfThere(files, dir)) !== undefined) await files.syncDir(dir);
  }
  if ((await files.list(paths.dir)).includes("identity")) await files.remove(paths.identity);
  await files.syncDir(paths.dir);
  await files.remove(mark);
  await files.syncDir(paths.dir);
}

export function noData(dir: string): BalsaError {
  return new BalsaError(
    "invalid-argument",
    `${dir} holds no member's data; name the right directory, bootstrap a new cluster, or join one`,
  );
}
