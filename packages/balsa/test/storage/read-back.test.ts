import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/core/index.js";
import { type File, FileError } from "../../src/platform/index.js";
import { Prng } from "../../src/sim/index.js";
import type { DiskStorage } from "../../src/storage/index.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  codeOf,
  DIR,
  entries,
  entriesInMemory,
  entry,
  hardState,
  meta,
  openStorage,
  plain,
  readEntries,
  readFrom,
  receive,
  snapshotFile,
  takeSnapshot,
} from "./storages.js";

/** Reads of the log's files wait while a gate is closed. */
class GatedFiles extends RecordedFiles {
  #open: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();
  /** Reads that came to a closed gate. */
  waiting = 0;

  closeGate(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  openGate(): void {
    this.#open();
  }

  override async open(path: string, mode: "read" | "write" | "create"): Promise<File> {
    const file = await super.open(path, mode);
    if (mode !== "read" || !path.endsWith(".log")) return file;
    const read = file.read.bind(file);
    file.read = async (position, lengthBytes) => {
      this.waiting++;
      await this.#gate;
      return read(position, lengthBytes);
    };
    return file;
  }
}

const TINY = { segmentBytes: 4096, cacheBytes: 3000 };

async function filled(files: RecordedFiles, options = TINY): Promise<DiskStorage> {
  const storage = await openStorage(files, options);
  for (let from = 1; from <= 191; from += 10) await append(storage, { entries: entries(from, from + 9, 1, 50) });
  return storage;
}

const WHOLE = entries(1, 200, 1, 50);

describe("the cache of entries", () => {
  test("holds the newest entries, within its bytes; the others are answered with: not in memory", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    expect(storage.cachedBytes).toBeLessThanOrEqual(3000);
    expect(entriesInMemory(storage, 200, 201)).toHaveLength(1);
    const newest = allInMemory(storage);
    expect(newest.at(-1)?.index).toBe(200);
    expect(newest.length).toBeGreaterThan(5);
    expect(newest.length).toBeLessThan(20);
    expect(entriesInMemory(storage, 1, 201)).toBeUndefined();
    // Terms and the log's ends are always known.
    for (let index = 0; index <= 200; index++) expect(storage.term(index)).toBe(index === 0 ? 0 : 1);
    expect(storage.logBytes).toBe(200 * 78);
    await storage.close();
  });

  test("counts the buffers that payloads keep alive, not the payloads", async () => {
    const storage = await openStorage(new RecordedFiles(), { cacheBytes: 100_000 });
    for (let index = 1; index <= 40; index++) {
      // Each a few bytes of a buffer of its own, as a small message of a large frame.
      const data = new Uint8Array(10_000).subarray(0, 10);
      await append(storage, { entries: [{ ...entry(index, 1), data, checksum: 0 }] });
      expect(storage.cachedBytes).toBeLessThanOrEqual(100_000);
    }
    expect(allInMemory(storage).length).toBe(7);
    await storage.close();
  });

  test("entries that share a buffer share its cost", async () => {
    const storage = await openStorage(new RecordedFiles(), { cacheBytes: 40_000 });
    const slab = new Uint8Array(10_000);
    const list = entries(1, 50, 1).map((each, i) => ({ ...each, data: slab.subarray(i * 200, i * 200 + 200) }));
    await append(storage, { entries: list });
    expect(allInMemory(storage)).toHaveLength(50);
    expect(storage.cachedBytes).toBe(10_000 + 104 + 50 * 170);
    await append(storage, { entries: entries(41, 41, 2) });
    expect(storage.cachedBytes).toBe(10_000 + 104 + 41 * 170 + 20 + 104);
    // Also where entries of other buffers lie in between.
    const mixed = list.slice(0, 10).map((each, i) => ({ ...each, index: 42 + 2 * i, term: 2, checksum: 0 }));
    for (const each of mixed) await append(storage, { entries: [each, ...entries(each.index + 1, each.index + 1, 2)] });
    expect(storage.cachedBytes).toBe(10_000 + 104 + 61 * 170 + 11 * (20 + 104));
    await append(storage, { entries: entries(1, 3, 3) });
    expect(storage.cachedBytes).toBe(3 * (20 + 104 + 170));
    await storage.close();
  });

  test("what is read back does not push the newest out, and is bounded as well", async () => {
    const storage = await filled(new RecordedFiles(), { segmentBytes: 4096, cacheBytes: 12_000 });
    const newest = allInMemory(storage);
    expect(plain(await readEntries(storage))).toEqual(plain(WHOLE));
    expect(entriesInMemory(storage, newest[0]?.index ?? 0, 201)).toEqual(newest);
    // A piece is never refused: it may be larger than its share.
    expect(storage.cachedBytes).toBeLessThan(12_000 + 4096 * 4);
    await storage.close();
  });

  test("with no bytes at all everything is read back", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files, { segmentBytes: 4096, cacheBytes: 0 });
    expect(entriesInMemory(storage, 200, 201)).toBeUndefined();
    expect(plain(await readEntries(storage))).toEqual(plain(WHOLE));
    await storage.close();
    const again = await openStorage(files, { segmentBytes: 4096, cacheBytes: 0 });
    expect(plain(await readEntries(again))).toEqual(plain(WHOLE));
    await again.close();
  });
});

