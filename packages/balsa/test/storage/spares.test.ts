import { expect, test } from "vitest";
import { FileError } from "../../src/platform/index.js";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { RecordedFiles } from "./recorded-files.js";
import { allEntries, append, DIR, entries, openStorage, plain, takeSnapshot } from "./storages.js";

const LOG = `${DIR}/log`;

function names(files: RecordedFiles, ending: string): readonly string[] {
  return files.disk.list(LOG).filter((name) => name.endsWith(ending));
}

/** What goes on in the background has come to its end. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
}

/** Fills three segments and releases all but the last, so that what comes next goes into recycled files. */
async function recycled(files: RecordedFiles): Promise<Awaited<ReturnType<typeof openStorage>>> {
  const storage = await openStorage(files, { segmentBytes: 1100 });
  for (let index = 1; index <= 20; index++) await append(storage, { entries: entries(index, index, 1, 100) });
  await takeSnapshot(storage, 18, 1);
  storage.compact(18);
  await quiet();
  for (let index = 21; index <= 27; index++) await append(storage, { entries: entries(index, index, 1, 100) });
  return storage;
}

test("a spare is prepared in the background, and a segment that is full goes on in it", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 1100 });
  await append(storage, { entries: entries(1, 4, 1, 150) });
  await quiet();
  expect(names(files, ".spare")).toEqual(["0000000000000001.spare"]);
  expect(files.disk.open(`${LOG}/0000000000000001.spare`, "read").sizeBytes).toBe(1100);
  let created = 0;
  files.fault = (kind, path) => {
    if (kind === "open" && path.endsWith(".log")) created++;
    return undefined;
  };
  await append(storage, { entries: entries(5, 8, 1, 150) });
  expect(created).toBe(0);
  const newest = files.disk.open(`${LOG}/${names(files, ".log").at(-1)}`, "read");
  expect(newest.sizeBytes).toBe(1100);
  expect(Buffer.from(newest.read(96, 8)).readBigUInt64LE()).toBe(1100n);
  await storage.close();
  expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, 8, 1, 150)));
});

test("released segments become spares, are few, and are taken before new ones are made", async () => {
  const files = new RecordedFiles();
  const storage = await recycled(files);
  // Two: the log stays behind the older one.
  await takeSnapshot(storage, 26, 1);
  await takeSnapshot(storage, 27, 1);
  storage.compact(27);
  await append(storage, { entries: entries(28, 28, 1, 700) });
  await quiet();
  const before = files.journal.length;
  for (let index = 29; index <= 30; index++) await append(storage, { entries: entries(index, index, 1, 700) });
  const made = files.journal.slice(before);
  expect(made.filter(({ kind }) => kind === "create")).toEqual([]);
  expect(made.filter(({ kind }) => kind === "rename").length).toBeGreaterThan(1);
  expect(names(files, ".spare").length).toBeLessThanOrEqual(4);
  await storage.close();
});

test("what a recycled file held before is never taken for the log, and no torn write is told of", async () => {
  const files = new RecordedFiles();
  const storage = await recycled(files);
  await append(storage, { entries: entries(28, 28, 1, 500) });
  await append(storage, { entries: entries(29, 29, 1, 10) });
  const newest = `${LOG}/${names(files, ".log").at(-1)}`;
  const bytes = files.disk.open(newest, "read").read(0, 1100);
  // It does hold a batch of its older life.
  expect(Buffer.from(bytes).readUInt32LE(20) & 1).toBe(1);
  const log = await readLog(files, DIR);
  expect(plain(log.entries)).toEqual(
    plain([...entries(19, 27, 1, 100), ...entries(28, 28, 1, 500), ...entries(29, 29, 1, 10)]),
  );
  expect(log.torn).toBeUndefined();
  await storage.close();
  expect((await readLog(files, DIR)).torn).toBeUndefined();
  const again = await openStorage(files, { segmentBytes: 1100 });
  expect(allEntries(again).length).toBe(11);
  await again.close();
});

