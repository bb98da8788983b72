import { expect, test } from "vitest";
import { ByteWriter, crc32c, sealEntry, writeEntryRecord } from "../../src/codec/index.js";
import { readLog } from "../../src/storage/index.js";
import { ImageFiles } from "./image-files.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  BOOTSTRAP,
  DIR,
  entries,
  GROUP,
  hardState,
  openStorage,
  plain,
  refuseSpares,
  takeSnapshot,
} from "./storages.js";

/** A small directory: a snapshot, one segment, two batches and a mark. */
async function directory(): Promise<ImageFiles> {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(2, 7, 1), entries: [...entries(1, 2, 1, 3), ...entries(3, 3, 2, 0)] });
  await append(storage, { hardState: hardState(3, 8, 2), entries: entries(3, 4, 3, 10) });
  await takeSnapshot(storage, 2, 1, [new Uint8Array([1, 2, 3, 4])]);
  await storage.close();
  const images = ImageFiles.of(files.disk, DIR);
  // It holds nothing yet.
  images.images.delete(images.path(".spare"));
  return images;
}

test("a segment with a flag that is not known here is a later version's, and nothing is touched", async () => {
  const files = await directory();
  const bytes = files.image(files.path(".log"));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(20, view.getUint32(20, true) | 8, true);
  view.setInt32(16, crc32c(bytes, 20, 128, crc32c(bytes, 0, 16, 0)), true);
  await expect(readLog(files, DIR)).rejects.toMatchObject({ code: "identity-mismatch" });
});

class Fields {
  readonly #view: DataView;
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
  i32(at: number): number {
    return this.#view.getInt32(at, true);
  }
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }
  text(at: number, lengthBytes: number): string {
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + at, lengthBytes).toString("latin1");
  }
}

test("a file begins with magic, version, length and checksum, as docs/storage-format.md says", async () => {
  const files = await directory();
  for (const [ending, magic] of [
    ["/identity", "BALSA-ID"],
    [".log", "BALSALOG"],
    [".snapshot", "BALSASNP"],
  ] as const) {
    const bytes = files.image(files.path(ending));
    const fields = new Fields(bytes);
    expect(fields.text(0, 8)).toBe(magic);
    expect(fields.u32(8)).toBe(1);
    const headerBytes = fields.u32(12);
    expect(fields.i32(16)).toBe(crc32c(bytes, 20, headerBytes, crc32c(bytes, 0, 16, 0)));
  }
});

test("a segment and its batches lie as docs/storage-format.md says", async () => {
  const files = await directory();
  const bytes = files.image(files.path(".log"));
  const fields = new Fields(bytes);
  const { incarnation } = (await readLog(files, DIR)).identity;
  expect(fields.u32(12)).toBe(128);
  expect([24, 32, 40, 48, 56, 64, 80, 88, 96].map((at) => fields.u64(at))).toEqual([
    BOOTSTRAP.clusterId,
    BOOTSTRAP.memberId,
    GROUP,
    incarnation,
    2,
    0,
    0,
    0,
    0,
  ]);

  // Terminated.
  expect(fields.u32(20)).toBe(2);
  // The fresh segment's repeated batch, the two that were written, the mark.
  const batches: number[] = [];
  let previousChecksum = fields.i32(16);
  let at = 128;
  for (; fields.text(at, 4) !== "ENDS"; at += fields.u32(at + 8) + fields.u32(at + 12) + fields.u32(at + 16)) {
    const headBytes = fields.u32(at + 8);
    expect(fields.text(at, 4)).toBe("BTCH");
    expect(fields.i32(at + 4)).toBe(crc32c(bytes, at + 8, at + headBytes, 0));
    expect(fields.i32(at + 20)).toBe(previousChecksum);
    expect([fields.u64(at + 24), fields.u64(at + 32), fields.u32(at + 40)]).toEqual([incarnation, 2, at]);
    expect(fields.u32(at + 44)).toBe(at === 128 ? 0 : at);
    const [states, count, runs] = [fields.u32(at + 48), fields.u32(at + 52), fields.u32(at + 56)];
    expect(headBytes).toBe(64 + states * 56 + count * 8 + runs * 24);
    previousChecksum = fields.i32(at + 4);
    batches.push(at);
  }
  expect(batches.length).toBe(4);
  const [, first = 0, second = 0, mark = 0] = batches;
  const expectTerminator = (offset: number, batchChecksum: number): void => {
    const summed = new ByteWriter(24);
    summed.u64(incarnation);
    summed.u64(2);
    summed.u32(offset);
    summed.i32(batchChecksum);
    expect([fields.text(offset, 4), fields.u32(offset + 4)]).toEqual(["ENDS", offset]);
    expect(fields.i32(offset + 8)).toBe(summed.checksum(0, 24));
  };
  expectTerminator(at, previousChecksum);
  // The witness: the mark once more, in the next sector.
  expect(bytes.subarray(at + 12, 4096).every((byte) => byte === 0)).toBe(true);
  const [witness, end] = [4096, 4096 + 120];
  expect([fields.text(witness, 4), fields.u32(witness + 40), fields.u32(witness + 44)]).toEqual([
    "BTCH",
    witness,
    mark,
  ]);
  expect(fields.i32(witness + 20)).toBe(fields.i32(mark + 20));
  expect(bytes.subarray(witness + 48, end)).toEqual(bytes.subarray(mark + 48, at));
  expect(fields.i32(witness + 4)).toBe(crc32c(bytes, witness + 8, end, 0));
  expectTerminator(end, fields.i32(witness + 4));
  expect(bytes.length).toBe(end + 12);

  const state = (batch: number): number[] => [0, 8, 16, 24, 32, 40].map((field) => fields.u64(batch + 64 + field));
  expect(state(first)).toEqual([GROUP, 2, 7, 1, 0, 0]);
  expect(state(second)).toEqual([GROUP, 3, 8, 2, 3, 2]);
  const runsAt = first + 64 + 56 + 3 * 8;
  expect([fields.u64(runsAt), fields.u64(runsAt + 8), fields.u32(runsAt + 16)]).toEqual([1, 1, 2]);
  expect([fields.u64(runsAt + 24), fields.u64(runsAt + 32), fields.u32(runsAt + 40)]).toEqual([3, 2, 1]);
});

