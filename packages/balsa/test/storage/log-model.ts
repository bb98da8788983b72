import type { Entry, HardState, SnapshotMeta } from "../../src/core/index.js";
import type { LogWrite } from "../../src/storage/index.js";

/** A log as plainly as it can be put: an array that grows, is cut, and is thrown away. */
export interface ModelState {
  readonly hardState: HardState;
  /** Entries up to here, and their content, are the snapshot's business. */
  readonly base: { readonly index: number; readonly term: number };
  readonly entries: readonly Entry[];
}

export const EMPTY_MODEL: ModelState = {
  hardState: { term: 0, vote: 0, commit: 0 },
  base: { index: 0, term: 0 },
  entries: [],
};

export function applied(state: ModelState, write: LogWrite): ModelState {
  const { snapshot } = write;
  const hardState = write.hardState ?? state.hardState;
  const base = snapshot === undefined ? state.base : { index: snapshot.meta.index, term: snapshot.meta.term };
  const before = snapshot === undefined ? state.entries : [];
  const first = write.entries[0]?.index ?? Number.POSITIVE_INFINITY;
  return { hardState, base, entries: [...before.filter(({ index }) => index < first), ...write.entries] };
}

export function lastIndexOf(state: ModelState): number {
  return state.entries.at(-1)?.index ?? state.base.index;
}

function termAt(state: ModelState, index: number): number | undefined {
  return index === state.base.index ? state.base.term : state.entries[index - state.base.index - 1]?.term;
}

/** What may be found at some moment: one of these states, with a snapshot that is no older. */
export interface LegalStates {
  /** After each of the writes that were handed over; it grows. */
  readonly states: readonly ModelState[];
  /** The last write that was acknowledged. */
  readonly oldest: number;
  /** The last write that was handed over. */
  readonly newest: number;
  readonly snapshotIndex: number;
}

/**
 * The state that was found: the newest that it may be.
 * @throws Error that says why it is none of them
 */
export function legalState({ states, oldest, newest, snapshotIndex }: LegalStates, found: Found): ModelState {
  const index = found.snapshot?.index ?? 0;
  if (index < snapshotIndex) throw new Error(`the snapshot is of ${index}, there was one of ${snapshotIndex}`);
  const reasons: string[] = [];
  for (let writes = newest; writes >= oldest; writes--) {
    const state = states[writes];
    const reason = state === undefined ? "no such state" : difference(state, found);
    if (state !== undefined && reason === undefined) return state;
    reasons.push(`not ${writes} writes: ${reason}`);
  }
  throw new Error(reasons.join("; "));
}

/** What came back from a directory. */
export interface Found {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta | undefined;
  readonly entries: readonly Entry[];
}

/** Why what was found is not this state; undefined if it is. */
export function difference(state: ModelState, found: Found): string | undefined {
  const from = found.snapshot?.index ?? 0;
  if (from < state.base.index) return `the snapshot is of ${from}, the log was reset to ${state.base.index}`;
  if (from > lastIndexOf(state)) return `the snapshot is of ${from}, the log ends at ${lastIndexOf(state)}`;
  if (from > 0 && termAt(state, from) !== found.snapshot?.term) return `the snapshot's entry ${from} has another term`;
  const expected = state.entries.filter(({ index }) => index > from);
  if (expected.length !== found.entries.length) {
    return `${found.entries.length} entries behind ${from}, not ${expected.length}`;
  }
  for (const [i, entry] of expected.entries()) {
    const other = found.entries[i];
    if (other === undefined || !isSameEntry(entry, other)) return `another entry ${entry.index}`;
  }
  const { term, vote, commit } = found.hardState;
  if (term !== state.hardState.term || vote !== state.hardState.vote) return `term ${term}, vote ${vote}`;
  // F1: the commit index may come back lower.
  if (commit > Math.max(state.hardState.commit, from)) return `commit ${commit} was never written`;
  if (commit < from) return `commit ${commit} lies before the snapshot`;
  return undefined;
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return a.index === b.index && a.term === b.term && a.type === b.type && Buffer.compare(a.data, b.data) === 0;
}
