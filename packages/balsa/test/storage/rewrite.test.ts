import { expect, test } from "vitest";
import { sealEntry } from "../../src/codec/index.js";
import { BalsaError, type Entry } from "../../src/core/index.js";
import { FileError, type FileErrorCode } from "../../src/platform/index.js";
import { keepUnsynced, loseUnsynced, Prng, type SimDisk } from "../../src/sim/index.js";
import { DamagedDirectory, giveUpDamage, readLog } from "../../src/storage/index.js";
import { drawCrash } from "./crash-choices.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  BOOTSTRAP,
  codeOf,
  DIR,
  entries,
  foundIn,
  GROUP,
  hardState,
  openStorage,
  plain,
  platformOn,
  takeSnapshot,
} from "./storages.js";

const LOG: readonly Entry[] = [...entries(1, 20, 1, 30), ...entries(21, 40, 2, 30)];
for (const each of LOG) sealEntry(GROUP, each);
const SNAPSHOT_INDEX = 8;
/** In the middle, in a segment that has successors. */
const DAMAGED_INDEX = 15;

/** Some segments behind a snapshot, one of which has a bit that is another. */
async function damagedDisk(): Promise<SimDisk> {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1000 });
  await append(storage, { hardState: hardState(1, 0, 0), entries: LOG.slice(0, 12) });
  await append(storage, { hardState: hardState(1, 0, 10), entries: LOG.slice(12, 20) });
  await takeSnapshot(storage, SNAPSHOT_INDEX, 1);
  storage.compact(SNAPSHOT_INDEX);
  await append(storage, { hardState: hardState(2, 7, 20), entries: LOG.slice(20, 30) });
  await append(storage, { hardState: hardState(2, 7, 30), entries: LOG.slice(30, 40) });
  await storage.close();
  const { disk } = files;
  const damaged = Buffer.from(LOG[DAMAGED_INDEX - 1]?.data ?? []);
  for (const name of disk.list(`${DIR}/log`)) {
    const file = disk.open(`${DIR}/log/${name}`, "write");
    const at = Buffer.from(file.read(0, file.sizeBytes)).indexOf(damaged);
    if (at !== -1) file.write(disk.nextSequence(), at, Uint8Array.of((damaged[0] ?? 0) ^ 1));
  }
  disk.crash(keepUnsynced);
  expect(await codeOf(readLog(new RecordedFiles(disk), DIR))).toBe("corrupt");
  return disk;
}

/** What a member does that has got from the others what it lost. */
async function repair(files: RecordedFiles): Promise<void> {
  const directory = await DamagedDirectory.open({ platform: platformOn(files), dir: DIR, expect: BOOTSTRAP });
  try {
    const { log } = directory;
    for (const range of log.lost()) log.restore(range, LOG.slice(range.first - 1, range.last));
    await directory.rewrite(log.hardState);
  } finally {
    await directory.close();
  }
}

async function giveUp(files: RecordedFiles): Promise<void> {
  await giveUpDamage(platformOn(files), DIR);
}

interface Mending {
  readonly name: string;
  readonly mend: (files: RecordedFiles) => Promise<void>;
  /** The log's last index afterwards. */
  readonly lastIndex: number;
}

const MENDINGS: readonly Mending[] = [
  { name: "a repair", mend: repair, lastIndex: 40 },
  { name: "giving up what is lost", mend: giveUp, lastIndex: DAMAGED_INDEX - 1 },
];

/** What comes of a process at one of its calls: it dies, or the call fails. */
type Fate = "dies" | FileErrorCode;

/** What comes of the machine then. */
type Power = "stays" | "goes, unsynced is lost" | "goes, unsynced is kept" | "goes, unsynced is kept or lost";

const SOME_DRAWN: readonly Power[] = Array.from({ length: 4 }, () => "goes, unsynced is kept or lost");
const FATES: readonly (readonly [Fate, readonly Power[]])[] = [
  ["dies", ["stays", "goes, unsynced is lost", "goes, unsynced is kept", ...SOME_DRAWN]],
  ["io", ["goes, unsynced is lost"]],
  ["full", ["goes, unsynced is lost"]],
];

