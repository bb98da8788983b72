import { expect, test } from "vitest";
import { sealEntry } from "../../src/codec/index.js";
import { BalsaError, type Entry } from "../../src/core/index.js";
import { Prng } from "../../src/sim/index.js";
import { dataPaths } from "../../src/storage/data-directory.js";
import { type DirectorySalvage, salvageDirectory } from "../../src/storage/directory-salvage.js";
import { loadIdentity } from "../../src/storage/identity.js";
import { readLog, verifyDirectory } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  DIR,
  entries,
  GROUP,
  hardState,
  openStorage,
  plain,
  receive,
  snapshotFile,
  takeSnapshot,
} from "./storages.js";

/** Several segments behind a snapshot, with entries of three terms, some of which replaced others. */
async function smallLog(isAtRest = true): Promise<ImageFiles> {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1400 });
  await append(storage, { hardState: hardState(1, 0, 0), entries: entries(1, 10, 1, 30) });
  await append(storage, { hardState: hardState(1, 0, 8), entries: entries(11, 20, 1, 30) });
  await takeSnapshot(storage, 8, 1);
  storage.compact(8);
  await append(storage, { hardState: hardState(2, 7, 12), entries: entries(16, 22, 2, 30) });
  await append(storage, { hardState: hardState(2, 7, 16), entries: entries(23, 30, 2, 30) });
  await append(storage, { hardState: hardState(3, 5, 20), entries: entries(28, 34, 3, 30) });
  await append(storage, { hardState: hardState(3, 5, 30), entries: entries(35, 40, 3, 30) });
  if (isAtRest) await storage.close();
  return ImageFiles.of(files.disk, DIR);
}

const PREFIX: readonly Entry[] = [...entries(1, 15, 1, 30), ...entries(16, 27, 2, 30), ...entries(28, 40, 3, 30)];
for (const each of PREFIX) sealEntry(GROUP, each);

async function salvage(files: ImageFiles): Promise<DirectorySalvage> {
  const paths = dataPaths(DIR);
  return salvageDirectory(files, paths, await loadIdentity(files, paths.identity));
}

/** What another member would do for it, that holds the same log from its first entry on. */
function restoreFrom(peer: readonly Entry[], { log }: DirectorySalvage): void {
  const termAt = (index: number): number => peer[index - 1]?.term ?? 0;
  for (const range of log.lost()) {
    if (termAt(range.after.index) !== range.after.term || termAt(range.anchor.index) !== range.anchor.term) continue;
    log.restore(range, peer.slice(range.first - 1, range.last));
  }
}

/** What became of a damaged directory, once a peer has helped. */
async function outcome(files: ImageFiles): Promise<string> {
  const sound = await soundness(files);
  const found = await salvage(files);
  const { log } = found;
  if ((found.damages.length === 0) !== (sound === "sound")) return `${sound}, but ${found.damages.length} damages`;
  for (const { index } of PREFIX) {
    // What is there is what was written, whatever else is lost.
    const entry = log.entryAt(index);
    if (entry !== undefined && !isOneOf(entry)) return `${index} is not what was written`;
  }
  restoreFrom(PREFIX, found);
  if (!log.isWhole) return log.endKnown ? "lost" : "end unknown";
  const base = found.snapshot?.index ?? 0;
  const same = plain(log.entries()).join() === plain(PREFIX.slice(base)).join();
  const { term, vote } = log.hardState;
  return same && term === 3 && vote === 5 ? "whole" : `wrong: ${log.entries().length} entries behind ${base}, ${term}`;
}

/** Also what was replaced later was written once. */
function isOneOf(entry: Entry): boolean {
  const { index, term } = entry;
  return plain([entry])[0] === plain(entries(index, index, term, 30))[0] && term >= (PREFIX[index - 1]?.term ?? 0) - 1;
}

async function soundness(files: ImageFiles): Promise<"sound" | "corrupt"> {
  try {
    await readLog(files, DIR);
    return "sound";
  } catch (error) {
    if (error instanceof BalsaError && error.code === "corrupt") return "corrupt";
    throw error;
  }
}

test("a sound log is whole, and says so", async () => {
  const files = await smallLog();
  expect(files.segments.length).toBeGreaterThan(2);
  expect(await outcome(files)).toBe("whole");
  const report = await verifyDirectory(files, DIR);
  expect(report).toMatchObject({ damages: [], lost: [], endKnown: true, term: 3, vote: 5, lastIndex: 40 });
  expect(report.snapshot?.index).toBe(8);
});

