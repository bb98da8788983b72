import * as fs from "node:fs/promises";
import { basename, dirname } from "node:path";
import { platform } from "node:process";
import type { Lock } from "../index.js";
import { FileError } from "../index.js";
import { toFileError } from "./file-error.js";
import { acquireLockFile } from "./lock-file.js";
import { acquireLockSocket } from "./lock-socket.js";

/**
 * A lock on a path, which need not exist; its directory must. It is known by the directory's device and inode and the
 * name in it, so that two paths to one directory (links, bind mounts) exclude each other.
 *
 * Node has no flock. On Linux an abstract socket does as well: the kernel frees it when its process ends in whatever
 * way, and nothing stays behind. It excludes within one network namespace: containers that share a directory but not
 * the network are not kept apart. Elsewhere a file with the holder's process ID has to do.
 */
export async function acquireNodeLock(path: string): Promise<Lock> {
  try {
    const directory = await fs.stat(dirname(path), { bigint: true });
    if (!directory.isDirectory()) throw new FileError("not-found", path, `${dirname(path)} is not a directory`);
    return platform === "linux"
      ? await acquireLockSocket(path, `${directory.dev}:${directory.ino}:${basename(path)}`)
      : await acquireLockFile(path);
  } catch (error) {
    throw toFileError(error, path);
  }
}
