import type { ConfChange, ConfChangeTransition, NodeChange } from "../core/index.js";
import { LEAVE_JOINT, NO_CONTEXT } from "../core/index.js";
import type { Configuration } from "./configuration.js";
import { ALL_REDUCTIONS, NOTHING_ELSE } from "./configuration.js";

/** Terms begin at 1, the log behind a snapshot at index 1. */
const ORDINARY = {
  nodes: 3,
  maxTerm: 3,
  budgets: NOTHING_ELSE,
  disk: "immediate",
  applying: "immediate",
  readies: "eager",
  clock: "free",
  reductions: ALL_REDUCTIONS,
} as const;

function change(transition: ConfChangeTransition, ...changes: readonly NodeChange[]): ConfChange {
  return { version: 2, transition, changes, context: NO_CONTEXT };
}

/** The bounds that are explored, by name. docs/model-checking.md tells what came of each. */
export const CONFIGURATIONS: readonly Configuration[] = [
  {
    ...ORDINARY,
    name: "elections",
    what: "three nodes, elections in three terms, crashes",
    maxTerm: 4,
    budgets: { ...NOTHING_ELSE, crashes: 1 },
  },
  {
    ...ORDINARY,
    name: "elections-4",
    what: "four nodes, where half of them is no majority",
    nodes: 4,
    maxTerm: 2,
    budgets: { ...NOTHING_ELSE, duplicates: 1 },
  },
  {
    ...ORDINARY,
    name: "replication",
    what: "two leaderships, a proposal in either, messages delivered twice",
    budgets: { ...NOTHING_ELSE, proposals: 1, duplicates: 1 },
  },
  {
    ...ORDINARY,
    name: "heartbeats",
    what: "a leadership with proposals and heartbeats, over logs that begin apart",
    logs: { 1: [2], 2: [], 3: [] },
    maxTerm: 4,
    campaigners: [2, 3],
    budgets: { ...NOTHING_ELSE, proposals: 1, heartbeats: 1 },
  },
  {
    ...ORDINARY,
    name: "figure-8",
    what: "Raft's Figure 8 from (b) on: an old term's entry that a majority has may still give way",
    nodes: 5,
    logs: { 1: [2], 2: [2], 3: [], 4: [], 5: [3] },
    maxTerm: 5,
    campaigners: [1, 5],
  },
  {
    ...ORDINARY,
    name: "async-writes",
    what: "slow disks: writes wait, complete in order, and are lost in crashes",
    disk: "slow",
    budgets: { ...NOTHING_ELSE, crashes: 1 },
  },
  {
    ...ORDINARY,
    name: "batched",
    what: "slow disks, and Readies that gather what several steps brought",
    maxTerm: 2,
    disk: "slow",
    applying: "slow",
    readies: "batched",
    budgets: { ...NOTHING_ELSE, proposals: 1 },
  },
  {
    ...ORDINARY,
    name: "pre-vote",
    what: "pre-votes and quorum checks together: leases that run out, leaders that step down",
    preVote: true,
    checkQuorum: true,
    budgets: { ...NOTHING_ELSE, timeouts: 3, time: 2, heartbeats: 1 },
  },
  {
    ...ORDINARY,
    name: "snapshots",
    what: "a compacted log, snapshots sent, lost and overtaken",
    maxTerm: 2,
    budgets: { ...NOTHING_ELSE, proposals: 1, compactions: 1, heartbeats: 1, duplicates: 1 },
  },
  {
    ...ORDINARY,
    name: "membership",
    what: "one node comes and one goes, one change at a time, applied late",
    nodes: 4,
    voters: [1, 2, 3],
    maxTerm: 3,
    applying: "slow",
    campaigners: [1, 2],
    changes: [change("auto", { kind: "remove", id: 3 }), change("auto", { kind: "add-voter", id: 4 })],
    budgets: { ...NOTHING_ELSE, changes: 2 },
  },
  {
    ...ORDINARY,
    name: "joint",
    what: "two nodes are replaced by a joint configuration",
    nodes: 4,
    voters: [1, 2, 3],
    maxTerm: 3,
    changes: [
      change("joint-explicit", { kind: "remove", id: 2 }, { kind: "remove", id: 3 }, { kind: "add-voter", id: 4 }),
      LEAVE_JOINT,
    ],
    budgets: { ...NOTHING_ELSE, changes: 2 },
  },
  {
    ...ORDINARY,
    name: "reads",
    what: "linearizable reads at leaders old and new",
    budgets: { ...NOTHING_ELSE, reads: 2 },
  },
  {
    ...ORDINARY,
    name: "leases",
    what: "reads by lease, with clocks that tick together",
    clock: "lockstep",
    checkQuorum: true,
    readOnly: "lease-based",
    budgets: { ...NOTHING_ELSE, reads: 1, time: 8 },
  },
  {
    ...ORDINARY,
    name: "transfer",
    what: "leadership handed over, with proposals under way",
    maxTerm: 2,
    budgets: { ...NOTHING_ELSE, transfers: 2, proposals: 1 },
  },
  {
    ...ORDINARY,
    name: "lease-transfer",
    what: "reads by lease while leadership is handed over",
    clock: "lockstep",
    checkQuorum: true,
    readOnly: "lease-based",
    maxTerm: 2,
    budgets: { ...NOTHING_ELSE, reads: 1, transfers: 1, time: 4 },
  },
];