test("zeros in place of an acknowledged batch's head, in a recycled file, are damage all the same", async () => {
  const files = new RecordedFiles();
  const storage = await recycled(files);
  await append(storage, { entries: entries(28, 28, 1, 500) });
  for (let index = 29; index <= 30; index++) await append(storage, { entries: entries(index, index, 1, 10) });
  await storage.close();
  const images = ImageFiles.of(files.disk, DIR);
  const bytes = Buffer.from(images.image(images.segments.at(-1) ?? "").buffer);
  const second = bytes.indexOf("BTCH", bytes.indexOf("BTCH") + 4);
  bytes.fill(0, second, second + 8);
  await expect(readLog(images, DIR)).rejects.toMatchObject({ code: "corrupt" });
});

test("spares that an earlier process left are used; where they are too many or unfit, they go", async () => {
  const files = new RecordedFiles();
  await (await recycled(files)).close();
  const left = names(files, ".spare");
  expect(left.length).toBeGreaterThan(0);
  files.disk.open(`${LOG}/0000000000000099.spare`, "create").write(files.disk.nextSequence(), 0, new Uint8Array(7));
  const again = await openStorage(files, { segmentBytes: 1100 });
  expect(names(files, ".spare")).not.toContain("0000000000000099.spare");
  expect(names(files, ".spare")).not.toContain(left[0]);
  await again.close();
});

test("spares grow with what is written: a small directory stays small", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 1, 1) });
  await quiet();
  await storage.close();
  const sizes = files.disk.list(LOG).map((name) => files.disk.open(`${LOG}/${name}`, "read").sizeBytes);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(70_000);
});

test("what an earlier process left is not written to when some of it can't be read: it is removed", async () => {
  const files = new RecordedFiles();
  const before = await recycled(files);
  await takeSnapshot(before, 26, 1);
  await quiet();
  await before.close();
  const spares = names(files, ".spare");
  const segments = names(files, ".log");
  expect(spares.length).toBeGreaterThan(1);
  const written: string[] = [];
  files.fault = (kind, path) => {
    if (kind === "read" && path.endsWith(".spare")) return new FileError("io", path, "unreadable");
    if (kind.startsWith("write") && path.endsWith(".spare")) written.push(path);
    return undefined;
  };
  const after = await openStorage(files, { segmentBytes: 1100 });
  await quiet();
  files.fault = undefined;
  expect(written).toEqual([]);
  expect(names(files, ".spare").filter((name) => spares.includes(name))).toEqual([]);
  for (let index = 28; index <= 40; index++) await append(after, { entries: entries(index, index, 1, 100) });
  await after.close();
  expect(segments.length).toBeGreaterThan(0);
  expect((await readLog(files, DIR)).entries.at(-1)?.index).toBe(40);
});

test("nor is a segment of an earlier process: what lies behind its last batch nobody has read", async () => {
  const files = new RecordedFiles();
  const before = await openStorage(files, { segmentBytes: 1100 });
  for (let index = 1; index <= 20; index++) await append(before, { entries: entries(index, index, 1, 100) });
  await before.close();
  const segments = names(files, ".log");
  const after = await openStorage(files, { segmentBytes: 1100 });
  await quiet();
  const written: string[] = [];
  files.fault = (kind, path) => {
    if (!segments.some((name) => path.endsWith(name))) return undefined;
    if (kind.startsWith("write")) written.push(path);
    return kind === "read" ? new FileError("io", path, "unreadable") : undefined;
  };
  await takeSnapshot(after, 18, 1);
  after.compact(18);
  await quiet();
  files.fault = undefined;
  expect(written).toEqual([]);
  const left = names(files, ".log").filter((name) => segments.includes(name));
  expect(left.length).toBeLessThan(segments.length - 1);
  for (let index = 21; index <= 40; index++) await append(after, { entries: entries(index, index, 1, 100) });
  await after.close();
  expect((await readLog(files, DIR)).entries.at(-1)?.index).toBe(40);
});
