import * as fs from "node:fs/promises";
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

/** Whether the process that a lock file names (`pid processStart nonce`) can still hold it. */
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

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Puts the file aside, and back if it is not the stale one after all because somebody was faster. */
async function removeStale(path: string, aside: string, stale: string): Promise<void> {
  try {
    await fs.rename(path, aside);
    if ((await fs.readFile(aside, "utf8")) !== stale) await fs.link(aside, path);
    await fs.unlink(aside);
  } catch (error) {
    if (!isErrno(error, "ENOENT") && !isErrno(error, "EEXIST")) throw error;
  }
}

/**
 * The fallback where there are no abstract sockets: a file that names its holder. It appears with its content in one
 * step (a hard link), so it is never seen half-written; one whose process is gone is stale and is taken over. Weaker
 * than a lock of the kernel's: the ID of a dead process may have been given to a living one, which then seems to hold it.
 */
export async function acquireLockFile(path: string): Promise<Lock> {
  const nonce = nodeRandom.below(2 ** 53).toString(36);
  const content = `${pid} ${processStart} ${nonce}\n`;
  const own = `${path}.${nonce}`;
  await fs.writeFile(own, content, { flag: "wx", mode: 0o600 });
  try {
    for (let attempt = 0; attempt < LOCK_FILE_ATTEMPTS_MAX; attempt += 1) {
      try {
        await fs.link(own, path);
        return { release: () => release(path, content) };
      } catch (error) {
        if (!isErrno(error, "EEXIST")) throw error;
      }
      const found = await readIfPresent(path);
      if (found === undefined) continue;
      if (isHeld(found)) {
        throw new FileError("locked", path, `${path} is locked by process ${Number.parseInt(found, 10)}`);
      }
      await removeStale(path, `${own}.stale`, found);
    }
  } finally {
    await fs.unlink(own);
  }
  throw new FileError("locked", path, `${path} changes hands too fast`);
}

async function release(path: string, content: string): Promise<void> {
  if ((await readIfPresent(path)) === content) await fs.unlink(path);
}
