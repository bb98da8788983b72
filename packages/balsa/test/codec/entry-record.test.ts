import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../src/codec/byte-reader.js";
import { ByteWriter } from "../../src/codec/byte-writer.js";
import {
  ENTRY_HEADER_BYTES,
  entryRecordBytes,
  isRecordOf,
  readEntryRecord,
  sealEntry,
  writeEntryRecord,
} from "../../src/codec/entry-record.js";
import { ENTRY_PAYLOAD_BYTES_MAX } from "../../src/codec/limits.js";
import type { Entry } from "../../src/core/index.js";
import { damage, entry, safeInteger } from "./arbitraries.js";
import { onlyCorrupt } from "./only-corrupt.js";
import { slowCrc32c } from "./slow-crc32c.js";

function record(group: number, given: Entry): Uint8Array {
  const out = new ByteWriter();
  sealEntry(group, given);
  writeEntryRecord(out, given);
  return out.finish();
}

const sample = (): Entry => ({ type: "normal", term: 3, index: 17, data: Uint8Array.from([1, 2, 3]), checksum: 0 });

test("an entry's record reads back as the entry, checksum included", () => {
  fc.assert(
    fc.property(safeInteger, entry, (group, given) => {
      const bytes = record(group, given);
      expect(bytes.length).toBe(entryRecordBytes(given));
      const reader = new ByteReader(bytes);
      expect(readEntryRecord(reader, group)).toEqual(given);
      reader.expectEnd();
    }),
  );
});

test("an entry's record is what the format says, byte for byte", () => {
  const bytes = record(1, {
    type: "conf-change-v2",
    term: 0x0102,
    index: 2 ** 40 + 5,
    data: Uint8Array.of(9),
    checksum: 0,
  });
  expect([...bytes.subarray(4)]).toEqual([1, 0, 0, 0, 3, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 9]);
  expect(bytes.length).toBe(ENTRY_HEADER_BYTES + 1);
  const group = [1, 0, 0, 0, 0, 0, 0, 0];
  expect(new ByteReader(bytes).u32()).toBe(slowCrc32c(Uint8Array.from([...group, ...bytes.subarray(4)])));
});

test("a record is that of its entry, and of no other; with any bit flipped, of none", () => {
  const isOf = (bytes: Uint8Array, group: number, { index, term, checksum, data }: Entry): boolean => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return isRecordOf(view, bytes, 0, group, index, term, checksum, data.length);
  };
  fc.assert(
    fc.property(safeInteger, entry, fc.nat(), (group, given, drawn) => {
      const bytes = record(group, given);
      expect(isOf(bytes, group, given)).toBe(true);
      expect(isOf(bytes, group === 0 ? 1 : group - 1, given)).toBe(false);
      expect(isOf(bytes, group, { ...given, index: given.index - 1 })).toBe(false);
      expect(isOf(bytes, group, { ...given, term: given.term - 1 })).toBe(false);
      expect(isOf(bytes, group, { ...given, checksum: given.checksum ^ 1 })).toBe(false);
      expect(isOf(bytes.subarray(0, bytes.length - 1), group, given)).toBe(false);
      const bit = drawn % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(isOf(bytes, group, given)).toBe(false);
    }),
  );
});

test("sealing is idempotent: a checksum that is there stays", () => {
  const given = sample();
  sealEntry(1, given);
  const { checksum } = given;
  expect(checksum).not.toBe(0);
  sealEntry(2, given);
  expect(given.checksum).toBe(checksum);
});

test("the checksum covers group, type, term, index and payload", () => {
  const checksum = (group: number, change: Partial<Entry>): number => {
    const changed = { ...sample(), ...change };
    sealEntry(group, changed);
    return changed.checksum;
  };
  const checksums = [
    checksum(1, {}),
    checksum(2, {}),
    checksum(1, { type: "conf-change" }),
    checksum(1, { term: 4 }),
    checksum(1, { index: 18 }),
    checksum(1, { index: 17 + 2 ** 32 }),
    checksum(1, { data: Uint8Array.of(1, 2, 4) }),
    checksum(1, { data: Uint8Array.of(1, 2, 3, 0) }),
  ];
  expect(new Set(checksums).size).toBe(checksums.length);
});

test("a record read in another group is corrupt", () => {
  const bytes = record(1, sample());
  expect(onlyCorrupt(() => readEntryRecord(new ByteReader(bytes), 2))).toBe("corrupt");
});

test("the payload that is read is a view of the bytes, not a copy", () => {
  const bytes = record(1, sample());
  expect(readEntryRecord(new ByteReader(bytes), 1).data.buffer).toBe(bytes.buffer);
});

test("every bit of a record, flipped, is found", () => {
  const bytes = record(1, sample());
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
    expect(onlyCorrupt(() => readEntryRecord(new ByteReader(flipped), 1))).toBe("corrupt");
  }
});

test("a damaged record is corrupt, or it still is the entry", () => {
  fc.assert(
    fc.property(entry, damage, (given, harm) => {
      const harmed = harm(record(7, given));
      const result = onlyCorrupt(() => readEntryRecord(new ByteReader(harmed), 7));
      if (result !== "corrupt") expect(result).toEqual(given);
    }),
  );
});

test("zero bytes are never a record", () => {
  expect(onlyCorrupt(() => readEntryRecord(new ByteReader(new Uint8Array(4096)), 0))).toBe("corrupt");
});

test("a length above the limit is refused before anything is read", () => {
  const bytes = new Uint8Array(64);
  new DataView(bytes.buffer).setUint32(4, ENTRY_PAYLOAD_BYTES_MAX + 1, true);
  expect(() => readEntryRecord(new ByteReader(bytes), 0)).toThrow("above the limit");
});

test("an entry over the limit can't be sealed, an unsealed one not written", () => {
  const large = { ...sample(), data: new Uint8Array(ENTRY_PAYLOAD_BYTES_MAX + 1) };
  expect(() => sealEntry(1, large)).toThrow(expect.objectContaining({ code: "too-large" }));
  expect(() => writeEntryRecord(new ByteWriter(), sample())).toThrow(expect.objectContaining({ code: "invariant" }));
});
