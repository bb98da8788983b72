import type { SnapshotMeta } from "../core/index.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { readConfState, writeConfState } from "./conf-state-codec.js";

/** Two varints, index and term, then the configuration. */
export function writeSnapshotMeta(out: ByteWriter, meta: SnapshotMeta): void {
  out.varint(meta.index);
  out.varint(meta.term);
  writeConfState(out, meta.confState);
}

/** @throws BalsaError `corrupt` */
export function readSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const index = reader.varint();
  const term = reader.varint();
  const confState = readConfState(reader);
  return { index, term, confState };
}
