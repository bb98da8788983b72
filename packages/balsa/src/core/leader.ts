import { unreachable } from "./invariant.js";
import { continueTransfer, transferLeadership } from "./leadership-transfer.js";
import type { AppendResponse, HeartbeatResponse, PeerMessage } from "./message.js";
import type { Progress } from "./progress.js";
import type { Raft } from "./raft.js";
import { handleReadRound, releaseHeldReads } from "./read-index.js";
import { broadcastAppend, maybeCommit, sendAllAppends, sendAppend, tellCommit } from "./replication.js";

/** A message of our own term, or one without a term, at the leader. */
export function stepLeader(raft: Raft, message: PeerMessage): void {
  switch (message.type) {
    case "append-response": {
      const progress = raft.tracker.get(message.from);
      if (progress !== undefined) handleAppendResponse(raft, progress, message);
      return;
    }
    case "heartbeat-response": {
      const progress = raft.tracker.get(message.from);
      if (progress !== undefined) handleHeartbeatResponse(raft, progress, message);
      return;
    }
    case "transfer-leader":
      transferLeadership(raft, message.transferee);
      return;
    default:
      // What only a follower or candidate can do with. No other node leads in this term (Raft §5.2).
      return;
  }
}

/** A peer's answer to an append; also the leader's own, once its write is durable. */
function handleAppendResponse(raft: Raft, progress: Progress, response: AppendResponse): void {
  progress.recentlyActive = true;
  if (response.rejected) handleRejection(raft, progress, response);
  else handleAcknowledgement(raft, progress, response.index);
}

/** Raft §5.3: the logs differ at the entry that was tried; try further back. */
function handleRejection(raft: Raft, progress: Progress, { index, hintIndex, hintTerm }: AppendResponse): void {
  // The follower has left out its own terms that are too late. Now our own: where our entries are of a later term than
  // its entry at the hint, the logs cannot agree either (B5).
  const agreement = hintTerm > 0 ? raft.log.findConflictByTerm(hintIndex, hintTerm).index : hintIndex;
  if (!progress.maybeDecrease(index, agreement)) return;
  if (progress.state === "replicate") progress.becomeProbe();
  sendAppend(raft, progress);
}

function handleAcknowledgement(raft: Raft, progress: Progress, index: number): void {
  // Differs from etcd, which believes it: nobody can have more of this term than its leader.
  if (index > raft.log.lastIndex()) return;
  // A probe that was answered is news even where it acknowledges nothing new.
  const answersProbe = progress.state === "probe" && progress.match === index;
  if (!progress.maybeUpdate(index) && !answersProbe) return;

  switch (progress.state) {
    case "probe":
      progress.becomeReplicate();
      break;
    case "snapshot":
      // Whichever index it got to, and be it not the one of the snapshot that was sent: if the log has what follows,
      // the log it is.
      if (progress.match + 1 >= raft.log.firstIndex()) {
        progress.becomeProbe();
        progress.becomeReplicate();
      }
      break;
    case "replicate":
      progress.inflights.freeTo(index);
      break;
    default:
      throw unreachable(progress.state satisfies never);
  }

  const isPeer = progress.id !== raft.id;
  if (maybeCommit(raft)) {
    releaseHeldReads(raft);
    broadcastAppend(raft);
  } else if (isPeer && progress.canBumpCommit(raft.log.committed)) {
    tellCommit(raft, progress);
  }
  if (!isPeer) return;
  sendAllAppends(raft, progress);
  continueTransfer(raft, progress);
}

function handleHeartbeatResponse(raft: Raft, progress: Progress, response: HeartbeatResponse): void {
  progress.recentlyActive = true;
  progress.appendPaused = false;
  // It may have lost what was in flight, or be waiting to be probed.
  if (progress.match < raft.log.lastIndex() || progress.state === "probe") sendAppend(raft, progress);
  handleReadRound(raft, progress.id, response.readRound);
}

/** The transport could not reach the peer: what is in flight is probably lost. */
export function reportUnreachable(raft: Raft, id: number): void {
  const progress = raft.role === "leader" ? raft.tracker.get(id) : undefined;
  if (progress?.state === "replicate") progress.becomeProbe();
}

/** The transport is done with a snapshot, well or not (C8). */
export function reportSnapshot(raft: Raft, id: number, outcome: "success" | "failure"): void {
  const progress = raft.role === "leader" ? raft.tracker.get(id) : undefined;
  if (progress?.state !== "snapshot") return;
  if (outcome === "failure") progress.pendingSnapshot = 0;
  progress.becomeProbe();
  // After a success the peer will acknowledge it; after a failure the next try waits for a heartbeat interval.
  progress.appendPaused = true;
}
