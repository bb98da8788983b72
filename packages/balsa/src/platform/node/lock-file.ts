import * as fs from "node:fs/promises";
import { basename, dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { kill, pid } from "node:process";
import type { Lock } from "../index.js";
import { FileError } from "../index.js";
import { LOCK_FILE_ATTEMPTS_MAX } from "./limits.js";
import { nodeRandom } from "./node-random.js";

/** When this process began, ms since 1970, the same in all its threads: tells it from an earlier one with its ID. */
const processStart = Math.floor(performance.timeOrigin);

function isErrno(error: unknown, errno: string): boolean {
  return error instanceof Error && "code" in error && error.code === errno;
}

/** Whether the process that a lock file names (`pid processStart`) can still hold it. */
function isHeld(content: string): boolean {
  const [holderPid, holderStart] = content.split(" ").map(Number);
  if (holderPid === undefined || !Number.isSafeInteger(holderPid) || holderPid < 1) return false;
  if (holderPid === pid) return holderStart === processStart;
  try {
    kill(holderPid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, "ESRCH");
  }
}

/** What `call` gives, or undefined if the file is not there. */
async function ifPresent<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The generations of the lock that have a file, oldest first. */
async function generationsOf(path: string): Promise<number[]> {
  const prefix = `${basename(path)}.`;
  const names = await fs.readdir(dirname(path));
  const suffixes = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return suffixes
    .filter((suffix) => /^[1-9]\d{0,14}$/.test(suffix))
    .map(Number)
    .sort((a, b) => a - b);
}

/** True if it appeared with what is in `own`, in one step; false if somebody else's is there already. */
async function linkIfAbsent(own: string, path: string): Promise<boolean> {
  try {
    await fs.link(own, path);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

/** The generation that is ours now; undefined if others were faster. */
async function takeNext(path: string, own: string): Promise<number | undefined> {
  const newest = (await generationsOf(path)).at(-1) ?? 0;
  if (newest > 0) {
    const content = await ifPresent(fs.readFile(`${path}.${newest}`, "utf8"));
    if (content === undefined) return undefined;
    if (isHeld(content)) {
      throw new FileError("locked", path, `${path} is locked by process ${Number.parseInt(content, 10)}`);
    }
  }
  if (!(await linkIfAbsent(own, `${path}.${newest + 1}`))) return undefined;
  const generations = await generationsOf(path);
  const isOvertaken = (generations.at(-1) ?? 0) > newest + 1;
  const obsolete = isOvertaken ? [newest + 1] : generations.filter((generation) => generation <= newest);
  for (const generation of obsolete) await ifPresent(fs.unlink(`${path}.${generation}`));
  return isOvertaken ? undefined : newest + 1;
}

/**
 * The fallback where there are no abstract sockets: files `path.1`, `path.2`, … each of which names a holder. The newest
 * counts; it is held unless its process is gone or it is empty, which is how it is released. Whoever creates the next
 * one, which only one can, has the lock. The newest is never removed, so that generations only grow and nobody who has
 * been slow can take one that others have left behind.
 *
 * Weaker than a lock of the kernel's all the same: the ID of a dead process may have been given to a living one, which
 * then seems to hold it.
 */
export async function acquireLockFile(path: string): Promise<Lock> {
  const own = `${path}.new-${nodeRandom.below(2 ** 53).toString(36)}`;
  await fs.writeFile(own, `${pid} ${processStart}\n`, { flag: "wx", mode: 0o600 });
  try {
    for (let attempt = 0; attempt < LOCK_FILE_ATTEMPTS_MAX; attempt += 1) {
      const generation = await takeNext(path, own);
      if (generation !== undefined) return { release: () => fs.truncate(`${path}.${generation}`) };
    }
  } finally {
    await fs.unlink(own);
  }
  throw new FileError("locked", path, `${path} changes hands too fast`);
}