test("a bit of every third byte of a log's segments, flipped: reported, and restored byte for byte from a peer that has the log", async () => {
  const files = await smallLog();
  const newest = files.segments.at(-1) ?? "";
  const outcomes = new Map<string, number>();
  for (const path of files.segments) {
    const bytes = files.image(path);
    const mark = path === newest ? Buffer.from(bytes).lastIndexOf("BTCH") : bytes.length;
    for (let at = 0; at < mark; at += 3) {
      bytes[at] = (bytes[at] as number) ^ (1 << (at & 7));
      const actual = await outcome(files);
      outcomes.set(actual, (outcomes.get(actual) ?? 0) + 1);
      if (actual !== "whole") throw new Error(`${path}, byte ${at}: ${actual}`);
      bytes[at] = (bytes[at] as number) ^ (1 << (at & 7));
    }
  }
  expect([...outcomes.keys()]).toEqual(["whole"]);
  expect(outcomes.get("whole")).toBeGreaterThan(900);
});

test("a snapshot that came from another member, and that the log does not know of yet: damage since the one before is reported", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1400 });
  await append(storage, { hardState: hardState(1, 0, 10), entries: entries(1, 10, 1, 30) });
  await takeSnapshot(storage, 8, 1);
  storage.compact(8);
  await append(storage, { hardState: hardState(2, 7, 12), entries: entries(11, 40, 2, 30) });
  // The power goes when it is in its place, and before the log begins behind it.
  await receive(storage, 60, 3, await snapshotFile(new RecordedFiles(), 60, 3));
  await storage.close();
  const image = ImageFiles.of(files.disk, DIR);
  expect(await salvage(image)).toMatchObject({ damages: [], isSnapshotAhead: true });
  expect(await soundness(image)).toBe("sound");
  const path = image.segments.at(-2) ?? "";
  const bytes = image.image(path);
  let corrupt = 0;
  for (let at = 0; at < bytes.length; at += 7) {
    bytes[at] = (bytes[at] as number) ^ 4;
    const { damages, log } = await salvage(image);
    const sound = await soundness(image);
    expect([at, damages.length === 0]).toEqual([at, sound === "sound"]);
    if (sound === "corrupt") corrupt += 1;
    // It goes on from the snapshot, so nothing is to be asked of anybody.
    if (sound === "corrupt") expect(log).toMatchObject({ isWhole: true, hardState: { term: 2, vote: 7 } });
    bytes[at] = (bytes[at] as number) ^ 4;
  }
  expect(corrupt).toBeGreaterThan(100);
});

/** Zeroes the head of the batch that begins at `at`. */
function wipeHead(bytes: Uint8Array, at: number): void {
  bytes.fill(0, at, at + 64);
}

function batchesOf(bytes: Uint8Array): readonly number[] {
  return [...Buffer.from(bytes).toString("latin1").matchAll(/BTCH/g)].map(({ index }) => index);
}

test.each([
  // A witness in another sector than the rest says where the log ended.
  ["at rest", true, ["lost", "whole"]],
  // The newest segment's last batches may be damaged beyond what anything vouches for: a torn tail as any other.
  ["whose last batch nothing vouches for", false, ["end taken for torn", "end unknown", "lost", "whole"]],
])(
  "two to four places of a log %s damaged, drawn by a seed: what is left is right, and a peer's log completes it",
  async (_which, isAtRest, expected) => {
    const files = await smallLog(isAtRest);
    const pristine = files.segments.map((path) => [path, files.image(path).slice()] as const);
    const prng = new Prng("several places");
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 600; round++) {
      for (const [path, bytes] of pristine) files.images.set(path, bytes.slice());
      for (let i = prng.between(2, 4); i > 0; i--) {
        const bytes = files.image(prng.pick(files.segments));
        if (prng.chance(0.3)) wipeHead(bytes, prng.pick(batchesOf(bytes).length === 0 ? [0] : batchesOf(bytes)));
        else bytes[prng.below(bytes.length)] = prng.below(256);
      }
      const { log } = await salvage(files);
      const lastTaken = log.endKnown ? log.lastIndex : 0;
      const actual = await outcome(files);
      const key = actual.startsWith("wrong") && lastTaken < 40 ? "end taken for torn" : actual;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      if (key.startsWith("wrong") || key.includes("is not what") || key.includes("damages")) {
        throw new Error(`round ${round}: ${key}`);
      }
    }
    expect([...outcomes.keys()].sort()).toEqual(expected);
    expect(outcomes.get("whole")).toBeGreaterThan(300);
  },
);
