import { isCommitHint, type PeerMessage } from "../core/index.js";
import type { Cell } from "./cell.js";
import type { Configuration } from "./configuration.js";
import { GrowingArray } from "./growing-array.js";

/*
 * Messages that can never have an effect any more, in their receiver's cell or any after it.
 *
 * Terms on disk only grow, over crashes too. A message of a lower term is passed over for good (step.ts), except where
 * it is answered: appends and heartbeats under check-quorum or pre-vote, pre-votes, and what has no term. An answer of
 * the durable term itself is for whoever asked in it: a vote for a candidate, all others for a leader or who may become
 * one; and who is neither in a term that is on its disk will never be, as a candidacy begins with a new term.
 */

const NEVER = 0;
const OF_LOWER_TERMS = 1;
const UNLESS_CANDIDATE = 2;
const UNLESS_LEADING = 3;
const ON_A_CUT_LINK = 4;

/** What the question needs to know of cells and messages, in typed arrays: it is asked for each message of each state. */
export class DeadMessages {
  private readonly configuration: Configuration;
  /** By message: when it dies, and its term. */
  private readonly kinds = new GrowingArray();
  private readonly terms = new GrowingArray();
  /** By cell: messages of lower terms are dead. */
  private readonly durableTerms = new GrowingArray();
  /** By cell: the term that the node is a candidate in, or 0. */
  private readonly candidacies = new GrowingArray();
  /** By cell: the term that the node leads in, or may yet. */
  private readonly leaderships = new GrowingArray();

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  /** Messages come in the order of their numbers. */
  addMessage(message: PeerMessage): void {
    this.kinds.push(this.kindOf(message));
    this.terms.push(message.term);
  }

  /** Cells come in the order of their numbers. */
  addCell({ node, disk }: Cell): void {
    this.durableTerms.push(disk.hardState.term);
    this.candidacies.push(node.role === "candidate" ? node.term : 0);
    this.leaderships.push(node.role === "candidate" || node.role === "leader" ? node.term : 0);
  }

  isDead(message: number, receiver: number): boolean {
    const kind = this.kinds.items[message] as number;
    if (kind === NEVER) return false;
    if (kind === ON_A_CUT_LINK) return true;
    const term = this.terms.items[message] as number;
    const durable = this.durableTerms.items[receiver] as number;
    if (term !== durable) return term < durable;
    if (kind === OF_LOWER_TERMS) return false;
    return (kind === UNLESS_CANDIDATE ? this.candidacies : this.leaderships).items[receiver] !== term;
  }

  /** Dead for where it goes, not for what it says. */
  isCutOff(message: number): boolean {
    return this.kinds.items[message] === ON_A_CUT_LINK;
  }

  private kindOf(message: PeerMessage): number {
    const { type, from, to } = message;
    const { reductions, preVote, checkQuorum, cut } = this.configuration;
    if (cut?.some(([a, b]) => a === from && b === to) === true) return ON_A_CUT_LINK;
    if (!reductions.deadMessages) return NEVER;
    // What is committed is so in every term.
    if (isCommitHint(message)) return NEVER;
    switch (type) {
      case "propose":
      case "read-index":
      case "pre-vote":
        return NEVER;
      case "append":
      case "heartbeat":
        return preVote === true || checkQuorum === true ? NEVER : OF_LOWER_TERMS;
      case "vote":
      case "timeout-now":
      case "transfer-leader":
      case "snapshot":
      case "read-index-response":
      case "pre-vote-response":
        return OF_LOWER_TERMS;
      case "vote-response":
        return UNLESS_CANDIDATE;
      case "append-response":
      case "heartbeat-response":
        return UNLESS_LEADING;
      default:
        throw new Error(`an impossible message: ${String(type satisfies never)}`);
    }
  }
}
