import { expect, test } from "vitest";
import { StorageError } from "../../src/core/index.js";
import { FileError, type Logger } from "../../src/platform/index.js";
import { type DiskStorage, readLog } from "../../src/storage/index.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  BOOTSTRAP,
  CONF_STATE,
  codeOf,
  contentOf,
  DIR,
  entries,
  hardState,
  meta,
  openStorage,
  payload,
  plain,
  receive,
  snapshotFile,
  takeSnapshot,
} from "./storages.js";

function stored(files: RecordedFiles): readonly string[] {
  return files.disk.list(`${DIR}/snapshots`);
}

function name(index: number, term: number): string {
  return `${String(index).padStart(16, "0")}-${String(term).padStart(16, "0")}.snapshot`;
}

const OUT_OF_DATE = new StorageError("snapshot-out-of-date");

test("F2 a snapshot is read back as it was written, whatever its pieces", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(1, 0, 9), entries: entries(1, 9, 1) });
  const pieces = [0, 1, 65_535, 65_536, 65_537, 200_000, 0, 17].map((bytes, i) => payload(i, 1, bytes));
  const library = payload(3, 3, 150_000);
  const writer = await storage.createSnapshot(meta(7, 1), library);
  for (const piece of pieces) await writer.write(piece);
  expect(storage.snapshot().meta.index).toBe(0);
  await writer.commit();
  expect(storage.snapshot().meta).toEqual(meta(7, 1));
  expect(storage.initialState().confState).toEqual(CONF_STATE);
  await storage.close();
  const again = await openStorage(files);
  const reader = await again.openSnapshot();
  expect(reader.meta).toEqual(meta(7, 1));
  expect(Buffer.compare(reader.library, library)).toBe(0);
  await reader.close();
  expect(Buffer.compare(await contentOf(again), Buffer.concat(pieces))).toBe(0);
  expect(again.snapshot().meta).toEqual(meta(7, 1));
  expect(plain(allEntries(again))).toEqual(plain(entries(8, 9, 1)));
  await again.close();
});

test("F2 an empty snapshot is one too", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 2, 1) });
  const writer = await storage.createSnapshot(meta(2, 1), new Uint8Array(0));
  await writer.commit();
  expect((await contentOf(storage)).length).toBe(0);
  await storage.close();
});

test("F3 a snapshot's file, sent in pieces, becomes current only by a write", async () => {
  const sent = await snapshotFile(new RecordedFiles(), 50, 3);
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(2, 0, 4), entries: entries(1, 9, 2) });
  await receive(storage, 50, 3, sent);
  expect(storage.snapshot().meta.index).toBe(0);
  expect(stored(files)).toEqual([name(50, 3)]);
  expect((await readLog(files, DIR)).snapshot).toBeUndefined();
  await append(storage, { snapshot: { meta: meta(50, 3), data: new Uint8Array(0) }, hardState: hardState(3, 0, 50) });
  expect(storage.firstIndex()).toBe(51);
  expect(storage.lastIndex()).toBe(50);
  expect(storage.term(50)).toBe(3);
  expect(storage.logBytes).toBe(0);
  expect(await contentOf(storage)).toEqual(payload(50, 3, 100));
  await storage.close();
  expect((await readLog(files, DIR)).snapshot).toEqual(meta(50, 3));
});

test("F3 one that was received but never taken over is removed", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(2, 0, 4), entries: entries(1, 9, 2) });
  await receive(storage, 50, 3, await snapshotFile(new RecordedFiles(), 50, 3));
  // Also one that seems to lie within the log, but is of another term.
  await receive(storage, 6, 1, await snapshotFile(new RecordedFiles(), 6, 1));
  await storage.close();
  const again = await openStorage(files);
  expect(plain(allEntries(again))).toEqual(plain(entries(1, 9, 2)));
  expect(again.snapshot().meta.index).toBe(0);
  await again.close();
  expect(stored(files)).toEqual([]);
});

test("F3 a received file is verified before it gets its name: every byte, cut anywhere, another's", async () => {
  const sent = await snapshotFile(new RecordedFiles(), 50, 3);
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  const codes = new Set<string>();
  for (let at = 0; at < sent.length; at++) {
    const changed = sent.slice();
    changed[at] = (changed[at] as number) ^ 0x10;
    codes.add(await codeOf(receive(storage, 50, 3, changed)));
    codes.add(await codeOf(receive(storage, 50, 3, sent.slice(0, at))));
  }
  expect([...codes]).toEqual(["corrupt"]);
  expect(await codeOf(receive(storage, 50, 4, sent))).toBe("corrupt");
  expect(await codeOf(receive(storage, 50, 3, Buffer.concat([sent, sent])))).toBe("corrupt");
  const elsewhere = await openStorage(files, { dir: "/data/c", expect: { ...BOOTSTRAP, clusterId: 2 ** 52 + 5 } });
  expect(await codeOf(receive(elsewhere, 50, 3, sent))).toBe("identity-mismatch");
  await elsewhere.close();
  expect(stored(files)).toEqual([]);
  await receive(storage, 50, 3, sent);
  await storage.close();
});

