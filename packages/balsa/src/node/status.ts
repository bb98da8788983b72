import type { RawNode, Role } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";
import type { Member } from "./members.js";

/** What a leader knows of a member (thesis §10.2.1, etcd's progress). */
export interface PeerProgress {
  readonly id: number;
  /** Highest index known to be durable there. */
  readonly match: number;
  readonly next: number;
  readonly state: "probe" | "replicate" | "snapshot";
}

export interface RaftNodeStatus {
  readonly clusterId: number;
  readonly memberId: number;
  readonly name: string;
  readonly role: Role;
  readonly term: number;
  /** 0 = none known. */
  readonly leader: number;
  readonly commit: number;
  /** What the state machine has applied. */
  readonly applied: number;
  readonly lastIndex: number;
  readonly snapshotIndex: number;
  /** Bytes of entries since the last compaction. */
  readonly logBytes: number;
  /** This member's disk: while it leads, proposals are refused. */
  readonly isDiskFull: boolean;
  readonly members: readonly Member[];
  /** On the leader; elsewhere empty. */
  readonly progress: readonly PeerProgress[];
}

export function raftNodeStatus(
  raw: RawNode,
  storage: DiskStorage,
  applied: number,
  members: readonly Member[],
): RaftNodeStatus {
  const { clusterId, memberId, name } = storage.identity;
  return {
    clusterId,
    memberId,
    name,
    role: raw.role,
    term: raw.term,
    leader: raw.lead,
    commit: raw.commit,
    applied,
    lastIndex: raw.lastIndex,
    snapshotIndex: storage.snapshot().meta.index,
    logBytes: storage.logBytes,
    isDiskFull: storage.isFull,
    members,
    progress: raw.status().progress.map(({ id, match, next, state }) => ({ id, match, next, state })),
  };
}
