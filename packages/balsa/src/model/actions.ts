import { isVoter } from "../core/index.js";
import type { Cell } from "./cell.js";
import type { BudgetName, Configuration } from "./configuration.js";
import { BUDGET_NAMES } from "./configuration.js";
import type { Input } from "./input.js";
import { CHARGED_TO } from "./input.js";
import { ELECTION_TICKS } from "./normal-form.js";

/** Every input that needs no message, for one configuration, numbered. Whether one is possible depends on the cell. */
export function localInputs(configuration: Configuration): readonly Input[] {
  const { nodes, budgets, changes = [] } = configuration;
  const inputs: Input[] = [
    { kind: "time-out" },
    { kind: "heartbeat" },
    { kind: "check-quorum" },
    { kind: "lease-out" },
    { kind: "tick" },
    { kind: "propose" },
    { kind: "ready" },
    { kind: "write" },
    { kind: "apply" },
    { kind: "compact" },
  ];
  for (let request = 1; request <= budgets.reads; request++) inputs.push({ kind: "read", request });
  for (let change = 0; change < changes.length; change++) inputs.push({ kind: "change", change });
  for (let kept = 0; kept <= MOST_KEPT_WRITES; kept++) inputs.push({ kind: "crash", kept });
  for (let id = 1; id <= nodes; id++) {
    inputs.push({ kind: "transfer", to: id });
    inputs.push({ kind: "report", peer: id, outcome: "success" }, { kind: "report", peer: id, outcome: "failure" });
  }
  return inputs;
}

/** A crash may keep any number of the writes under way; more than this are never under way within the bounds. */
const MOST_KEPT_WRITES = 12;

/**
 * Whether the input can come about at all, budgets aside. A tick is not among them: it comes to all nodes at once.
 */
export function isPossible(cell: Cell, input: Input, configuration: Configuration): boolean {
  const { node } = cell;
  const leads = node.role === "leader";
  const budget = CHARGED_TO[input.kind];
  if (budget !== undefined && configuration.budgets[budget] === 0) return false;
  const acts = configuration.campaigners?.includes(cell.id) ?? true;
  switch (input.kind) {
    case "deliver":
    case "tick":
      return false;
    case "time-out":
      if (leads || !acts || node.term >= configuration.maxTerm) return false;
      return configuration.clock === "free" || node.electionElapsedTicks >= ELECTION_TICKS;
    case "heartbeat":
      return leads && configuration.clock === "free";
    case "check-quorum": {
      const checks = configuration.checkQuorum === true || node.leadTransferee !== 0;
      return leads && checks && configuration.clock === "free";
    }
    case "lease-out": {
      const runs = node.role === "follower" && node.lead !== 0 && node.electionElapsedTicks < ELECTION_TICKS;
      return runs && configuration.checkQuorum === true && configuration.clock === "free";
    }
    case "propose":
    case "change":
      return leads && acts;
    case "transfer":
      return leads && input.to !== cell.id && isVoter(node.conf, input.to);
    case "read":
      return leads || node.lead !== 0;
    case "ready":
      return configuration.readies === "batched";
    case "write":
      return cell.writes.length > 0;
    case "apply":
      return cell.applies.length > 0;
    case "crash":
      return input.kept <= cell.writes.length;
    case "compact":
      return node.applied > cell.disk.snapshot.meta.index && node.unstable.snapshot === undefined;
    case "report":
      return leads && node.peers.some(({ id, state }) => id === input.peer && state === "snapshot");
    default:
      throw new Error(`an impossible input: ${JSON.stringify(input satisfies never)}`);
  }
}

/** The place of the budget that an input is charged to; −1 = none. */
export function budgetPlace(input: Input): number {
  const name = CHARGED_TO[input.kind];
  return name === undefined ? -1 : BUDGET_NAMES.indexOf(name);
}

/** What is spent of the budgets, four bits each, in two words. */
export const SPENT_WORDS = 2;
const PER_WORD = 8;

export function spent(words: Int32Array, at: number, place: number): number {
  return ((words[at + (place >> 3)] as number) >>> ((place % PER_WORD) * 4)) & 15;
}

export function spend(words: Int32Array, at: number, place: number): void {
  (words[at + (place >> 3)] as number) += 1 << ((place % PER_WORD) * 4);
}

/** What each budget allows; 16 where it is unlimited, and then nothing is counted. */
export function limitsOf(configuration: Configuration): readonly number[] {
  return BUDGET_NAMES.map((name: BudgetName) => {
    const limit = configuration.budgets[name];
    if (limit !== Number.POSITIVE_INFINITY && limit > 15) throw new RangeError(`${name}: at most 15, or Infinity`);
    return Math.min(limit, 16);
  });
}
