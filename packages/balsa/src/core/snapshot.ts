import type { ConfState } from "./conf-state.js";
import { EMPTY_CONF_STATE } from "./conf-state.js";

/** Which prefix of the log a snapshot stands for (Raft §7). */
export interface SnapshotMeta {
  /** Last index the snapshot includes; 0 = no snapshot. */
  readonly index: number;
  /** Term of the entry at `index`. */
  readonly term: number;
  /** Configuration in force at `index`. */
  readonly confState: ConfState;
}

/**
 * A snapshot as it passes through the core: its meta data, and bytes that the core never looks at. The runtime leaves
 * `data` empty: the content stays in a file and is streamed in pieces beside the core (F3).
 */
export interface Snapshot {
  readonly meta: SnapshotMeta;
  readonly data: Uint8Array;
}

/** No snapshot. */
export const EMPTY_SNAPSHOT: Snapshot = {
  meta: { index: 0, term: 0, confState: EMPTY_CONF_STATE },
  data: new Uint8Array(0),
};
