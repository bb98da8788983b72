import { allMembers } from "./conf-state.js";
import { checkConfig } from "./config-changer.js";
import { sameIds } from "./id-set.js";
import { invariant } from "./invariant.js";
import { NONE } from "./message.js";
import type { NodeState, PeerState } from "./node-state.js";

/*
 * What holds of every state of a node, and of every two states that follow each other. Expensive: for tests, the
 * simulator and exploration. What is cheap is asserted where it happens.
 */

/** @throws BalsaError invariant */
export function checkState(state: NodeState): void {
  checkLog(state);
  checkRole(state);
  checkMembers(state);
  if (state.role === "leader") for (const peer of state.peers) checkPeer(state, peer);
  checkReads(state);
}

/**
 * What one call may have changed; both states are of one life of one node.
 * @throws BalsaError invariant
 */
export function checkDelta(before: NodeState, after: NodeState): void {
  invariant(before.id === after.id, "a node stays who it is");
  invariant(after.term >= before.term, "the term grows only");
  invariant(after.committed >= before.committed, "the commit index grows only");
  invariant(after.applying >= before.applying, "what was handed out for applying stays so");
  invariant(after.applied >= before.applied, "the applied index grows only");
  checkCommittedEntriesStay(before, after);
  if (before.term === after.term) checkSameTerm(before, after);
}

function checkLog(state: NodeState): void {
  const { unstable } = state;
  invariant(state.applied <= state.applying, "what is applied was handed out");
  invariant(state.applying <= state.committed, "only what is committed is handed out for applying");
  invariant(state.committed <= lastIndex(state), "only what is in the log is committed");
  invariant(unstable.offset <= unstable.offsetInProgress, "writes in progress begin where the unstable log does");
  invariant(unstable.offsetInProgress <= lastIndex(state) + 1, "writes in progress end within the log");
  invariant(
    !state.applyingAwaitsEntries || state.applying + 1 < unstable.offset,
    "only what is in stable storage is waited for",
  );
  if (unstable.snapshot !== undefined) {
    invariant(unstable.snapshot.meta.index < unstable.offset, "entries follow the snapshot");
    invariant(unstable.snapshot.meta.index <= state.committed, "what a snapshot stands for is committed");
  } else {
    invariant(!unstable.snapshotInProgress, "no snapshot, none in progress");
  }
  let index = unstable.offset;
  let term = 1;
  for (const entry of unstable.entries) {
    invariant(entry.index === index, "a log has no gaps");
    invariant(entry.term >= term, "terms never fall along a log");
    index++;
    term = entry.term;
  }
  invariant(unstable.entries.length === 0 || term <= state.term, "no entry is of a later term than its node");
}

function checkRole(state: NodeState): void {
  switch (state.role) {
    case "leader":
      invariant(state.lead === state.id, "a leader knows that it leads");
      invariant(state.vote === state.id, "a leader had its own vote");
      break;
    case "candidate":
      invariant(state.vote === state.id, "a candidate votes for itself");
      invariant(state.lead === NONE, "a candidate knows of no leader");
      break;
    case "pre-candidate":
      invariant(state.lead === NONE, "a pre-candidate knows of no leader");
      break;
    default:
      invariant(state.lead !== state.id, "only a leader leads");
  }
  if (state.role === "leader") {
    invariant(state.pendingCampaign === undefined, "a leader does not campaign");
    invariant(state.leadTransferee !== state.id, "leadership is transferred to others");
    return;
  }
  invariant(state.leadTransferee === NONE, "only a leader transfers leadership");
  invariant(state.waitingReads.length + state.heldReads.length === 0, "reads wait only at a leader");
}

function checkMembers(state: NodeState): void {
  const { conf, peers, granted, rejected } = state;
  checkConfig(conf);
  const ids = peers.map((peer) => peer.id);
  invariant(sameIds(ids, allMembers(conf)), "there is a progress for each member, sorted by ID");
  for (const peer of peers) {
    invariant(peer.isLearner === conf.learners.includes(peer.id), "a learner's progress says so");
  }
  invariant(!granted.some((id) => rejected.includes(id)), "a vote is granted or rejected");
}

function checkPeer(state: NodeState, peer: PeerState): void {
  invariant(peer.match < peer.next, "what matches need not be sent");
  invariant(peer.match <= lastIndex(state), "nobody has more than the leader");
  invariant(peer.sentCommit <= state.committed, "a peer is told of what is committed");
  invariant((peer.state === "snapshot") === peer.pendingSnapshot > 0, "a snapshot is pending in its state alone");
  invariant(!peer.awaitsEntries || peer.state !== "snapshot", "whoever gets a snapshot waits for no entries");
  if (peer.state !== "replicate") {
    invariant(peer.inflights.length === 0, "only a replicating peer has a window");
    return;
  }
  let last = peer.match;
  for (const { lastIndex: index } of peer.inflights) {
    invariant(index > last, "what is in flight is not acknowledged, and in order");
    last = index;
  }
  invariant(last < peer.next, "what is in flight was sent");
}

function checkReads(state: NodeState): void {
  let round = 0;
  for (const read of state.waitingReads) {
    invariant(read.round > round && read.round <= state.readRound, "each waiting read has its round, in order");
    invariant(read.index <= state.committed, "a read waits for a commit index that was");
    round = read.round;
  }
  for (const peer of state.peers) {
    invariant(peer.confirmedRound <= state.readRound, "only rounds that were begun are confirmed");
  }
}

function checkCommittedEntriesStay(before: NodeState, after: NodeState): void {
  for (const entry of before.unstable.entries) {
    if (entry.index > before.committed) break;
    const there = after.unstable.entries[entry.index - after.unstable.offset];
    invariant(there === undefined || there.term === entry.term, "a committed entry never changes");
  }
}

/** Raft Figure 3: election safety and leader append-only; and one vote a term (§5.2). */
function checkSameTerm(before: NodeState, after: NodeState): void {
  invariant(before.vote === NONE || after.vote === before.vote, "one vote a term");
  invariant(
    before.lead === NONE || after.lead === NONE || after.lead === before.lead,
    "a term has one leader at the most",
  );
  invariant(after.role !== "leader" || before.role === "leader" || before.role === "candidate", "a leader is elected");
  invariant(after.role !== "candidate" || before.role === "candidate", "a candidacy begins with a new term");
  if (before.role !== "leader" || after.role !== "leader") return;
  invariant(lastIndex(after) >= lastIndex(before), "a leader drops none of its entries");
  for (const entry of before.unstable.entries) {
    const there = after.unstable.entries[entry.index - after.unstable.offset];
    invariant(there === undefined || there === entry, "a leader overwrites none of its entries");
  }
  invariant(after.readRound >= before.readRound, "read rounds grow through a leadership");
}

function lastIndex({ unstable }: NodeState): number {
  return unstable.offset + unstable.entries.length - 1;
}
