import type { ConfChange, ReadOnlyMode } from "../core/index.js";

/** What may happen only so many times in one behaviour: without these bounds there would be no end of states. */
export interface Budgets {
  /** A leader's heartbeats, each to all peers. They are what sends again what was lost. */
  readonly heartbeats: number;
  readonly proposals: number;
  /** Messages delivered twice. */
  readonly duplicates: number;
  /** Crashes, each with the restart from what is durable. */
  readonly crashes: number;
  /** Proposals of a membership change. */
  readonly changes: number;
  /** Requests to transfer leadership. */
  readonly transfers: number;
  readonly reads: number;
  /** Snapshots of what a node has applied, with the log before it dropped. */
  readonly compactions: number;
  /** Elections beyond those that `maxTerm` bounds: pre-votes do not raise the term. Infinity: bounded by the term. */
  readonly timeouts: number;
  /** Quorum checks of leaders, leases that run out, and ticks of all clocks. */
  readonly time: number;
}

export type BudgetName = keyof Budgets;

/** In the order of their places in a state. */
export const BUDGET_NAMES: readonly BudgetName[] = [
  "heartbeats",
  "proposals",
  "duplicates",
  "crashes",
  "changes",
  "transfers",
  "reads",
  "compactions",
  "timeouts",
  "time",
];

export const NOTHING_ELSE: Budgets = {
  heartbeats: 0,
  proposals: 0,
  duplicates: 0,
  crashes: 0,
  changes: 0,
  transfers: 0,
  reads: 0,
  compactions: 0,
  timeouts: Number.POSITIVE_INFINITY,
  time: 0,
};

/** What of the reductions is in use; all of them, except where one is to be checked against its absence. */
export interface Reductions {
  /** States that differ by a renaming of nodes only are one. */
  readonly symmetry: boolean;
  /** What of a node's state can't matter any more is not told apart. */
  readonly deadState: boolean;
  /** Messages that can't have an effect any more are dropped. */
  readonly deadMessages: boolean;
  /** The loss of a message is no step of its own: it is to be on its way for ever. */
  readonly lossIsDelay: boolean;
}

export const ALL_REDUCTIONS: Reductions = { symmetry: true, deadState: true, deadMessages: true, lossIsDelay: true };

/** A group, what may happen to it, and how much of that: the bounds of an exploration. */
export interface Configuration {
  readonly name: string;
  /** In a line or two: what it is about. */
  readonly what: string;
  /** Nodes are 1 … nodes. */
  readonly nodes: number;
  /** The first voters; the other nodes wait with empty storage. Default: all nodes. */
  readonly voters?: readonly number[];
  /** Terms of the log's entries from index 2 on, by node; default: empty logs behind the first snapshot, at (1, 1). */
  readonly logs?: Readonly<Record<number, readonly number[]>>;
  /**
   * The exploration begins when this node has been elected, its first entry has been committed, and all have answered:
   * what could happen on the way there is for other configurations to show.
   */
  readonly led?: number;
  /** Nobody campaigns for a higher term than this on its own account. */
  readonly maxTerm: number;
  readonly budgets: Budgets;
  /**
   * `immediate`: a write is durable before anything else happens to its node; what was to be sent after it has left.
   * `slow`: writes wait, and complete one after the other, or are lost in a crash, behind any number that were not.
   */
  readonly disk: "immediate" | "slow";
  /** `slow`: committed entries wait to be applied, batch by batch. */
  readonly applying: "immediate" | "slow";
  /** The nodes whose disks, or state machines, are slow, where not all are. */
  readonly slowNodes?: readonly number[];
  /**
   * `eager`: after each step the node's Ready is dealt with at once. `batched`: at any later time, so that one Ready
   * may hold what many steps brought.
   */
  readonly readies: "eager" | "batched";
  /**
   * `free`: any timer may fire at any time, whatever the others do: what holds then holds for all clocks.
   * `lockstep`: all clocks tick together, and a timer fires not before its time: for what relies on clocks.
   */
  readonly clock: "free" | "lockstep";
  readonly preVote?: boolean;
  readonly checkQuorum?: boolean;
  readonly readOnly?: ReadOnlyMode;
  readonly stepDownOnRemoval?: boolean;
  readonly commitHints?: boolean;
  readonly quietCommits?: boolean;
  /** An append holds one entry at the most. */
  readonly oneEntryAMessage?: boolean;
  /** Membership changes that may be proposed. */
  readonly changes?: readonly ConfChange[];
  /** Who may act on its own account: campaign, propose. Default: all. */
  readonly campaigners?: readonly number[];
  /** Links, from and to, over which nothing arrives: what is sent there need not be kept in mind. */
  readonly cut?: readonly (readonly [number, number])[];
  /** Classes of nodes that can't be told apart. Default: all of them, if they begin alike and nobody is named. */
  readonly alike?: readonly (readonly number[])[];
  readonly reductions: Reductions;
}