describe("reading back", () => {
  test("F1 after a restart entries are where they were, the repeated batch included", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    await append(storage, { entries: entries(195, 197, 2, 50) });
    await storage.close();
    const whole = plain([...entries(1, 194, 1, 50), ...entries(195, 197, 2, 50)]);
    for (let i = 0; i < 3; i++) {
      const again = await openStorage(files, TINY);
      expect(again.cachedBytes).toBeLessThanOrEqual(3000);
      expect(plain(await readEntries(again))).toEqual(whole);
      expect(plain(await readEntries(again, 1))).toEqual(whole);
      await again.close();
    }
  });

  test("entries that give way while they are read are not answered with", async () => {
    const files = new GatedFiles();
    const storage = await filled(files);
    files.closeGate();
    const fetch = storage.fetchEntries(100, 201);
    await until(() => files.waiting > 0);
    await append(storage, { entries: entries(90, 110, 2, 50) });
    files.openGate();
    await fetch;
    expect(entriesInMemory(storage, 100, 101)?.[0]?.term ?? 2).toBe(2);
    expect(plain(await readEntries(storage))).toEqual(plain([...entries(1, 89, 1, 50), ...entries(90, 110, 2, 50)]));
    await storage.close();
  });

  test("entries that were read back and give way then are not answered with", async () => {
    const storage = await filled(new RecordedFiles());
    await storage.fetchEntries(100, 201);
    expect(entriesInMemory(storage, 100, 101)).toHaveLength(1);
    await append(storage, { entries: entries(95, 200, 3, 50) });
    expect(plain(await readFrom(storage, 100, 1))).toEqual(plain(entries(100, 100, 3, 50)));
    await storage.close();
  });

  test("compaction while entries are read: their file may be gone, and nobody is told that it is damaged", async () => {
    const files = new GatedFiles();
    const storage = await filled(files);
    files.closeGate();
    const fetches = [storage.fetchEntries(1, 201), storage.fetchEntries(140, 201)];
    await until(() => files.waiting > 1);
    await takeSnapshot(storage, 120, 1);
    await takeSnapshot(storage, 150, 1);
    storage.compact(150);
    // New segments, in recycled files as well.
    for (let index = 201; index <= 260; index++) await append(storage, { entries: entries(index, index, 1, 300) });
    files.openGate();
    await Promise.all(fetches);
    expect(() => storage.entries(1, 2, 1)).toThrow("compacted");
    const whole = [...entries(151, 200, 1, 50), ...entries(201, 260, 1, 300)];
    expect(plain(await readEntries(storage))).toEqual(plain(whole));
    await storage.close();
  });

  test("a snapshot from elsewhere that replaces the log while entries are read", async () => {
    const files = new GatedFiles();
    const storage = await filled(files);
    files.closeGate();
    const fetch = storage.fetchEntries(50, 201);
    await until(() => files.waiting > 0);
    await receive(storage, 500, 2, await snapshotFile(new RecordedFiles(), 500, 2));
    await append(storage, {
      hardState: hardState(2, 0, 500),
      snapshot: { meta: meta(500, 2), data: new Uint8Array(0) },
      entries: entries(501, 520, 2),
    });
    files.openGate();
    await fetch;
    expect(() => storage.entries(50, 51, 1)).toThrow("compacted");
    expect(plain(await readEntries(storage))).toEqual(plain(entries(501, 520, 2)));
    await storage.close();
  });

  test("what is asked for and is not there is no error: asking again tells", async () => {
    const storage = await filled(new RecordedFiles());
    await storage.fetchEntries(0, 5);
    await storage.fetchEntries(201, 300);
    await storage.fetchEntries(200, 201);
    expect(() => storage.entries(201, 203, 1)).toThrow("unavailable");
    await storage.close();
    expect(await codeOf(storage.fetchEntries(1, 5))).toBe("closed");
  });

  test("F1 a damaged entry behind the snapshot is corruption: file, offset, index and term", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    rotEntry(files, 100);
    await expect(storage.fetchEntries(95, 201)).rejects.toThrow(
      /^\/data\/a\/log\/\d+\.log is damaged at offset \d+, index 100, term 1: an entry's checksum does not fit$/,
    );
    // What is before it in the log is answered.
    expect(plain(await readFrom(storage, 5, 1))).toEqual(plain(entries(5, 5, 1, 50)));
    await storage.close();
    expect(await codeOf(openStorage(files, TINY))).toBe("corrupt");
  });

  test("F2 a damaged entry before the snapshot costs those entries: the log begins behind the snapshot", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    await takeSnapshot(storage, 150, 1);
    rotEntry(files, 100);
    const warnings: string[] = [];
    await storage.fetchEntries(95, 201);
    expect(storage.firstIndex()).toBe(151);
    expect(plain(await readEntries(storage))).toEqual(plain(entries(151, 200, 1, 50)));
    await storage.close();
    const logger = { log: (_level: string, message: string) => warnings.push(message) };
    const again = await openStorage(files, { ...TINY, keepEntries: 100, logger });
    await again.fetchEntries(95, 201);
    expect(again.firstIndex()).toBe(151);
    expect(plain(await readEntries(again))).toEqual(plain(entries(151, 200, 1, 50)));
    expect(warnings).toContain("the log is damaged before the snapshot; it begins behind that now");
    await again.close();
  });

  test("a file that can't be read is no corruption", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    files.fault = (kind, path) => (kind === "read" ? new FileError("io", path, "unreadable") : undefined);
    expect(await codeOf(storage.fetchEntries(1, 10))).toBe("storage-failed");
    files.fault = undefined;
    await storage.close();
  });
});