test("the log holds entries byte for byte as the wire carries them", async () => {
  const files = await directory();
  const bytes = Buffer.from(files.image(files.path(".log")));
  const list = [...entries(1, 2, 1, 3), ...entries(3, 3, 2, 0)];
  const wire = new ByteWriter();
  for (const entry of list) {
    sealEntry(GROUP, entry);
    writeEntryRecord(wire, entry);
  }
  expect(bytes.includes(Buffer.from(wire.finish()))).toBe(true);
  // And their identities apart from them.
  const checksum = Buffer.alloc(8);
  checksum.writeInt32LE(list[0]?.checksum ?? 0, 0);
  checksum.writeUInt32LE(3, 4);
  expect(bytes.indexOf(checksum)).toBe(128 + 120 + 64 + 56);
});

/** What version 1 wrote, when it was new: segments without terminators. It must be read for ever. */
const VERSION_1: Readonly<Record<string, string>> = {
  "/data/a/identity": ["QkFMU0EtSUQBAAAANgAAAPr+EqoRAAAAAAAQAAEAAAAAABAAAQAAAAAAAADFWDVSomUfAAFh"].join(""),
  "/data/a/log/0000000000000002.log": [
    "QkFMU0FMT0cBAAAAgAAAAAU80cMAAAAAEQAAAAAAEAABAAAAAAAQAAEAAAAAAAAAxVg1UqJlHwACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABCVENIuKXLJngAAAAAAAAAAAAAAAU80cPFWDVSomUfAAIA",
    "AAAAAAAAgAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAABCVENIPCg6ZsAAAABaAAAAAAAAALilyybFWDVSomUfAAIAAAAAAAAA+AAAAPgAAAABAAAAAwAAAAIAAAAAAAAAAQAAAAAAAAACAAAA",
    "AAAAAAcAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABC5BAzAwAAAHkjiu8DAAAAuPvEugAAAAABAAAAAAAAAAEAAAAA",
    "AAAAAgAAAAAAAAADAAAAAAAAAAIAAAAAAAAAAQAAAAAAAABC5BAzAwAAAAEAAAABAAAAAAAAAAEAAAAAAAAAJicoeSOK7wMAAAABAAAAAQAA",
    "AAAAAAACAAAAAAAAAEVGR7j7xLoAAAAAAQAAAAIAAAAAAAAAAwAAAAAAAABCVENIYDoip6AAAABMAAAAAAAAADwoOmbFWDVSomUfAAIAAAAA",
    "AAAAEgIAABICAAABAAAAAgAAAAEAAAAAAAAAAQAAAAAAAAADAAAAAAAAAAgAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAIAAAAAAAAAAAAAAAAA",
    "AAAR6vxLCgAAAJKD9UIKAAAAAwAAAAAAAAADAAAAAAAAAAIAAAAAAAAAEer8SwoAAAABAAAAAwAAAAAAAAADAAAAAAAAAHJzdHV2d3h5enuS",
    "g/VCCgAAAAEAAAADAAAAAAAAAAQAAAAAAAAAkZKTlJWWl5iZmkJUQ0h4roOSeAAAAAAAAAAAAAAAYDoip8VYNVKiZR8AAgAAAAAAAAD+AgAA",
    "/gIAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAMAAAAAAAAACAAAAAAAAAACAAAAAAAAAAQAAAAAAAAAAwAAAAAAAAAAAAAAAAAAAA==",
  ].join(""),
  "/data/a/snapshots/0000000000000002-0000000000000001.snapshot": [
    "QkFMU0FTTlABAAAAOwAAADhnAc0RAAAAAAAQAAEAAAAAAAAAAgECgYCAgICAgAiCgICAgICACAAAAACwKO/VOGcBzQEAAAADAAAAAQIDiHI+",
    "hbAo79UCAAAABAAAAAECAwQDvkkxiHI+hQMAAAAYAAAAAwAAAAAAAAAEAAAAAAAAAIoAAAAAAAAA",
  ].join(""),
};

