import { BalsaError, type BalsaErrorCode, invariant } from "../core/index.js";
import type { AbortSignalLike } from "./abort.js";
import { type Answering, Call } from "./call.js";
import type { Deadlines } from "./deadlines.js";
import { PENDING_BYTES_MAX, PENDING_COUNT_MAX } from "./limits.js";

/** A command that was applied. */
export interface Applied {
  readonly index: number;
  readonly term: number;
  /** What the state machine answered. */
  readonly result: Uint8Array;
}

/**
 * How far a proposal has come: `gathered` (it has not left this member: surely not applied), `submitted` (it may be in the
 * leader's log, nobody has said where), `accepted` (it is at index and term of a leader's log).
 */
type Stage = "gathered" | "submitted" | "accepted";

export class Proposal extends Call<Applied> {
  readonly data: Uint8Array;
  index = 0;
  term = 0;
  stage: Stage = "gathered";
  private readonly owner: Proposals;

  constructor(owner: Proposals, data: Uint8Array, answering: Answering<Applied>) {
    super(answering);
    this.owner = owner;
    this.data = data;
  }

  override expire(): void {
    const waited = this.stage === "gathered" ? "no leader took it in time" : "not known to be applied in time";
    this.fail("timeout", waited);
  }

  /** Whether it can have been applied follows from how far it came, except where the caller knows better. */
  override fail(code: BalsaErrorCode, reason: string, surelyNotApplied = false): void {
    const notApplied = surelyNotApplied || this.stage === "gathered";
    this.reject(
      new BalsaError(code, `proposal: ${reason}`, {
        applied: notApplied ? "not-applied" : "unknown",
        retryable: notApplied && code !== "closed" && code !== "aborted" && code !== "too-large",
        leader: this.owner.leader(),
      }),
    );
  }

  protected override forget(): void {
    this.owner.forget(this);
  }
}

/** This member's own proposals, from the call to the answer. */
export class Proposals {
  private gathered: Proposal[] = [];
  /** By the index at which a leader put them. */
  private readonly accepted: Map<number, Proposal> = new Map();
  private readonly submitted: Set<Proposal> = new Set();
  private pendingBytes = 0;
  private pendingCount = 0;
  private readonly deadlines: Deadlines;
  /** Who leads, as far as this member knows; told to callers whose proposals fail. */
  readonly leader: () => number;

  constructor(deadlines: Deadlines, leader: () => number) {
    this.deadlines = deadlines;
    this.leader = leader;
  }

  get hasGathered(): boolean {
    return this.gathered.length > 0;
  }

  /** Takes a command in for this turn. The promise rejects with a BalsaError that says whether it can have been applied. */
  gather(data: Uint8Array, timeoutTicks: number, signal: AbortSignalLike | undefined): Promise<Applied> {
    return new Promise((resolve, reject) => {
      if (this.pendingBytes + data.length > PENDING_BYTES_MAX || this.pendingCount >= PENDING_COUNT_MAX) {
        const leader = this.leader();
        reject(
          new BalsaError("overloaded", "proposal: too much is in flight; try again later", { retryable: true, leader }),
        );
        return;
      }
      if (signal?.aborted === true) {
        reject(new BalsaError("aborted", "proposal: the caller's signal had fired before"));
        return;
      }
      const proposal = new Proposal(this, data, { signal, resolve, reject });
      this.pendingBytes += data.length;
      this.pendingCount++;
      this.deadlines.add(proposal, timeoutTicks);
      this.gathered.push(proposal);
    });
  }

  /** What has been gathered and still waits, in order. It is the caller's to submit or to give back. */
  takeGathered(): readonly Proposal[] {
    const taken = this.gathered;
    this.gathered = [];
    // Some may have expired or been called off meanwhile.
    return taken.some((proposal) => proposal.settled) ? taken.filter((proposal) => !proposal.settled) : taken;
  }

  /** They were surely not taken by any log: they wait for another turn, ahead of younger ones. */
  giveBack(proposals: readonly Proposal[]): void {
    const waiting = proposals.filter((proposal) => !proposal.settled);
    for (const proposal of waiting) {
      this.submitted.delete(proposal);
      proposal.stage = "gathered";
    }
    this.gathered = [...waiting, ...this.gathered];
  }

  /** They are on their way to a leader. */
  submit(proposals: readonly Proposal[]): void {
    for (const proposal of proposals) {
      proposal.stage = "submitted";
      this.submitted.add(proposal);
    }
  }

  /** A leader of `term` has put them into its log, one after the other from `firstIndex`. */
  accept(proposals: readonly Proposal[], firstIndex: number, term: number): void {
    for (let i = 0; i < proposals.length; i++) {
      const proposal = proposals[i];
      invariant(proposal !== undefined, "proposals: dense list");
      if (proposal.settled) continue;
      this.submitted.delete(proposal);
      proposal.stage = "accepted";
      proposal.index = firstIndex + i;
      proposal.term = term;
      const other = this.accepted.get(proposal.index);
      // Two leaders gave out the same index. Neither entry is sure to be lost: as long as the later one is not committed, a
      // third leader may still come that has the earlier one, and commit it (Figure 8).
      if (other !== undefined && other.term > term) {
        proposal.fail("superseded", "a later leader put another entry at its index");
        continue;
      }
      other?.fail("superseded", "a later leader put another entry at its index");
      this.accepted.set(proposal.index, proposal);
    }
  }

  /** The entry of `term` at `index` was applied here. */
  applied(index: number, term: number, result: Uint8Array | undefined): void {
    const proposal = this.accepted.get(index);
    if (proposal === undefined) return;
    if (proposal.term === term && result !== undefined) proposal.succeed({ index, term, result });
    // Log matching (§5.3): index and term name one entry; another term at this index means that ours is in no log.
    else proposal.fail("superseded", "a new leader's entry took its place", true);
  }

  /** The state jumped to `index` by a snapshot: what lies before it was applied elsewhere, or never. */
  skippedTo(index: number): void {
    for (const [at, proposal] of this.accepted) {
      if (at <= index) proposal.fail("timeout", "its place was passed by a snapshot");
    }
  }

  failAll(code: BalsaErrorCode, reason: string): void {
    for (const proposal of this.takeGathered()) proposal.fail(code, reason);
    for (const proposal of [...this.submitted]) proposal.fail(code, reason);
    for (const proposal of [...this.accepted.values()]) proposal.fail(code, reason);
    invariant(this.pendingCount === 0 && this.pendingBytes === 0, "proposals: all are accounted for");
  }

  /** Called by a proposal that settles. */
  forget(proposal: Proposal): void {
    this.deadlines.remove(proposal);
    this.pendingBytes -= proposal.data.length;
    this.pendingCount--;
    this.submitted.delete(proposal);
    if (this.accepted.get(proposal.index) === proposal) this.accepted.delete(proposal.index);
  }
}
