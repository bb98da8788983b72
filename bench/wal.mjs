import { execFileSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LogLoad } from "./wal/log-load.mjs";
import { RawSyncs } from "./wal/raw-syncs.mjs";

const callers = [1, 64, 1_024];
const small = 256;
const large = 16 * 1024;
/** Of a batch of one small entry: heads, tables, record, terminator. */
const smallestBatchBytes = 448;
const recovered = 200_000;
const warmUpMs = 2_000;
/** statfs's type of a file system in memory, where a sync costs nothing. */
const tmpfs = 0x01021994;

/**
 * `npm run bench -- wal [--json] [--seconds N] [--dir D]`: the log of one member on a disk, with real syncs: appends of
 * 256 bytes and 16 KiB with 1, 64 and 1,024 callers, beside the raw rate of one write and fdatasync; bytes written for
 * each byte of payload; and how long it takes to recover 200,000 entries in a fresh process.
 * @param {readonly string[]} flags
 */
export async function run(flags) {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      json: { type: "boolean", default: false },
      seconds: { type: "string", default: "4" },
      dir: { type: "string", default: tmpdir() },
    },
  });
  const seconds = Number(values.seconds);
  const dir = await mkdtemp(join(values.dir, "balsa-bench-wal-"));
  try {
    if (statfsSync(dir).type === tmpfs) throw new Error(`${values.dir} lies in memory; name a disk with --dir`);
    console.log(`${availableParallelism()} CPUs, Node ${process.versions.node}, data in ${values.dir}`);
    /** @type {Record<string, number>} */
    const figures = {};
    const alone = await besideRawSyncs(dir, seconds);
    figures["rawSyncPerS"] = round(alone.rawSyncPerS);
    console.log(`raw write + fdatasync      ${alone.rawSyncPerS.toFixed(0).padStart(9)} /s`);
    for (const entryBytes of [small, large]) {
      for (const count of callers) {
        const { perS, written, appended } =
          entryBytes === small && count === 1
            ? alone
            : await load(join(dir, `${entryBytes}-${count}`), count, entryBytes, seconds);
        const payloadBytes = appended * entryBytes;
        const amplification = written.logBytes / payloadBytes;
        const beside =
          entryBytes === small && count === 1 ? `  ${((perS / alone.rawSyncPerS) * 100).toFixed(0)} % of raw` : "";
        console.log(
          `${String(entryBytes).padStart(6)} B, ${String(count).padStart(5)} callers ${perS.toFixed(0).padStart(9)} entries/s` +
            `${((perS * entryBytes) / 1e6).toFixed(1).padStart(8)} MB/s ${(appended / written.syncs).toFixed(1).padStart(7)} entries/sync` +
            `  log ${amplification.toFixed(3)} B/B, prepared ${(written.preparedBytes / payloadBytes).toFixed(3)}, snapshots ${(written.snapshotBytes / payloadBytes).toFixed(3)}${beside}`,
        );
        if (entryBytes === small) figures[`append256x${count}`] = round(perS);
        if (entryBytes === small && count === 1_024) figures["bytesPerByte256"] = round(amplification);
        if (entryBytes === large && count === 64) figures["append16kMBps"] = round((perS * entryBytes) / 1e6);
      }
    }
    figures["recover200kMs"] = round(await recoveryMs(join(dir, "recovered")));
    console.log(`recovery of ${recovered} entries ${figures["recover200kMs"]} ms`);
    if (values.json) console.log(JSON.stringify(figures));
    return 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** @typedef {{ perS: number, appended: number, written: import("./wal/counted-files.mjs").Written }} Appended */

/**
 * One caller, in slices that take turns with the raw syncs: what else the machine does hits both.
 * @param {string} dir @param {number} seconds
 * @returns {Promise<Appended & { rawSyncPerS: number }>}
 */
async function besideRawSyncs(dir, seconds) {
  const sliceMs = 50;
  const raw = new RawSyncs(join(dir, "raw"), smallestBatchBytes);
  const log = await LogLoad.open(join(dir, "alone"));
  const elapsedMs = { raw: 0, log: 0 };
  const turn = async () => {
    let startMs = performance.now();
    raw.start();
    await delay(sliceMs);
    await raw.stop();
    elapsedMs.raw += performance.now() - startMs;
    startMs = performance.now();
    log.start(1, small);
    await delay(sliceMs);
    await log.stop();
    elapsedMs.log += performance.now() - startMs;
  };
  // A directory's first segments are small, and prepared meanwhile; so is none of those that are measured.
  log.start(1, small);
  await delay(warmUpMs);
  await log.stop();
  for (let i = 0; i < 5; i++) await turn();
  Object.assign(elapsedMs, { raw: 0, log: 0 });
  const before = { syncs: raw.syncs, appended: log.appended, written: { ...log.written } };
  for (let i = 0; i < (seconds * 1_000) / sliceMs; i++) await turn();
  const appended = log.appended - before.appended;
  const written = difference(log.written, before.written);
  const rawSyncPerS = ((raw.syncs - before.syncs) / elapsedMs.raw) * 1_000;
  raw.close();
  await log.close();
  return { rawSyncPerS, perS: (appended / elapsedMs.log) * 1_000, appended, written };
}

/**
 * @param {string} dir @param {number} count @param {number} entryBytes @param {number} seconds
 * @returns {Promise<Appended>}
 */
async function load(dir, count, entryBytes, seconds) {
  const log = await LogLoad.open(dir);
  log.start(count, entryBytes);
  await delay(warmUpMs);
  const before = { appended: log.appended, written: { ...log.written } };
  const startMs = performance.now();
  await delay(seconds * 1_000);
  const elapsedMs = performance.now() - startMs;
  const appended = log.appended - before.appended;
  const written = difference(log.written, before.written);
  await log.stop();
  await log.close();
  await rm(dir, { recursive: true });
  return { perS: (appended / elapsedMs) * 1_000, appended, written };
}

/** @param {import("./wal/counted-files.mjs").Written} now @param {import("./wal/counted-files.mjs").Written} before */
function difference(now, before) {
  return {
    logBytes: now.logBytes - before.logBytes,
    preparedBytes: now.preparedBytes - before.preparedBytes,
    snapshotBytes: now.snapshotBytes - before.snapshotBytes,
    syncs: now.syncs - before.syncs,
  };
}

/** The median of five openings, each in a process of its own. @param {string} dir */
async function recoveryMs(dir) {
  const log = await LogLoad.open(dir);
  log.start(1_024, small);
  while (log.appended < recovered - 1_024) await delay(1);
  await log.stop();
  await log.close();
  const script = fileURLToPath(new URL("wal/recover.mjs", import.meta.url));
  const runs = Array.from({ length: 5 }, () => {
    const { ms, entries } = JSON.parse(execFileSync(process.execPath, [script, dir], { encoding: "utf8" }));
    return (ms * recovered) / entries;
  });
  return runs.sort((a, b) => a - b)[2] ?? Number.NaN;
}

/** To a thousandth. @param {number} value */
function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
