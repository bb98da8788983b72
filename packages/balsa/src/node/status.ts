import { type BalsaError, type BalsaErrorCode, NONE, type RawNode, type Role } from "../core/index.js";
import type { DamagedDirectory, DiskStorage } from "../storage/index.js";
import { type Configuration, type Member, membersOf } from "./configuration.js";
import type { Repair, RepairStatus } from "./repair.js";

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
  /** The member's log is damaged, and it takes no part until peers have helped; undefined = it takes part. */
  readonly repair: RepairStatus | undefined;
  /** Why the member has stopped for good: it leads and follows nobody any more. undefined = it has not. */
  readonly stopped: BalsaErrorCode | undefined;
}

export function raftNodeStatus(
  raw: RawNode,
  storage: DiskStorage,
  applied: number,
  configuration: Configuration,
  ended: BalsaError | undefined,
): RaftNodeStatus {
  const { clusterId, memberId, name } = storage.identity;
  const takesPart = ended === undefined;
  return {
    clusterId,
    memberId,
    name,
    role: takesPart ? raw.role : "follower",
    term: raw.term,
    leader: takesPart ? raw.lead : NONE,
    commit: raw.commit,
    applied,
    lastIndex: raw.lastIndex,
    snapshotIndex: storage.snapshot().meta.index,
    logBytes: storage.logBytes,
    isDiskFull: storage.isFull,
    members: membersOf(configuration),
    progress: takesPart ? progressOf(raw) : [],
    repair: undefined,
    stopped: ended?.code,
  };
}

function progressOf(raw: RawNode): readonly PeerProgress[] {
  return raw.status().progress.map(({ id, match, next, state }) => ({ id, match, next, state }));
}

/** Of a member whose log is being repaired: what of it is known. */
export function repairingStatus(
  directory: DamagedDirectory,
  configuration: Configuration,
  repair: Repair,
  ended: BalsaError | undefined,
): RaftNodeStatus {
  const { identity, log, snapshot } = directory;
  const { clusterId, memberId, name } = identity;
  return {
    clusterId,
    memberId,
    name,
    role: "follower",
    term: log.hardState.term,
    leader: NONE,
    commit: log.commit,
    applied: 0,
    lastIndex: log.lastIndex,
    snapshotIndex: snapshot?.index ?? 0,
    logBytes: 0,
    isDiskFull: false,
    members: membersOf(configuration),
    progress: [],
    repair: repair.status(),
    stopped: ended?.code,
  };
}
