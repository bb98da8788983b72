import type { ConfState } from "./conf-state.js";
import type { Progress, ProgressState } from "./progress.js";
import type { Raft } from "./raft.js";
import type { Role } from "./ready.js";

/** What the leader knows of one member; its own entry included. Fields are those of `Progress`. */
export interface PeerStatus {
  readonly id: number;
  readonly isLearner: boolean;
  readonly state: ProgressState;
  readonly match: number;
  readonly next: number;
  readonly pendingSnapshot: number;
  readonly recentlyActive: boolean;
  /** Whether no append can be sent to it now. */
  readonly paused: boolean;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly inflightsFull: boolean;
}

export interface Status {
  readonly id: number;
  readonly term: number;
  readonly vote: number;
  readonly role: Role;
  /** Who leads; 0 = not known. */
  readonly lead: number;
  /** To whom leadership is on its way; 0 = to nobody. */
  readonly leadTransferee: number;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly conf: ConfState;
  /** By ID. Empty where this node does not lead. */
  readonly progress: readonly PeerStatus[];
}

export function statusOf(raft: Raft): Status {
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    role: raft.role,
    lead: raft.lead,
    leadTransferee: raft.leadTransferee,
    commit: raft.log.committed,
    applied: raft.log.applied,
    firstIndex: raft.log.firstIndex(),
    lastIndex: raft.log.lastIndex(),
    conf: raft.tracker.conf,
    progress: raft.role === "leader" ? raft.tracker.peers.map(peerStatus) : [],
  };
}

function peerStatus(progress: Progress): PeerStatus {
  return {
    id: progress.id,
    isLearner: progress.isLearner,
    state: progress.state,
    match: progress.match,
    next: progress.next,
    pendingSnapshot: progress.pendingSnapshot,
    recentlyActive: progress.recentlyActive,
    paused: progress.isPaused(),
    inflightMessages: progress.inflights.count,
    inflightBytes: progress.inflights.bytes,
    inflightsFull: progress.inflights.full(),
  };
}
