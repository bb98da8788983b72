import type { ConfState } from "../core/index.js";
import { invariant } from "../core/index.js";
import { type ByteReader, corrupt } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { CONF_STATE_IDS_MAX } from "./limits.js";

/** Four lists of IDs, each a count and that many varints in rising order, then autoLeave. */
export function writeConfState(out: ByteWriter, state: ConfState): void {
  writeIds(out, state.voters);
  writeIds(out, state.votersOutgoing);
  writeIds(out, state.learners);
  writeIds(out, state.learnersNext);
  out.bool(state.autoLeave);
}

/** @throws BalsaError `corrupt` */
export function readConfState(reader: ByteReader): ConfState {
  const voters = readIds(reader);
  const votersOutgoing = readIds(reader);
  const learners = readIds(reader);
  const learnersNext = readIds(reader);
  const autoLeave = reader.bool();
  return { voters, votersOutgoing, learners, learnersNext, autoLeave };
}

function writeIds(out: ByteWriter, ids: readonly number[]): void {
  invariant(ids.length <= CONF_STATE_IDS_MAX, "a configuration is within its limit");
  out.varint(ids.length);
  let previous = 0;
  for (const id of ids) {
    invariant(id > previous, "a configuration's IDs are sorted, distinct and not 0");
    out.varint(id);
    previous = id;
  }
}

function readIds(reader: ByteReader): readonly number[] {
  const count = reader.count(CONF_STATE_IDS_MAX, 1);
  const ids: number[] = [];
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const id = reader.varint();
    if (id <= previous) throw corrupt("a configuration's IDs are out of order");
    ids.push(id);
    previous = id;
  }
  return ids;
}
