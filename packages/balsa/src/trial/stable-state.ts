import type { Entry, HardState } from "../core/index.js";
import type { WatchedLog } from "./watched-log.js";

/** What a member's disk is known to hold, or may hold. */
export interface StableState {
  term: number;
  vote: number;
  readonly log: WatchedLog;
}

/** A write that was handed to the storage and is not known to be durable. */
export interface PendingWrite {
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly index: number; readonly term: number } | undefined;
  readonly entries: readonly Entry[];
}

/** The write is durable: what was on the disk gives way to it. */
export function takeWrite(stable: StableState, { hardState, snapshot, entries }: PendingWrite): void {
  if (hardState !== undefined) {
    stable.term = hardState.term;
    stable.vote = hardState.vote;
  }
  if (snapshot !== undefined) stable.log.reset(snapshot.index, snapshot.term);
  for (const { index, term } of entries) stable.log.put(index, term);
}

/** By log matching the last entry vouches for those before it. */
export function isSame(found: StableState, expected: StableState): boolean {
  const { log } = found;
  return (
    found.term === expected.term &&
    found.vote === expected.vote &&
    log.lastIndex === expected.log.lastIndex &&
    log.lastTerm === expected.log.lastTerm
  );
}

export function describe({ term, vote, log }: StableState): string {
  return `term ${term}, vote ${vote}, last entry ${log.lastIndex} of term ${log.lastTerm}`;
}
