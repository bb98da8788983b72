import { NONE } from "../core/index.js";
import type { Cell } from "./cell.js";
import { lastIndexOf, termAt, wholeEntries, wholeLog } from "./cell.js";
import { isDurable } from "./cell-properties.js";

/** Up to here all is committed when an exploration begins: the first snapshot's position. */
const FIRST_INDEX = 1;

/** What a state must remember of its past for the properties to be checked: who led, and what was promised to whom. */
export interface History {
  /** Who led, by term; 0 = nobody. */
  readonly leaders: readonly number[];
  /** From FIRST_INDEX + 1 on: all that any node ever knew to be committed. */
  readonly committed: readonly CommittedEntry[];
  /** By request: the index up to which anything was committed when the read was asked. It must not read below. */
  readonly reads: readonly number[];
}

interface CommittedEntry {
  readonly term: number;
  /** The term in which it was committed. Leaders of later terms must have it (Raft Figure 3). */
  readonly in: number;
}

export const NO_HISTORY: History = { leaders: [], committed: [], reads: [] };

export function committedIndex({ committed }: History): number {
  return FIRST_INDEX + committed.length;
}

/** A property that does not hold, and the message that says which. */
export class PropertyViolation extends Error {}

function demand(condition: boolean, property: string): void {
  if (!condition) throw new PropertyViolation(property);
}

/**
 * The history after one step of a node.
 * @param cells of all nodes, after the step
 * @throws PropertyViolation
 */
export function continued(history: History, before: Cell, after: Cell, cells: readonly Cell[]): History {
  let { leaders, committed } = history;
  const { node } = after;
  if (node.role === "leader") {
    const known = leaders[node.term] ?? NONE;
    demand(known === NONE || known === after.id, "election safety: at most one leader in a term");
    if (known === NONE) {
      leaders = Array.from({ length: Math.max(leaders.length, node.term + 1) }, (_, term) => leaders[term] ?? NONE);
      leaders = leaders.with(node.term, after.id);
    }
  }
  if (node.committed > committedIndex(history)) {
    const log = wholeLog(after);
    committed = committed.slice();
    const more: CommittedEntry[] = [];
    for (let index = committedIndex(history) + 1; index <= node.committed; index++) {
      const term = termAt(log, index);
      if (term === undefined) throw new PropertyViolation("what is committed is in the log");
      more.push({ term, in: node.term });
      const held = cells.filter((cell) => isDurable(cell, index, term)).map(({ id }) => id);
      demand(
        isQuorum(before.node.conf, held) || isQuorum(node.conf, held),
        "what is committed is on the disks of a quorum",
      );
    }
    committed = [...committed, ...more];
  }
  return { ...history, leaders, committed };
}

interface Halves {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
}

/** Counted here once more, on purpose: the core's own count is among what is checked. */
function isQuorum({ voters, votersOutgoing }: Halves, ids: readonly number[]): boolean {
  const majority = (half: readonly number[]): boolean =>
    half.length === 0 || half.filter((id) => ids.includes(id)).length * 2 > half.length;
  return majority(voters) && majority(votersOutgoing);
}

/**
 * A node is elected. Not twice in one term, not even the same node: in another life it may have forgotten what it sent.
 * @throws PropertyViolation
 */
export function checkElection({ leaders }: History, { node }: Cell): void {
  demand((leaders[node.term] ?? NONE) === NONE, "election safety: one election is won in a term at most");
}

/** A read is asked: it must see all that is committed now. */
export function asked(history: History): History {
  return { ...history, reads: [...history.reads, committedIndex(history)] };
}

/** @throws PropertyViolation */
export function checkAnswer({ reads }: History, request: number, index: number): void {
  demand(
    index >= (reads[request - 1] ?? Number.POSITIVE_INFINITY),
    "a read sees all that was committed when it was asked",
  );
}

/**
 * Whether a node agrees with the history.
 * @throws PropertyViolation
 */
export function checkAgainst(history: History, cell: Cell): void {
  const log = wholeLog(cell);
  const { node } = cell;
  history.committed.forEach(({ term, in: committedIn }, i) => {
    const index = FIRST_INDEX + 1 + i;
    const there = termAt(log, index);
    if (index <= node.committed && index >= log.start) {
      demand(there === term, "state machine safety: what is committed is the same everywhere");
    }
    if (node.role === "leader" && node.term > committedIn && index >= log.start) {
      demand(there === term, "leader completeness: a leader has all that was committed in earlier terms");
    }
  });
  demand(node.committed <= committedIndex(history), "what a node calls committed is committed");
  checkOneChange(history, cell);
}

/** Thesis §4.1: at most one membership change beyond what is committed, or majorities need not overlap. */
function checkOneChange(history: History, cell: Cell): void {
  const changes = wholeEntries(cell).filter(({ type, index }) => type !== "normal" && index > committedIndex(history));
  demand(changes.length <= 1, "one membership change at a time");
}

/**
 * Raft Figure 3: if two logs have an entry of the same index and term, they are the same up to it.
 * @throws PropertyViolation
 */
export function checkLogMatching(a: Cell, b: Cell): void {
  const [logA, logB] = [wholeLog(a), wholeLog(b)];
  const first = Math.max(logA.start, logB.start);
  let agree = false;
  for (let index = Math.min(lastIndexOf(logA), lastIndexOf(logB)); index >= first; index--) {
    const same = termAt(logA, index) === termAt(logB, index);
    demand(same || !agree, "log matching: two logs with the same entry are the same up to it");
    agree ||= same;
  }
}