describe("the log before the snapshot", () => {
  test("F2 is there after a restart for slow followers, as far as it was kept", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    await takeSnapshot(storage, 150, 1);
    storage.compact(120);
    await storage.close();
    const again = await openStorage(files, { ...TINY, keepEntries: 30 });
    expect(again.firstIndex()).toBe(121);
    expect(again.term(120)).toBe(1);
    expect(plain(await readEntries(again))).toEqual(plain(entries(121, 200, 1, 50)));
    await again.close();
    // More than there is: the segments tell how far back it goes.
    const wanted = await openStorage(files, { ...TINY, keepEntries: 1000 });
    expect(plain(await readEntries(wanted))).toEqual(plain(entries(wanted.firstIndex(), 200, 1, 50)));
    expect(wanted.firstIndex()).toBeLessThanOrEqual(121);
    await wanted.close();
  });

  test("F2 it is kept as far as the oldest snapshot that is kept: that one and the log stand in for a damaged newest", async () => {
    const files = new RecordedFiles();
    const storage = await filled(files);
    await takeSnapshot(storage, 60, 1);
    storage.compact(60);
    await takeSnapshot(storage, 150, 1);
    storage.compact(150);
    expect(storage.firstIndex()).toBe(151);
    await storage.close();
    for (let i = 0; i < 2; i++) await (await openStorage(files, TINY)).close();
    const [, newest = ""] = files.disk.list(`${DIR}/snapshots`);
    files.disk.open(`${DIR}/snapshots/${newest}`, "write").rot(30, 1);
    const again = await openStorage(files, TINY);
    expect(again.snapshot().meta.index).toBe(60);
    expect(plain(await readEntries(again))).toEqual(plain(entries(61, 200, 1, 50)));
    await again.close();
  });
});

