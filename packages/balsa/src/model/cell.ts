import type { Entry, HardState, NodeState, Snapshot, StorageAppend, StorageApply } from "../core/index.js";

/** What a node has on disk. Plain data that never changes. */
export interface Disk {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  /** The log is compacted up to here; its entries follow. */
  readonly start: { readonly index: number; readonly term: number };
  readonly entries: readonly Entry[];
}

/**
 * One node with all that is its own: the core's state, its disk, and the work that its disk and its state machine have
 * yet to do, oldest first. A cell changes by what happens to its node and by nothing else.
 */
export interface Cell {
  readonly id: number;
  readonly node: NodeState;
  readonly disk: Disk;
  readonly writes: readonly StorageAppend[];
  readonly applies: readonly StorageApply[];
}

/** A log as far as it is there: the term at index `start`, at the one behind it, and so on. */
export interface LogTerms {
  readonly start: number;
  readonly terms: readonly number[];
}

/** The log as its disk has it. */
export function durableLog({ disk }: Cell): LogTerms {
  return { start: disk.start.index, terms: [disk.start.term, ...disk.entries.map(({ term }) => term)] };
}

/** The log as the node sees it: what is not stored yet stands over what is. */
export function wholeLog(cell: Cell): LogTerms {
  const { snapshot, offset, entries } = cell.node.unstable;
  const unstable = entries.map(({ term }) => term);
  if (snapshot !== undefined) return { start: snapshot.meta.index, terms: [snapshot.meta.term, ...unstable] };
  const { start, terms } = durableLog(cell);
  return { start, terms: [...terms.slice(0, offset - start), ...unstable] };
}

/** The entries that the node has beside the compacted ones. */
export function wholeEntries({ node, disk }: Cell): readonly Entry[] {
  const { snapshot, offset, entries } = node.unstable;
  if (snapshot !== undefined) return entries;
  return [...disk.entries.filter(({ index }) => index < offset), ...entries];
}

/** undefined: compacted away, or past the end. */
export function termAt({ start, terms }: LogTerms, index: number): number | undefined {
  return terms[index - start];
}

export function lastIndexOf({ start, terms }: LogTerms): number {
  return start + terms.length - 1;
}