/**
 * Mends, and goes on with the log, until it has met its fate or come to its end.
 * @returns its calls, and whether it came to acknowledge an entry more
 */
async function live(
  files: RecordedFiles,
  { mend, lastIndex }: Mending,
  fate: Fate,
  fateAt: number,
): Promise<{ readonly calls: number; readonly hasAdded: boolean }> {
  let calls = 0;
  let hasAdded = false;
  const death = new Promise<void>((resolve) => {
    files.fault = (kind, path) => {
      if (calls++ !== fateAt) return undefined;
      if (fate !== "dies") return new FileError(fate, path, `injected at ${kind}`);
      files.isDead = true;
      resolve();
      return undefined;
    };
  });
  const work = async (): Promise<void> => {
    await mend(files);
    const storage = await openStorage(files, { segmentBytes: 1000 });
    await append(storage, { entries: entries(lastIndex + 1, lastIndex + 1, 3) });
    hasAdded = true;
    await storage.close();
  };
  const life = work().catch((cause: unknown) => {
    if (fate === "dies" || !(cause instanceof BalsaError)) throw cause;
  });
  await Promise.race([death, life]);
  files.isDead = true;
  return { calls, hasAdded };
}

function afterwards(disk: SimDisk, power: Power, prng: Prng): SimDisk {
  const left = disk.fork();
  switch (power) {
    case "stays":
      left.completeAll();
      return left;
    case "goes, unsynced is lost":
      left.crash(loseUnsynced);
      return left;
    case "goes, unsynced is kept":
      left.crash(keepUnsynced);
      return left;
    case "goes, unsynced is kept or lost":
      left.crash(drawCrash(prng, left));
      return left;
    default:
      power satisfies never;
      throw new Error("the power stays or goes");
  }
}

/** Mends what is still damaged, and looks at the log; says whether there was anything to mend. */
async function lookAt(
  disk: SimDisk,
  { mend, lastIndex }: Mending,
  fate: Fate,
  hasAdded: boolean,
): Promise<"damaged" | "mended"> {
  const files = new RecordedFiles(disk);
  const opened = await openStorage(files).catch((cause: unknown) => {
    if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
  });
  if (opened === undefined) await mend(files);
  const found = foundIn(opened ?? (await openStorage(files)));
  const from = found.snapshot?.index ?? 0;
  // What can't be read is damage: then the log, which reaches back to its beginning, does without the snapshot.
  if (fate !== "io" || from !== 0) expect(from).toBe(SNAPSHOT_INDEX);
  const more = hasAdded || found.entries.length > lastIndex - from ? entries(lastIndex + 1, lastIndex + 1, 3) : [];
  expect(plain(found.entries)).toEqual(plain([...LOG.slice(from, lastIndex), ...more]));
  expect([found.hardState.term, found.hardState.vote]).toEqual([2, 7]);
  return opened === undefined ? "damaged" : "mended";
}

test.each(MENDINGS)(
  "F1 $name that dies at any call, or whose call fails, leaves the log mended, or as damaged as it was, to be mended anew",
  async (mending) => {
    const pristine = await damagedDisk();
    const { calls } = await live(new RecordedFiles(pristine.fork()), mending, "dies", -1);
    expect(calls).toBeGreaterThan(60);
    const states = new Set<string>();
    const prng = new Prng(`power that goes behind ${mending.name}`);
    for (const [fate, powers] of FATES) {
      for (let fateAt = 0; fateAt < calls; fateAt++) {
        const disk = pristine.fork();
        const { hasAdded } = await live(new RecordedFiles(disk), mending, fate, fateAt);
        for (const power of powers) {
          try {
            states.add(await lookAt(afterwards(disk, power, prng), mending, fate, hasAdded));
          } catch (cause) {
            throw new Error(`${fate} at call ${fateAt}, the power ${power}`, { cause });
          }
        }
      }
    }
    expect([...states].sort()).toEqual(["damaged", "mended"]);
  },
  60_000,
);
