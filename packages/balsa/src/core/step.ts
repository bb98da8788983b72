import { stepCandidate } from "./candidate.js";
import { isCommitHint, takeCommitHint } from "./commit-hint.js";
import { handleVoteRequest, heedsLease } from "./election.js";
import { totalPayloadBytes } from "./entry-size.js";
import { stepFollower } from "./follower.js";
import { unreachable } from "./invariant.js";
import { stepLeader } from "./leader.js";
import { appliedTo } from "./membership.js";
import type { Message, StorageAppendResponse, StorageApplyResponse, StorageMessage } from "./message.js";
import { NONE } from "./message.js";
import { propose } from "./proposal.js";
import type { Raft } from "./raft.js";
import { requestReadIndex } from "./read-index.js";
import { releaseQuota } from "./replication.js";
import { becomeFollower } from "./roles.js";

/**
 * What became of a message. `stepped` says that it was dealt with, be it by passing over it. The others say that
 * whoever sent it should not have: a proposal that found no leader, an answer of a node that is no member, and a
 * message of this node to its own storage that came back to it.
 */
export type StepOutcome = "stepped" | "proposal-dropped" | "peer-not-found" | "local-message";

/** Every message, a peer's or the own storage's, enters here. */
export function step(raft: Raft, message: Message): StepOutcome {
  switch (message.type) {
    case "storage-append":
    case "storage-apply":
      return "local-message";
    case "storage-append-response":
      handleStorageAppendResponse(raft, message);
      return "stepped";
    case "storage-apply-response":
      handleStorageApplyResponse(raft, message);
      return "stepped";
    case "propose":
      // Differs from etcd: a message without a proposal in it is passed over; there it stops the leader.
      if (message.entries.length === 0) return "stepped";
      return propose(raft, message.from, message.entries).kind === "dropped" ? "proposal-dropped" : "stepped";
    case "read-index":
      requestReadIndex(raft, message);
      return "stepped";
    default:
      stepWithTerm(raft, message);
      return "stepped";
  }
}

type MessageWithTerm = Exclude<Message, StorageMessage | { readonly type: "propose" | "read-index" }>;

/** Raft §5.1: terms come first. */
function stepWithTerm(raft: Raft, message: MessageWithTerm): void {
  // What is committed is so in every term. For its own term a hint is an answer that accepts nothing.
  const isHint = isCommitHint(message);
  if (isHint) takeCommitHint(raft, message);
  const { term } = message;
  if (term === 0) {
    // Differs from etcd: who says nothing of its term is not heard. There it passes for this node itself, as does here
    // a snapshot alone: what it stands for is committed, in every term.
    if (message.type === "snapshot") stepRole(raft, message);
    return;
  }
  if (term > raft.term) {
    const isRequest = message.type === "vote" || message.type === "pre-vote";
    if (isRequest && heedsLease(raft, message)) return;
    if (bringsNewTerm(message)) becomeFollower(raft, term, isFromLeader(message) ? message.from : NONE);
  } else if (term < raft.term) {
    handleLowerTerm(raft, message);
    return;
  }
  if (message.type === "vote" || message.type === "pre-vote") handleVoteRequest(raft, message);
  else if (!isHint) stepRole(raft, message);
}

/**
 * "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (Raft Figure 2).
 * A pre-vote, though, is about a term that does not exist yet, and so is its grant; a pre-vote's rejection is not.
 */
function bringsNewTerm(message: MessageWithTerm): boolean {
  if (message.type === "pre-vote") return false;
  return message.type !== "pre-vote-response" || message.rejected;
}

function isFromLeader(message: MessageWithTerm): boolean {
  return message.type === "append" || message.type === "heartbeat" || message.type === "snapshot";
}

/** A message of an old term is passed over, except where its sender would be stuck if it never heard of ours. */
function handleLowerTerm(raft: Raft, message: MessageWithTerm): void {
  const { checkQuorum, preVote } = raft.settings;
  if ((checkQuorum || preVote) && (message.type === "append" || message.type === "heartbeat")) {
    // An old leader that others still heed, while we were away and have a higher term. It will not vote for us, nor we
    // follow it: that it learns of our term resolves that. Without lease or pre-vote our next campaign would.
    raft.send({
      type: "append-response",
      from: raft.id,
      to: message.from,
      term: raft.term,
      index: 0,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
  } else if (message.type === "pre-vote") {
    // A candidate with the longer log and a lower term must learn of ours, or neither of us could win (thesis §9.6).
    raft.send({ type: "pre-vote-response", from: raft.id, to: message.from, term: raft.term, rejected: true });
  }
}

function stepRole(raft: Raft, message: MessageWithTerm): void {
  switch (raft.role) {
    case "leader":
      stepLeader(raft, message);
      return;
    case "follower":
      stepFollower(raft, message);
      return;
    case "pre-candidate":
    case "candidate":
      stepCandidate(raft, message);
      return;
    default:
      throw unreachable(raft.role satisfies never);
  }
}

/** A write is durable. */
function handleStorageAppendResponse(raft: Raft, { term, index, logTerm, snapshot }: StorageAppendResponse): void {
  // In another term than the write was made in, its entries may have been overwritten in the unstable log, and even
  // restored to what they were: that there is an entry of this index and term is then no sign that it is this write's.
  // The write of what stands there now will be acknowledged too.
  if (index !== NONE && term === raft.term) raft.log.stableTo(index, logTerm);
  // What a snapshot stands for is committed, in every term.
  if (snapshot === undefined) return;
  raft.log.unstable.stableSnapshotTo(snapshot.meta.index);
  appliedTo(raft, snapshot.meta.index, 0);
}

/** Committed entries are applied. */
function handleStorageApplyResponse(raft: Raft, { entries, bytes }: StorageApplyResponse): void {
  const last = entries[entries.length - 1];
  if (last === undefined) return;
  appliedTo(raft, last.index, bytes);
  // Only a leader has reserved any.
  if (raft.uncommittedBytes > 0) releaseQuota(raft, totalPayloadBytes(entries));
}