test("F2 the newest two are kept, and any that is being read", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1) });
  await takeSnapshot(storage, 2, 1);
  const reader = await storage.openSnapshot();
  await takeSnapshot(storage, 4, 1);
  await takeSnapshot(storage, 6, 1);
  await takeSnapshot(storage, 8, 1);
  await storage.openSnapshot(meta(6, 1)).then((other) => other.close());
  expect(stored(files)).toEqual([name(2, 1), name(6, 1), name(8, 1)]);
  expect(await codeOf(storage.openSnapshot(meta(4, 1)))).toBe("invalid-argument");
  await reader.close();
  await reader.close();
  await storage.close();
  expect(stored(files)).toEqual([name(6, 1), name(8, 1)]);
});

test("F2 an older snapshot than the current one is refused, also when it is overtaken", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1) });
  const slow = await storage.createSnapshot(meta(3, 1), new Uint8Array(0));
  await takeSnapshot(storage, 5, 1);
  await expect(slow.commit()).rejects.toEqual(OUT_OF_DATE);
  await expect(storage.createSnapshot(meta(5, 1), new Uint8Array(0))).rejects.toEqual(OUT_OF_DATE);
  await expect(storage.receiveSnapshot(meta(4, 1))).rejects.toEqual(OUT_OF_DATE);
  expect(stored(files)).toEqual([name(5, 1)]);
  await storage.close();
});

test("F2 what is aborted or fails leaves nothing, and does not stop the log", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1) });
  const writer = await storage.createSnapshot(meta(3, 1), new Uint8Array(9));
  await writer.write(new Uint8Array(100_000));
  await writer.abort();
  await writer.abort();
  expect(stored(files)).toEqual([]);
  for (const kind of ["write", "sync", "rename", "open"] as const) {
    files.fault = (called, path) => (called === kind ? new FileError("full", path, "injected") : undefined);
    expect(await codeOf(takeSnapshot(storage, 3, 1))).toBe("disk-full");
    files.fault = undefined;
  }
  expect(stored(files)).toEqual([]);
  await append(storage, { entries: entries(10, 10, 1) });
  await takeSnapshot(storage, 3, 1);
  expect(stored(files)).toEqual([name(3, 1)]);
  await storage.close();
});

test("F2 the log is compacted behind a durable snapshot only, and a tail may be kept", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files, { segmentBytes: 512 });
  for (let index = 1; index <= 40; index++) await append(storage, { entries: entries(index, index, 1, 100) });
  expect(() => storage.compact(1)).toThrow("can't be compacted");
  await takeSnapshot(storage, 30, 1);
  expect(() => storage.compact(31)).toThrow("can't be compacted");
  const segments = files.disk.list(`${DIR}/log`).length;
  storage.compact(20);
  storage.compact(20);
  expect(storage.firstIndex()).toBe(21);
  expect(storage.term(20)).toBe(1);
  expect(storage.logBytes).toBe(20 * 128);
  await append(storage, { entries: entries(41, 41, 1) });
  await storage.close();
  expect(files.disk.list(`${DIR}/log`).length).toBeLessThan(segments - 15);
  const again = await openStorage(files);
  expect(again.firstIndex()).toBe(31);
  expect(again.lastIndex()).toBe(41);
  await again.close();
});

test("F2 a damaged snapshot is passed over where the log reaches back to the one before", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1), hardState: hardState(1, 0, 8) });
  await takeSnapshot(storage, 3, 1);
  await takeSnapshot(storage, 6, 1);
  await storage.close();
  files.disk.open(`${DIR}/snapshots/${name(6, 1)}`, "write").resize(files.disk.nextSequence(), 100);
  const warnings: string[] = [];
  const logger: Logger = { log: (level, message) => warnings.push(`${level}: ${message}`) };
  const again = await openStorage(files, { logger });
  expect(again.snapshot().meta).toEqual(meta(3, 1));
  expect(plain(allEntries(again))).toEqual(plain(entries(4, 9, 1)));
  expect(warnings).toEqual(["warn: a damaged snapshot is not used"]);
  // Taken again, it is in the way of nothing.
  await takeSnapshot(again, 6, 1);
  expect((await contentOf(again)).length).toBe(100);
  await again.close();
});

test("F1 what is read back is committed at least as far as the snapshot reaches", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1), hardState: hardState(1, 0, 0) });
  await append(storage, { hardState: hardState(1, 0, 7) });
  await takeSnapshot(storage, 7, 1);
  // A crash: the commit index was never written.
  files.disk.crash({ keep: (steps) => steps.length, tear: () => 0 });
  expect((await readLog(files, DIR)).hardState.commit).toBe(7);
});

test("F3 a write with a snapshot whose file is not there is a bug of the caller's", async () => {
  const storage = await openStorage(new RecordedFiles());
  expect(() =>
    storage.append(
      { hardState: undefined, entries: [], snapshot: { meta: meta(5, 1), data: new Uint8Array(0) }, mustSync: true },
      () => {},
    ),
  ).toThrow("only when its file is in its place");
  await storage.close();
});

