import { BalsaError } from "./balsa-error.js";
import type { PendingCampaign } from "./campaign.js";
import type { Settings } from "./config.js";
import type { HardState } from "./hard-state.js";
import { EMPTY_HARD_STATE, sameHardState } from "./hard-state.js";
import type { Message } from "./message.js";
import { NONE } from "./message.js";
import { ProgressTracker } from "./progress-tracker.js";
import { RaftLog } from "./raft-log.js";
import { ReadIndexQueue } from "./read-index-queue.js";
import { ReadLease } from "./read-lease.js";
import type { ReadState, Role } from "./ready.js";

/**
 * The state of one node (Raft Figure 2, and what came after it), and its outbox. What happens to it is in the files
 * named after what they do: `step.ts` is where every message enters, `tick.ts` where time does.
 */
export class Raft {
  readonly settings: Settings;
  readonly id: number;

  // ---- persistent: leaves through Ready's hard state and entries, before anything that depends on it

  /** Latest term seen. Grows only. */
  term = 0;
  /** Whom this node voted for in `term`; 0 = nobody. */
  vote: number = NONE;
  /** The entries, and how far they are committed and applied. */
  readonly log: RaftLog;

  // ---- volatile

  role: Role = "follower";
  /** Who leads in `term`, as far as this node knows; 0 = nobody. */
  lead: number = NONE;
  /** Members and their progress; the election's votes. The progress counts only while this node leads. */
  readonly tracker: ProgressTracker;
  /** Ticks since the leader was heard of, or since the role was taken on; for a leader, since the last quorum check. */
  electionElapsedTicks = 0;
  /** Ticks since the last heartbeats were sent. */
  heartbeatElapsedTicks = 0;
  /** In [T, 2T), redrawn whenever a role is taken on, so that elections seldom tie (Raft §5.2). */
  randomizedElectionTicks = 0;
  /** A campaign that waits for entries to be fetched into memory. Given up at any word of a leader or candidate. */
  pendingCampaign: PendingCampaign | undefined = undefined;

  // ---- a leader's own

  /** Who is to take over (thesis §3.10); 0 = nobody. */
  leadTransferee: number = NONE;
  /** Whether anyone was told to take over in this leadership: such an election passes over the leader's lease. */
  leaseSurrendered = false;
  /**
   * At or above the index of the latest membership change in the log: while it is not applied no other is proposed, so
   * that neighbouring configurations' quorums overlap (thesis §4.1). May be too high, never too low.
   */
  pendingConfIndex = 0;
  /** Payloads proposed in this leadership and not applied yet (B7). May be too low, never too high. */
  uncommittedBytes = 0;
  /** Linearizable reads that wait for their confirmation. */
  readonly reads: ReadIndexQueue;
  /** Where reads are lease-based: how long they may be. */
  readonly lease: ReadLease;

  // ---- outbox, emptied by each Ready

  /** May leave at once. */
  messages: Message[] = [];
  /** Must wait until everything that is pending now is durable (D3). Some are to this node itself. */
  messagesAfterAppend: Message[] = [];
  /** Answers to this node's own reads. */
  readStates: ReadState[] = [];

  constructor(settings: Settings) {
    this.settings = settings;
    this.id = settings.id;
    this.log = new RaftLog(settings.storage, settings.maxCommittedBytesPerReady);
    this.tracker = new ProgressTracker(settings);
    this.reads = new ReadIndexQueue();
    this.lease = new ReadLease();
  }

  /** Takes on what stable storage kept of earlier lives (F1). */
  restoreHardState(hardState: HardState): void {
    if (sameHardState(hardState, EMPTY_HARD_STATE)) return;
    const { log } = this;
    if (hardState.commit > log.lastIndex()) {
      throw new BalsaError("corrupt", "the stored commit index lies past the stored log");
    }
    // Differs from etcd, which refuses a commit index below the snapshot's. It is stored without a sync of its own, so
    // that a snapshot, whose making is proof that all of it was committed, may well be ahead.
    log.commitTo(hardState.commit);
    this.term = hardState.term;
    this.vote = hardState.vote;
  }

  /**
   * Where applying goes on (F4): behind what the caller says its state machine has applied, and in any case behind the
   * snapshot, of which the stored configuration is a part, even where the log begins before it.
   */
  restoreApplied(appliedByCaller: number): void {
    const { log } = this;
    const snapshotIndex = log.snapshot()?.meta.index ?? 0;
    log.commitTo(snapshotIndex);
    if (appliedByCaller > log.committed) {
      throw new BalsaError("invalid-argument", "applied must be at or below the stored commit index");
    }
    log.appliedTo(Math.max(appliedByCaller, snapshotIndex, log.applied), 0);
  }

  /**
   * Puts a message into the outbox. What promises something, be it a vote or that entries are stored, waits until all
   * that is pending at this moment is durable: then it holds even if this node crashes right after (D3).
   */
  send(message: Message): void {
    switch (message.type) {
      case "append-response":
      case "vote-response":
      case "pre-vote-response":
        // One, as a rule: an array that is pushed to takes room for 17.
        if (this.messagesAfterAppend.length === 0) this.messagesAfterAppend = [message];
        else this.messagesAfterAppend.push(message);
        return;
      default:
        this.sendAtOnce(message);
    }
  }

  /** Puts a message into the outbox that promises nothing. */
  sendAtOnce(message: Message): void {
    if (this.messages.length === 0) this.messages = [message];
    else this.messages.push(message);
  }
}
