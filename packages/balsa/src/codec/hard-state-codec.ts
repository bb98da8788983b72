import type { HardState } from "../core/index.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";

/** Three varints: term, vote, commit. */
export function writeHardState(out: ByteWriter, state: HardState): void {
  out.varint(state.term);
  out.varint(state.vote);
  out.varint(state.commit);
}

/** @throws BalsaError `corrupt` */
export function readHardState(reader: ByteReader): HardState {
  const term = reader.varint();
  const vote = reader.varint();
  const commit = reader.varint();
  return { term, vote, commit };
}