test("F2 what is still open when the storage is closed touches the directory no more", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 9, 1) });
  await takeSnapshot(storage, 2, 1);
  const reader = await storage.openSnapshot();
  await takeSnapshot(storage, 4, 1);
  await takeSnapshot(storage, 6, 1);
  const writer = await storage.createSnapshot(meta(8, 1), new Uint8Array(0));
  await storage.close();
  await reader.close();
  expect(await codeOf(writer.commit())).toBe("closed");
  expect(stored(files)).toEqual([name(2, 1), name(4, 1), name(6, 1)]);
  await (await openStorage(files)).close();
  expect(stored(files)).toEqual([name(4, 1), name(6, 1)]);
});

/** A snapshot's file of several blocks, and what a receiver kept of it when its connection broke at `position`. */
async function suspendedAt(
  position: number,
): Promise<{ files: RecordedFiles; storage: DiskStorage; file: Uint8Array }> {
  const peer = await openStorage(new RecordedFiles(), { dir: "/data/peer", expect: { ...BOOTSTRAP, name: "peer" } });
  const content = Array.from({ length: 5 }, (_, i) => payload(i, 1, 50_000));
  const writer = await peer.createSnapshot(meta(50, 2), payload(1, 2, 1000));
  for (const piece of content) await writer.write(piece);
  await writer.commit();
  await append(peer, { hardState: hardState(2, 0, 50), snapshot: { meta: meta(50, 2), data: new Uint8Array(0) } });
  const reader = await peer.openSnapshot();
  const file = await reader.readRaw(0, reader.fileBytes);
  await reader.close();
  await peer.close();
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  const receiver = await storage.receiveSnapshot(meta(50, 2));
  for (let at = 0; at < position; at += 7_000) {
    await receiver.write(file.subarray(at, Math.min(at + 7_000, position)));
  }
  await receiver.suspend();
  return { files, storage, file };
}

test("F3 what was received of a snapshot before its connection broke is verified and gone on with", async () => {
  const { storage, file } = await suspendedAt(200_000);
  const receiver = await storage.receiveSnapshot(meta(50, 2));
  const { resumed } = receiver;
  if (resumed === undefined) throw new Error("nothing was kept");
  // Whole blocks only.
  expect(resumed.position).toBeLessThanOrEqual(200_000);
  expect(resumed.position).toBeGreaterThan(200_000 - 2 * 65_536);
  expect(new DataView(file.buffer, file.byteOffset).getInt32(resumed.position + 4, true)).toBe(resumed.checksum);
  await receiver.write(file.subarray(resumed.position));
  await receiver.finish();
  await append(storage, { hardState: hardState(2, 0, 50), snapshot: { meta: meta(50, 2), data: new Uint8Array(0) } });
  const reader = await storage.openSnapshot();
  expect(Buffer.compare(await reader.readRaw(0, reader.fileBytes), file)).toBe(0);
  expect(await reader.agreesWith(resumed)).toBe(true);
  expect(await reader.agreesWith({ position: resumed.position, checksum: resumed.checksum ^ 1 })).toBe(false);
  expect(await reader.agreesWith({ position: file.length, checksum: 0 })).toBe(false);
  await reader.close();
  await storage.close();
});

test("F3 of a part that is damaged only what is sound before that is gone on with", async () => {
  const { files, storage, file } = await suspendedAt(200_000);
  const [name = ""] = files.disk.list(`${DIR}/snapshots`);
  const bytes = await files.open(`${DIR}/snapshots/${name}`, "write");
  await bytes.write(100_000, [Uint8Array.of((file[100_000] ?? 0) ^ 8)]);
  await bytes.close();
  const receiver = await storage.receiveSnapshot(meta(50, 2));
  expect(receiver.resumed?.position).toBeLessThanOrEqual(100_000);
  expect(receiver.resumed?.position).toBeGreaterThan(0);
  await receiver.write(file.subarray(receiver.resumed?.position));
  await receiver.finish();
  await storage.close();
});

test("F3 a part of another snapshot, or of nothing sound, is thrown away; it never outlives the process", async () => {
  const short = await suspendedAt(100);
  expect((await short.storage.receiveSnapshot(meta(50, 2))).resumed).toBeUndefined();
  await short.storage.close();

  const { files, storage, file } = await suspendedAt(200_000);
  const receiver = await storage.receiveSnapshot(meta(60, 2));
  expect(receiver.resumed).toBeUndefined();
  await receiver.abort();
  expect((await storage.receiveSnapshot(meta(50, 2))).resumed).toBeUndefined();
  const begun = await storage.receiveSnapshot(meta(50, 2));
  await begun.write(file.subarray(0, 150_000));
  await begun.suspend();
  await storage.close();
  const again = await openStorage(files);
  await again.close();
  expect(files.disk.list(`${DIR}/snapshots`)).toEqual([]);
});

test("F3 a part whose sender turns out to have another file is begun anew", async () => {
  const { storage, file } = await suspendedAt(200_000);
  const receiver = await storage.receiveSnapshot(meta(50, 2));
  expect(receiver.resumed).toBeDefined();
  await receiver.restart();
  await receiver.write(file);
  await receiver.finish();
  await storage.close();
});
