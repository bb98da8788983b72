import type { PendingCampaign } from "./campaign.js";
import type { ConfState } from "./conf-state.js";
import type { Entry } from "./entry.js";
import type { HandedOver, Handover } from "./handover.js";
import type { IdSet } from "./id-set.js";
import type { Message } from "./message.js";
import type { ProgressState } from "./progress.js";
import { Progress } from "./progress.js";
import type { Raft } from "./raft.js";
import type { ReadRequest, WaitingRead } from "./read-index-queue.js";
import type { ReadLeaseState } from "./read-lease.js";
import type { ReadState, Role } from "./ready.js";
import type { Snapshot } from "./snapshot.js";

/**
 * A node's whole state as plain data that never changes: what its future depends on, besides its settings and what is
 * in stable storage. Fields mean what they mean where they live: see Raft, RaftLog, Unstable and Progress.
 */
export interface NodeState {
  readonly id: number;
  readonly term: number;
  readonly vote: number;
  readonly role: Role;
  readonly lead: number;
  readonly electionElapsedTicks: number;
  readonly heartbeatElapsedTicks: number;
  readonly randomizedElectionTicks: number;
  readonly pendingCampaign: PendingCampaign | undefined;
  readonly leadTransferee: number;
  readonly leaseSurrendered: boolean;
  readonly pendingConfIndex: number;
  readonly uncommittedBytes: number;
  readonly committed: number;
  readonly applying: number;
  readonly applied: number;
  readonly applyingBytes: number;
  readonly applyingPaused: boolean;
  readonly applyingAwaitsEntries: boolean;
  readonly unstable: UnstableState;
  readonly conf: ConfState;
  readonly peers: readonly PeerState[];
  readonly granted: IdSet;
  readonly rejected: IdSet;
  readonly readRound: number;
  readonly waitingReads: readonly WaitingRead[];
  readonly heldReads: readonly ReadRequest[];
  readonly readLease: ReadLeaseState;
  readonly messages: readonly Message[];
  readonly messagesAfterAppend: readonly Message[];
  readonly readStates: readonly ReadState[];
  readonly handedOver: HandedOver;
}

export interface UnstableState {
  readonly snapshot: Snapshot | undefined;
  readonly snapshotInProgress: boolean;
  readonly offset: number;
  readonly offsetInProgress: number;
  readonly entries: readonly Entry[];
}

export interface PeerState {
  readonly id: number;
  readonly isLearner: boolean;
  readonly state: ProgressState;
  readonly match: number;
  readonly next: number;
  readonly pendingSnapshot: number;
  readonly sentCommit: number;
  readonly appendPaused: boolean;
  readonly awaitsEntries: boolean;
  readonly recentlyActive: boolean;
  readonly confirmedRound: number;
  readonly inflights: readonly { readonly lastIndex: number; readonly bytes: number }[];
}

export function copyNodeState(raft: Raft, handover: Handover): NodeState {
  const { log, tracker, reads } = raft;
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    role: raft.role,
    lead: raft.lead,
    electionElapsedTicks: raft.electionElapsedTicks,
    heartbeatElapsedTicks: raft.heartbeatElapsedTicks,
    randomizedElectionTicks: raft.randomizedElectionTicks,
    pendingCampaign: raft.pendingCampaign,
    leadTransferee: raft.leadTransferee,
    leaseSurrendered: raft.leaseSurrendered,
    pendingConfIndex: raft.pendingConfIndex,
    uncommittedBytes: raft.uncommittedBytes,
    committed: log.committed,
    applying: log.applying,
    applied: log.applied,
    applyingBytes: log.applyingBytes,
    applyingPaused: log.applyingPaused,
    applyingAwaitsEntries: log.applyingAwaitsEntries,
    unstable: log.unstable.save(),
    conf: tracker.conf,
    peers: tracker.peers.map(copyProgress),
    granted: tracker.granted,
    rejected: tracker.rejected,
    readRound: reads.round,
    waitingReads: reads.waiting.slice(),
    heldReads: reads.held.slice(),
    readLease: raft.lease.save(),
    messages: raft.messages.slice(),
    messagesAfterAppend: raft.messagesAfterAppend.slice(),
    readStates: raft.readStates.slice(),
    handedOver: handover.save(),
  };
}

export function restoreNodeState(raft: Raft, handover: Handover, state: NodeState): void {
  const { log, tracker, reads } = raft;
  raft.term = state.term;
  raft.vote = state.vote;
  raft.role = state.role;
  raft.lead = state.lead;
  raft.electionElapsedTicks = state.electionElapsedTicks;
  raft.heartbeatElapsedTicks = state.heartbeatElapsedTicks;
  raft.randomizedElectionTicks = state.randomizedElectionTicks;
  raft.pendingCampaign = state.pendingCampaign;
  raft.leadTransferee = state.leadTransferee;
  raft.leaseSurrendered = state.leaseSurrendered;
  raft.pendingConfIndex = state.pendingConfIndex;
  raft.uncommittedBytes = state.uncommittedBytes;
  log.committed = state.committed;
  log.applying = state.applying;
  log.applied = state.applied;
  log.applyingBytes = state.applyingBytes;
  log.applyingPaused = state.applyingPaused;
  log.applyingAwaitsEntries = state.applyingAwaitsEntries;
  log.unstable.restoreSaved(state.unstable);
  tracker.conf = state.conf;
  tracker.peers = state.peers.map((peer) => restoredProgress(raft, peer));
  tracker.granted = state.granted;
  tracker.rejected = state.rejected;
  reads.round = state.readRound;
  reads.waiting = state.waitingReads.slice();
  reads.held = state.heldReads.slice();
  raft.lease.restore(state.readLease);
  raft.messages = state.messages.slice();
  raft.messagesAfterAppend = state.messagesAfterAppend.slice();
  raft.readStates = state.readStates.slice();
  handover.restore(state.handedOver);
}

function copyProgress(progress: Progress): PeerState {
  return {
    id: progress.id,
    isLearner: progress.isLearner,
    state: progress.state,
    match: progress.match,
    next: progress.next,
    pendingSnapshot: progress.pendingSnapshot,
    sentCommit: progress.sentCommit,
    appendPaused: progress.appendPaused,
    awaitsEntries: progress.awaitsEntries,
    recentlyActive: progress.recentlyActive,
    confirmedRound: progress.confirmedRound,
    inflights: progress.inflights.toArray(),
  };
}

function restoredProgress(raft: Raft, peer: PeerState): Progress {
  const progress = new Progress(peer.id, peer.next, peer.isLearner, raft.tracker.limits);
  progress.state = peer.state;
  progress.match = peer.match;
  progress.pendingSnapshot = peer.pendingSnapshot;
  progress.sentCommit = peer.sentCommit;
  progress.appendPaused = peer.appendPaused;
  progress.awaitsEntries = peer.awaitsEntries;
  progress.recentlyActive = peer.recentlyActive;
  progress.confirmedRound = peer.confirmedRound;
  for (const { lastIndex, bytes } of peer.inflights) progress.inflights.add(lastIndex, bytes);
  return progress;
}

/** Whether two states are the same in every respect. */
export function sameNodeState(a: NodeState, b: NodeState): boolean {
  return sameValue(a, b);
}

/** For plain data: objects, arrays, bytes, and what compares by `===`. */
function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => sameValue(a[key as keyof typeof a], b[key as keyof typeof b]));
}
