/** What a node must find again after a crash (Raft Figure 2, "persistent state"), besides the log itself. */
export interface HardState {
  /** Latest term seen; grows only. */
  readonly term: number;
  /** Whom this node voted for in `term`; 0 = nobody. */
  readonly vote: number;
  /** Highest index known committed. May come back lower than it was: it is an optimisation, not a promise (F1). */
  readonly commit: number;
}

export const EMPTY_HARD_STATE: HardState = { term: 0, vote: 0, commit: 0 };

export function sameHardState(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}
