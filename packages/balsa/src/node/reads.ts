import { BalsaError, type BalsaErrorCode, invariant, type ReadState } from "../core/index.js";
import type { AbortSignalLike } from "./abort.js";
import { type Answering, Call } from "./call.js";
import type { Deadlines } from "./deadlines.js";
import { PENDING_COUNT_MAX } from "./limits.js";

class Read extends Call<{ readonly index: number }> {
  private readonly owner: Reads;

  constructor(owner: Reads, answering: Answering<{ readonly index: number }>) {
    super(answering);
    this.owner = owner;
  }

  override expire(): void {
    this.fail("timeout", "no leader confirmed it in time");
  }

  override fail(code: BalsaErrorCode, reason: string): void {
    const retryable = code === "timeout";
    this.reject(new BalsaError(code, `read: ${reason}`, { retryable, leader: this.owner.leader() }));
  }

  protected override forget(): void {
    this.owner.forget(this);
  }
}

const NONE: readonly never[] = [];

/** Reads that share one confirmation. */
interface Round {
  /** Fresh for each attempt: an answer to an earlier one must not pass for this one's (E3). */
  requestId: number;
  readonly reads: readonly Read[];
  /** Tick of the last attempt. */
  askedTick: number;
  /** Known once confirmed; 0 before. */
  index: number;
}

/**
 * Linearizable reads by read-index (thesis §6.4): all that arrive in a turn share one round, any number of rounds may be
 * under way. A round is answered once this member has applied all that was committed when it was asked.
 */
export class Reads {
  private gathered: Read[] = [];
  private rounds: Round[] = [];
  private pendingCount = 0;
  private nowTick = 0;
  private lastRequestId: number;
  private readonly deadlines: Deadlines;
  readonly leader: () => number;

  /** `firstRequestId` differs between the lives of a member, so that a late answer from the one before fits nothing. */
  constructor(deadlines: Deadlines, leader: () => number, firstRequestId: number) {
    this.deadlines = deadlines;
    this.leader = leader;
    this.lastRequestId = firstRequestId;
  }

  get hasGathered(): boolean {
    return this.gathered.length > 0;
  }

  gather(timeoutTicks: number, signal: AbortSignalLike | undefined): Promise<{ readonly index: number }> {
    return new Promise((resolve, reject) => {
      if (this.pendingCount >= PENDING_COUNT_MAX) {
        reject(new BalsaError("overloaded", "read: too many wait; try again later", { retryable: true }));
        return;
      }
      if (signal?.aborted === true) {
        reject(new BalsaError("aborted", "read: the caller's signal had fired before"));
        return;
      }
      const read = new Read(this, { signal, resolve, reject });
      this.pendingCount++;
      this.deadlines.add(read, timeoutTicks);
      this.gathered.push(read);
    });
  }

  /** Makes a round of what was gathered; gives its request ID. */
  start(): number {
    invariant(this.gathered.length > 0, "reads: a round has reads");
    const round: Round = { requestId: ++this.lastRequestId, reads: this.gathered, askedTick: this.nowTick, index: 0 };
    this.gathered = [];
    this.rounds.push(round);
    return round.requestId;
  }

  /** Rounds to ask for again, under new IDs: their question or answer may be lost. */
  retry(afterTicks: number): readonly number[] {
    if (this.rounds.length === 0) return NONE;
    const again: number[] = [];
    this.rounds = this.rounds.filter((round) => round.reads.some((read) => !read.settled));
    for (const round of this.rounds) {
      if (round.index !== 0 || this.nowTick - round.askedTick < afterTicks) continue;
      round.requestId = ++this.lastRequestId;
      round.askedTick = this.nowTick;
      again.push(round.requestId);
    }
    return again;
  }

  tick(): void {
    this.nowTick++;
  }

  confirmed(state: ReadState, appliedIndex: number): void {
    const round = this.rounds.find((candidate) => candidate.requestId === state.requestId);
    if (round === undefined) return;
    invariant(state.index > 0, "reads: a confirmed index is a log's");
    round.index = state.index;
    this.applied(appliedIndex);
  }

  /** The state machine has come to `index`. */
  applied(index: number): void {
    if (this.rounds.length === 0) return;
    let answered = false;
    for (const round of this.rounds) {
      if (round.index === 0 || round.index > index) continue;
      answered = true;
      for (const read of round.reads) read.succeed({ index: round.index });
    }
    if (answered) this.rounds = this.rounds.filter((round) => round.index === 0 || round.index > index);
  }

  failAll(code: BalsaErrorCode, reason: string): void {
    for (const read of this.gathered) read.fail(code, reason);
    for (const round of this.rounds) for (const read of round.reads) read.fail(code, reason);
    this.gathered = [];
    this.rounds = [];
    invariant(this.pendingCount === 0, "reads: all are accounted for");
  }

  /** Called by a read that settles. */
  forget(read: Read): void {
    this.deadlines.remove(read);
    this.pendingCount--;
  }
}