/** Segments with terminators, up to the end of the log. */
const TERMINATED = {
  ...VERSION_1,
  "/data/a/log/0000000000000002.log": [
    "QkFMU0FMT0cBAAAAgAAAAG6JQeoCAAAAEQAAAAAAEAABAAAAAAAQAAEAAAAAAAAAxVg1UqJlHwACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABCVENISWPiK3gAAAAAAAAAAAAAAG6JQerFWDVSomUfAAIAAAAAAAAA",
    "gAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABCVENI",
    "5e+6/MAAAABaAAAAAAAAAElj4ivFWDVSomUfAAIAAAAAAAAA+AAAAPgAAAABAAAAAwAAAAIAAAAAAAAAAQAAAAAAAAACAAAAAAAAAAcAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABC5BAzAwAAAHkjiu8DAAAAuPvEugAAAAABAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAA",
    "AAAAAAIAAAAAAAAAAQAAAAAAAABC5BAzAwAAAAEAAAABAAAAAAAAAAEAAAAAAAAAJicoeSOK7wMAAAABAAAAAQAAAAAAAAACAAAAAAAAAEVGR7j7",
    "xLoAAAAAAQAAAAIAAAAAAAAAAwAAAAAAAABCVENIqYbER6AAAABMAAAAAAAAAOXvuvzFWDVSomUfAAIAAAAAAAAAEgIAABICAAABAAAAAgAAAAEA",
    "AAAAAAAAAQAAAAAAAAADAAAAAAAAAAgAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAR6vxLCgAAAJKD9UIKAAAAAwAAAAAA",
    "AAADAAAAAAAAAAIAAAAAAAAAEer8SwoAAAABAAAAAwAAAAAAAAADAAAAAAAAAHJzdHV2d3h5enuSg/VCCgAAAAEAAAADAAAAAAAAAAQAAAAAAAAA",
    "kZKTlJWWl5iZmkJUQ0hUwVTmeAAAAAAAAAAAAAAAqYbER8VYNVKiZR8AAgAAAAAAAAD+AgAA/gIAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAMA",
    "AAAAAAAACAAAAAAAAAACAAAAAAAAAAQAAAAAAAAAAwAAAAAAAAAAAAAAAAAAAEVORFN2AwAAEhkDJg==",
  ].join(""),
};

test.each([
  ["on its first day", VERSION_1],
  ["with terminators", TERMINATED],
])("version 1 is read as it was written %s", async (_when, files) => {
  const golden = new ImageFiles();
  for (const [path, base64] of Object.entries(files)) golden.images.set(path, Buffer.from(base64, "base64"));
  const content = await readLog(golden, DIR);
  expect(content.identity).toMatchObject({ name: "a", group: 1, formatVersion: 1 });
  expect(content.hardState).toEqual(hardState(3, 8, 2));
  expect(content.snapshot).toMatchObject({ index: 2, term: 1 });
  expect(plain(content.entries)).toEqual(plain(entries(3, 4, 3, 10)));
  expect(content.torn).toBeUndefined();
});

test("what is written is what was written when it was new", async () => {
  const { images } = await directory();
  const upToEnd = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.min(bytes.length, 898));
  const asText = [...images].map(([path, bytes]) => [path, Buffer.from(upToEnd(bytes)).toString("base64")]);
  expect(Object.fromEntries(asText)).toEqual(TERMINATED);
});

test.each([
  ["in a fresh segment", false],
  ["on a full disk in its place, as it was", true],
])("a log without terminators goes on %s", async (_where, isFull) => {
  const files = new RecordedFiles();
  for (const dir of ["/data", DIR, `${DIR}/log`, `${DIR}/snapshots`]) files.disk.makeDir(dir);
  for (const [path, base64] of Object.entries(VERSION_1)) {
    files.disk.open(path, "create").write(files.disk.nextSequence(), 0, Buffer.from(base64, "base64"));
  }
  refuseSpares(files);
  if (isFull) files.disk.capacityBytes = files.disk.usedBytes;
  const storage = await openStorage(files);
  files.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await append(storage, { hardState: hardState(4, 8, 4), entries: entries(5, 6, 4, 10) });
  await storage.close();
  const images = ImageFiles.of(files.disk, DIR);
  const newest = images.image(images.segments.at(-1) ?? "");
  expect([images.segments.length, new Fields(newest).u32(20)]).toEqual(isFull ? [1, 0] : [2, 2]);
  const { torn, ...content } = await readLog(images, DIR);
  expect([torn, content.hardState]).toEqual([undefined, hardState(4, 8, 4)]);
  expect(plain(content.entries)).toEqual(plain([...entries(3, 4, 3, 10), ...entries(5, 6, 4, 10)]));
  const again = await openStorage(files);
  expect(again.lastIndex()).toBe(6);
  await again.close();
});