/** Appends, overwrites, snapshots, compactions and resets, while reads are under way all the time. */
async function mixed(seed: number): Promise<number> {
  const prng = new Prng(`read back ${seed}`);
  const files = new RecordedFiles(undefined, { pace: prng.stream("files") });
  const options = { segmentBytes: prng.pick([600, 2048, 8192]), cacheBytes: prng.pick([0, 500, 2000, 6000]) };
  let storage = await openStorage(files, options);
  let model: Entry[] = [];
  let base = 0;
  let commit = 0;
  let term = 1;
  let fetched = 0;
  const reads: Promise<void>[] = [];
  let isWriting = false;
  const check = (from: number): void => {
    if (isWriting) return;
    const found = from > base ? entriesInMemory(storage, from, storage.lastIndex() + 1) : undefined;
    if (found === undefined) return;
    fetched++;
    expect(plain(found)).toEqual(plain(model.slice(from - base - 1, from - base - 1 + found.length)));
  };
  for (let step = 0; step < 120; step++) {
    const last = base + model.length;
    switch (prng.below(10)) {
      case 0: {
        if (commit <= storage.snapshot().meta.index) break;
        await takeSnapshot(storage, commit, storage.term(commit));
        const to = prng.between(base, commit);
        if (to < storage.firstIndex()) break;
        storage.compact(to);
        model = model.slice(to - base);
        base = to;
        break;
      }
      case 1:
        await Promise.all(reads.splice(0));
        await storage.close();
        storage = await openStorage(files, { ...options, keepEntries: 1e6 });
        expect(storage.firstIndex()).toBeLessThanOrEqual(base + 1);
        if (storage.firstIndex() <= base) storage.compact(base);
        break;
      case 2:
      case 3:
      case 4: {
        const from = prng.between(commit + 1, last + 1);
        if (from <= last) term++;
        const list = entries(from, from + prng.below(12), term, prng.below(150));
        isWriting = true;
        await append(storage, { entries: list });
        isWriting = false;
        model = [...model.slice(0, from - base - 1), ...list];
        break;
      }
      case 5:
        commit = Math.max(commit, prng.between(commit, last));
        await append(storage, { hardState: hardState(term, 0, commit) });
        break;
      default:
        if (last === base) break;
        for (let i = prng.below(4); i >= 0; i--) {
          const from = prng.between(base + 1, last);
          const current = storage;
          reads.push(current.fetchEntries(from, last + 1).then(() => (current === storage ? check(from) : undefined)));
        }
        if (prng.chance(0.5)) await reads.shift();
    }
    expect(storage.lastIndex()).toBe(base + model.length);
    for (let i = 0; i < 3 && model.length > 0; i++) check(prng.between(base + 1, base + model.length));
  }
  await Promise.all(reads);
  expect(plain(await readEntries(storage))).toEqual(plain(model));
  expect(storage.logBytes).toBe(model.reduce((sum, { data }) => sum + 28 + data.length, 0));
  await storage.close();
  return fetched;
}

test("F1 F2 whatever is written, cut and compacted while entries are read back, an array would answer the same", async () => {
  let fetched = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      fetched += await mixed(seed);
    }),
    { numRuns: 30 },
  );
  expect(fetched).toBeGreaterThan(500);
}, 60_000);

/** What `entries` answers with from the first one that is in memory behind all that is not. */
function allInMemory(storage: DiskStorage): readonly Entry[] {
  const last = storage.lastIndex();
  let from = last + 1;
  while (from > storage.firstIndex() && entriesInMemory(storage, from - 1, last + 1) !== undefined) from--;
  return from > last ? [] : storage.entries(from, last + 1, 1e9);
}

/** A bit of this entry's payload rots, in whichever segment it is. */
function rotEntry(files: RecordedFiles, index: number): void {
  const wanted = Buffer.from(entry(index, 1, 50).data);
  for (const name of files.disk.list(`${DIR}/log`)) {
    const file = files.disk.open(`${DIR}/log/${name}`, "write");
    const at = Buffer.from(file.read(0, file.sizeBytes)).indexOf(wanted);
    if (at === -1) continue;
    file.rot(at + 7, 3);
    return;
  }
  throw new Error("the entry is in no segment");
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await Promise.resolve();
  if (!condition()) throw new Error("it does not come about");
}
