import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FileError, Lock } from "../../src/platform/index.js";
import { nodeFiles } from "../../src/platform/node/index.js";
import { acquireLockFile } from "../../src/platform/node/lock-file.js";

let dir = "";
let holders: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "balsa-lock-"));
});
afterEach(() => {
  for (const holder of holders) holder.kill("SIGKILL");
  holders = [];
  rmSync(dir, { recursive: true });
});

/** The sources as plain JavaScript, for a process of its own. */
const modules: { nodeFiles: string; lockFile: string } = { nodeFiles: "", lockFile: "" };
beforeAll(async () => {
  const outdir = mkdtempSync(join(tmpdir(), "balsa-lock-modules-"));
  const source = join(import.meta.dirname, "../../src/platform/node");
  const entryPoints = [join(source, "node-files.ts"), join(source, "lock-file.ts")];
  await build({
    entryPoints,
    bundle: true,
    platform: "node",
    format: "esm",
    outdir,
    outExtension: { ".js": ".mjs" },
    logLevel: "error",
  });
  modules.nodeFiles = pathToFileURL(join(outdir, "node-files.mjs")).href;
  modules.lockFile = pathToFileURL(join(outdir, "lock-file.mjs")).href;
  return () => rmSync(outdir, { recursive: true });
});

/** A process that holds a lock until it is killed. */
async function startHolder(acquire: string): Promise<ChildProcess> {
  const script = `${acquire}; console.log("locked"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  holders.push(holder);
  const { stdout } = holder;
  if (stdout === null) throw new Error("the holder must have an output");
  await once(stdout, "data");
  return holder;
}

async function killHard(holder: ChildProcess): Promise<void> {
  const exit = once(holder, "exit");
  holder.kill("SIGKILL");
  await exit;
}

function holdByFiles(path: string): string {
  return `import { nodeFiles } from "${modules.nodeFiles}"; await nodeFiles.lock(${JSON.stringify(path)})`;
}

function holdByLockFile(path: string): string {
  return `import { acquireLockFile } from "${modules.lockFile}"; await acquireLockFile(${JSON.stringify(path)})`;
}

describe("nodeFiles.lock", () => {
  test("another process' lock excludes, and is gone when that process is killed with kill -9", async () => {
    const path = join(dir, "LOCK");
    const holder = await startHolder(holdByFiles(path));
    await expect(nodeFiles.lock(path)).rejects.toMatchObject({ code: "locked", path });
    await killHard(holder);
    const lock = await nodeFiles.lock(path);
    await lock.release();
  });

  test("two paths to one directory exclude each other", async () => {
    const link = `${dir}-link`;
    symlinkSync(dir, link);
    try {
      const lock = await nodeFiles.lock(join(dir, "LOCK"));
      await expect(nodeFiles.lock(join(link, "LOCK"))).rejects.toMatchObject({ code: "locked" });
      await lock.release();
    } finally {
      rmSync(link);
    }
  });

  test.runIf(process.platform === "linux")("leaves nothing in the directory", async () => {
    const lock = await nodeFiles.lock(join(dir, "LOCK"));
    expect(readdirSync(dir)).toEqual([]);
    await lock.release();
  });
});

describe("the lock file, where there are no abstract sockets", () => {
  test("excludes within the process until released, and leaves one empty file behind", async () => {
    const path = join(dir, "LOCK");
    for (let round = 1; round <= 3; round += 1) {
      const lock = await acquireLockFile(path);
      await expect(acquireLockFile(path)).rejects.toMatchObject({ code: "locked", path });
      await lock.release();
      expect(readdirSync(dir)).toEqual([`LOCK.${round}`]);
      expect(readFileSync(`${path}.${round}`, "utf8")).toBe("");
    }
  });

  test("another process' lock excludes, names it, and is gone when it is killed with kill -9", async () => {
    const path = join(dir, "LOCK");
    const holder = await startHolder(holdByLockFile(path));
    await expect(acquireLockFile(path)).rejects.toThrow(`locked by process ${holder.pid}`);
    await killHard(holder);
    const lock = await acquireLockFile(path);
    await expect(acquireLockFile(path)).rejects.toMatchObject({ code: "locked" });
    await lock.release();
  });

  test("a file left by an earlier process with our own ID is stale, and so is rubbish", async () => {
    const path = join(dir, "LOCK");
    const leftovers = [`${process.pid} 12345\n`, "", "rubbish\n", "0 0"];
    for (const [round, left] of leftovers.entries()) {
      writeFileSync(`${path}.${2 * round + 1}`, left);
      const lock = await acquireLockFile(path);
      expect(readFileSync(`${path}.${2 * round + 2}`, "utf8")).toMatch(new RegExp(`^${process.pid} `));
      await lock.release();
    }
  });

  test("of many who find a stale file at once, one gets the lock", async () => {
    const path = join(dir, "LOCK");
    for (let round = 0; round < 20; round += 1) {
      writeFileSync(`${path}.${2 * round + 1}`, `${process.pid} 12345\n`);
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLockFile(path)));
      const locks = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
      expect(locks).toHaveLength(1);
      for (const lock of locks) await lock.release();
    }
  });

  test("nobody holds it together with another while many take and release it", async () => {
    const path = join(dir, "LOCK");
    const outcomes: string[] = [];
    let held = 0;
    const hold = async (lock: Lock): Promise<string> => {
      held += 1;
      const outcome = held === 1 ? "held alone" : "held together";
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      held -= 1;
      await lock.release();
      return outcome;
    };
    const contend = async (): Promise<void> => {
      for (let i = 0; i < 30; i += 1) {
        outcomes.push(await acquireLockFile(path).then(hold, (error: FileError) => error.code));
      }
    };
    await Promise.all(Array.from({ length: 6 }, contend));
    expect(new Set(outcomes)).toEqual(new Set(["held alone", "locked"]));
  });
});
