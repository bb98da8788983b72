/**
 * An entry of the replicated log (Raft §5.3).
 *
 * `normal` entries carry the application's bytes (none for the empty entry a new leader appends).
 * The two `conf-change` kinds carry an encoded membership change, see `conf-change.ts`.
 */
export type EntryType = "normal" | "conf-change" | "conf-change-v2";

export interface Entry {
  readonly type: EntryType;
  /** Term of the leader that created the entry; ≥ 1 once it is in a log. */
  readonly term: number;
  /** Position in the log; ≥ 1 once it is in a log. */
  readonly index: number;
  readonly data: Uint8Array;
  /**
   * crc32c over group, type, term, index and data, computed once by the leader's runtime and carried with the
   * bytes ever after; 0 while not computed. The core carries it and never reads it.
   */
  checksum: number;
}

/** What a caller proposes: an entry that has no place in the log yet. */
export interface ProposedEntry {
  readonly type: EntryType;
  readonly data: Uint8Array;
}
