import { jointCommittedIndex } from "./joint-quorum.js";
import type { AcknowledgedIndexes } from "./majority-quorum.js";
import { NONE } from "./message.js";
import type { ProgressTracker } from "./progress-tracker.js";
import type { Raft } from "./raft.js";
import type { ReadRequest } from "./read-index-queue.js";
import { broadcastHeartbeat } from "./replication.js";

/** What became of a request. An answer comes as a read state, now or later; a dropped request gets none. */
export type ReadIndexOutcome = "accepted" | "forwarded" | "dropped";

/** A request, this node's own or another's, meets this node in whatever role it is. */
export function requestReadIndex(raft: Raft, request: ReadRequest): ReadIndexOutcome {
  if (raft.role === "leader") return readIndexAsLeader(raft, request);
  // A candidate knows of no leader.
  if (raft.lead === NONE) return "dropped";
  const { from, requestId } = request;
  raft.send({ type: "read-index", from, to: raft.lead, term: 0, requestId });
  return "forwarded";
}

/** The leader is asked for an index to read at. */
function readIndexAsLeader(raft: Raft, request: ReadRequest): ReadIndexOutcome {
  if (raft.reads.full()) return "dropped";
  // Raft §8: until it has committed an entry of its own term a leader does not know what is committed.
  // Differs from etcd: there a group's only voter answers at once, with a commit index that may have come back lower.
  if (!hasCommittedInOwnTerm(raft)) raft.reads.held.push(request);
  else serveRead(raft, request);
  return "accepted";
}

/** The leader has committed an entry of its own term: what was held can be served. */
export function releaseHeldReads(raft: Raft): void {
  const { held } = raft.reads;
  if (held.length === 0 || !hasCommittedInOwnTerm(raft)) return;
  raft.reads.held = [];
  for (const request of held) serveRead(raft, request);
}

/** A member answered a heartbeat that carried a round. */
export function handleReadRound(raft: Raft, from: number, round: number): void {
  const progress = raft.tracker.get(from);
  if (progress === undefined || round <= progress.confirmedRound) return;
  progress.confirmedRound = round;
  answerConfirmedReads(raft);
}

function serveRead(raft: Raft, request: ReadRequest): void {
  const index = raft.log.committed;
  // Differs from etcd: a single voter answers without a round only where it is this node, not one that removed it.
  if (raft.tracker.isOnlyVoter(raft.id) || holdsLease(raft)) {
    answerRead(raft, request, index);
    return;
  }
  const round = beginRound(raft);
  raft.reads.waiting.push({ from: request.from, requestId: request.requestId, round, index });
  broadcastHeartbeat(raft, round);
}

/** The round that a periodic heartbeat is to confirm; 0 = none. */
export function roundToConfirm(raft: Raft): number {
  // A lease is renewed by the heartbeats that are sent anyway.
  if (isLeaseBased(raft) && raft.lease.wantsRound(raft.settings.electionTicks)) return beginRound(raft);
  return isLeaseBased(raft) ? raft.reads.round : raft.reads.latestWaitingRound();
}

function beginRound(raft: Raft): number {
  const round = ++raft.reads.round;
  const self = raft.tracker.get(raft.id);
  if (self !== undefined) self.confirmedRound = round;
  if (isLeaseBased(raft) && raft.lease.wantsRound(raft.settings.electionTicks)) raft.lease.begin(round);
  return round;
}

/**
 * Whether reads may rely on no other node having been elected meanwhile: voters heed the lease for an election timeout
 * after hearing of this leader (D4).
 *
 * Differs from etcd: not once a transfer's target was told to campaign, as its election passes over the lease.
 */
function holdsLease(raft: Raft): boolean {
  return isLeaseBased(raft) && !raft.leaseSurrendered && raft.lease.holds(raft.settings.electionTicks);
}

function isLeaseBased(raft: Raft): boolean {
  return raft.settings.readOnly === "lease-based";
}

function answerConfirmedReads(raft: Raft): void {
  const { reads } = raft;
  const confirmed = jointCommittedIndex(raft.tracker.conf, new ConfirmedRounds(raft.tracker));
  raft.lease.confirm(confirmed);
  let count = 0;
  for (const read of reads.waiting) {
    if (read.round > confirmed) break;
    answerRead(raft, read, read.index);
    count++;
  }
  if (count > 0) reads.waiting = reads.waiting.slice(count);
}

function answerRead(raft: Raft, request: ReadRequest, index: number): void {
  const { requestId } = request;
  if (request.from === raft.id) raft.readStates.push({ index, requestId });
  else raft.send({ type: "read-index-response", from: raft.id, to: request.from, term: raft.term, requestId, index });
}

function hasCommittedInOwnTerm(raft: Raft): boolean {
  return raft.log.matchTerm(raft.log.committed, raft.term);
}

/** Rounds are confirmed by a quorum just as indexes are acknowledged by one. */
class ConfirmedRounds implements AcknowledgedIndexes {
  private readonly tracker: ProgressTracker;

  constructor(tracker: ProgressTracker) {
    this.tracker = tracker;
  }

  acknowledgedIndex(id: number): number {
    return this.tracker.get(id)?.confirmedRound ?? 0;
  }
}
