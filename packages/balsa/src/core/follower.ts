import { isMember } from "./conf-state.js";
import { startTransferElection } from "./election.js";
import { transferLeadership } from "./leadership-transfer.js";
import { restoreConfig } from "./membership.js";
import type { AppendMessage, HeartbeatMessage, PeerMessage, SnapshotMessage } from "./message.js";
import type { Raft } from "./raft.js";
import type { Snapshot } from "./snapshot.js";

/** A message of our own term, or one without a term, at a follower. Proposals and vote requests are seen to in step.ts. */
export function stepFollower(raft: Raft, message: PeerMessage): void {
  switch (message.type) {
    case "append":
      hearFromLeader(raft, message.from);
      handleAppend(raft, message);
      return;
    case "heartbeat":
      hearFromLeader(raft, message.from);
      handleHeartbeat(raft, message);
      return;
    case "snapshot":
      hearFromLeader(raft, message.from);
      handleSnapshot(raft, message);
      return;
    case "timeout-now":
      startTransferElection(raft);
      return;
    case "transfer-leader":
      transferLeadership(raft, message.transferee);
      return;
    case "read-index-response":
      raft.readStates.push({ index: message.index, requestId: message.requestId });
      return;
    default:
      // Answers to what this node was before.
      return;
  }
}

function hearFromLeader(raft: Raft, leader: number): void {
  raft.electionElapsedTicks = 0;
  raft.pendingCampaign = undefined;
  raft.lead = leader;
}

/** AppendEntries, at the receiver (Raft Figure 2). Its term is ours. */
function handleAppend(raft: Raft, message: AppendMessage): void {
  const { log } = raft;
  if (message.prevIndex < log.committed) {
    // An old message: what is committed here agrees with any leader's log. A quiet one too: the leader may not know yet.
    acknowledge(raft, message.from, log.committed);
    return;
  }
  const agreedIndex = log.maybeAppend(message.prevIndex, message.prevTerm, message.entries, message.commit);
  if (agreedIndex !== undefined) {
    if (!message.quiet) acknowledge(raft, message.from, agreedIndex);
    return;
  }
  // Raft §5.3, last paragraphs: where the logs may agree. Not above our last entry, and not where our terms are later
  // than the leader's at the entry it tried, so that a whole term is skipped with one answer (B5).
  const hint = log.findConflictByTerm(Math.min(message.prevIndex, log.lastIndex()), message.prevTerm);
  raft.send({
    type: "append-response",
    from: raft.id,
    to: message.from,
    term: raft.term,
    index: message.prevIndex,
    rejected: true,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

function handleHeartbeat(raft: Raft, message: HeartbeatMessage): void {
  raft.log.commitTo(message.commit);
  raft.send({
    type: "heartbeat-response",
    from: raft.id,
    to: message.from,
    term: raft.term,
    readRound: message.readRound,
  });
}

/** InstallSnapshot, at the receiver (Raft §7). */
function handleSnapshot(raft: Raft, message: SnapshotMessage): void {
  const restored = restoreSnapshot(raft, message.snapshot);
  acknowledge(raft, message.from, restored ? raft.log.lastIndex() : raft.log.committed);
}

/** @returns whether the snapshot took the log's place; it does not where the log has what it stands for */
function restoreSnapshot(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.meta;
  if (index <= raft.log.committed) return false;
  // A snapshot for others: to take it on would make this node forget that it is none of them.
  if (!isMember(confState, raft.id)) return false;
  // Raft §7: a snapshot of a prefix of our log. What follows it stays.
  if (raft.log.matchTerm(index, term)) {
    raft.log.commitTo(index);
    return false;
  }
  raft.log.restore(snapshot);
  restoreConfig(raft, confState);
  return true;
}

function acknowledge(raft: Raft, to: number, index: number): void {
  raft.send({
    type: "append-response",
    from: raft.id,
    to,
    term: raft.term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  });
}
