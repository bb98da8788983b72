import { MAX_WAITING_READS } from "./limits.js";

/** Who wants to read. */
export interface ReadRequest {
  /** The node that asked, and gets the answer. */
  readonly from: number;
  readonly requestId: number;
}

/** A request that waits for a quorum to confirm its round. */
export interface WaitingRead extends ReadRequest {
  readonly round: number;
  /** The commit index when the request came in: what the read must not miss. */
  readonly index: number;
}

/**
 * The reads that wait at a leader (thesis §6.4). Every request begins a round, a number that grows through one
 * leadership and travels with heartbeats and their answers; the answer to a round shows that this node still led when
 * the round began, and so confirms the requests of that round and of all rounds before.
 *
 * Differs from etcd: there a heartbeat carries the request's own context, and an answer counts for that context alone.
 */
export class ReadIndexQueue {
  /** The latest round; 0 before the first. */
  round = 0;
  /** Oldest first. */
  waiting: WaitingRead[] = [];
  /** Requests that came before the leader committed an entry of its own term. */
  held: ReadRequest[] = [];

  reset(): void {
    this.round = 0;
    // The arrays may be shared with a copy of the state: they are replaced, not emptied.
    if (this.waiting.length > 0) this.waiting = [];
    if (this.held.length > 0) this.held = [];
  }

  full(): boolean {
    return this.waiting.length + this.held.length >= MAX_WAITING_READS;
  }

  /** The round that a periodic heartbeat asks for again, in case the first was lost; 0 = no read waits. */
  latestWaitingRound(): number {
    return this.waiting.length === 0 ? 0 : this.round;
  }
}
