import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../src/codec/byte-reader.js";
import { ByteWriter } from "../../src/codec/byte-writer.js";
import { readConfState, writeConfState } from "../../src/codec/conf-state-codec.js";
import { readHardState, writeHardState } from "../../src/codec/hard-state-codec.js";
import { CONF_STATE_IDS_MAX } from "../../src/codec/limits.js";
import { readSnapshotMeta, writeSnapshotMeta } from "../../src/codec/snapshot-meta-codec.js";
import { bytes, confState, safeInteger, snapshotMeta } from "./arbitraries.js";
import { onlyCorrupt } from "./only-corrupt.js";

function roundTrip<T>(value: T, write: (out: ByteWriter, value: T) => void, read: (reader: ByteReader) => T): T {
  const out = new ByteWriter(16);
  write(out, value);
  const reader = new ByteReader(out.finish());
  const back = read(reader);
  reader.expectEnd();
  return back;
}

test("a hard state reads back as it was written", () => {
  fc.assert(
    fc.property(fc.record({ term: safeInteger, vote: safeInteger, commit: safeInteger }), (state) => {
      expect(roundTrip(state, writeHardState, readHardState)).toEqual(state);
    }),
  );
});

test("a configuration reads back as it was written", () => {
  fc.assert(
    fc.property(confState, (state) => {
      expect(roundTrip(state, writeConfState, readConfState)).toEqual(state);
    }),
  );
});

test("a snapshot's meta data reads back as it was written", () => {
  fc.assert(
    fc.property(snapshotMeta, (meta) => {
      expect(roundTrip(meta, writeSnapshotMeta, readSnapshotMeta)).toEqual(meta);
    }),
  );
});

test.each([
  ["hard state", readHardState],
  ["configuration", readConfState],
  ["snapshot meta data", readSnapshotMeta],
])("any bytes read as a %s give one or corrupt", (_name, read) => {
  fc.assert(
    fc.property(bytes, (given) => {
      onlyCorrupt(() => read(new ByteReader(given)));
    }),
    { numRuns: 1000 },
  );
});

test("a configuration's IDs out of order, twice or zero are corrupt", () => {
  for (const ids of [[2, 1], [1, 1], [0]]) {
    const out = new ByteWriter();
    out.varint(ids.length);
    for (const id of ids) out.varint(id);
    out.raw(new Uint8Array(8));
    const piece = out.finish();
    expect(onlyCorrupt(() => readConfState(new ByteReader(piece)))).toBe("corrupt");
  }
});

test("a configuration with more IDs than the limit is corrupt", () => {
  const out = new ByteWriter();
  out.varint(CONF_STATE_IDS_MAX + 1);
  for (let id = 1; id <= CONF_STATE_IDS_MAX + 1; id++) out.varint(id);
  out.raw(new Uint8Array(4));
  const piece = out.finish();
  expect(onlyCorrupt(() => readConfState(new ByteReader(piece)))).toBe("corrupt");
});
