import type { Entry, ProposedEntry } from "./entry.js";
import type { HardState } from "./hard-state.js";
import type { Snapshot } from "./snapshot.js";

/** "Nobody": no leader known, no vote given. Never a node's ID. */
export const NONE = 0;
/** Target of `storage-append`: the local log writer. */
export const LOCAL_APPEND: number = -1;
/** Target of `storage-apply`: the local state machine. */
export const LOCAL_APPLY: number = -2;

/**
 * What nodes say to each other, and to their own storage. `from` and `to` are node IDs; `from` of a `propose` or
 * `read-index` that was passed on is whoever asked first. `term` is the sender's term, except in a pre-vote and its grant,
 * which are about the next one; 0 in `propose` and `read-index`, in which the term plays no part.
 */
interface Envelope {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

/** AppendEntries (Raft §5.3). */
export interface AppendMessage extends Envelope {
  readonly type: "append";
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  /** The leader's commit index. */
  readonly commit: number;
  /** Whoever accepts it need not say so (replication.ts); whoever does not, says so as ever. Never with entries. */
  readonly quiet: boolean;
}

export interface AppendResponse extends Envelope {
  readonly type: "append-response";
  /** Accepted: last index that is known to match. Rejected: the `prevIndex` that was rejected. */
  readonly index: number;
  readonly rejected: boolean;
  /**
   * Rejected: the largest index at which the logs could still agree, and the term there (B5). Accepted: 0; or, where
   * nothing is acknowledged, an entry that is known to be committed (commit-hint.ts).
   */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export interface HeartbeatMessage extends Envelope {
  readonly type: "heartbeat";
  /** min(the peer's match, the leader's commit): never past what the peer is known to have (C7). */
  readonly commit: number;
  /** Read-index round that the answer confirms (thesis §6.4); 0 = none. */
  readonly readRound: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly type: "heartbeat-response";
  readonly readRound: number;
}

/** RequestVote, and the pre-vote that asks without raising the term (thesis §9.6). */
export interface VoteMessage extends Envelope {
  readonly type: "vote" | "pre-vote";
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Sent on a leadership transfer: answered even within a leader's lease. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly type: "vote-response" | "pre-vote-response";
  readonly rejected: boolean;
}

/** InstallSnapshot (Raft §7). */
export interface SnapshotMessage extends Envelope {
  readonly type: "snapshot";
  readonly snapshot: Snapshot;
}

/** The leader tells its transfer target to campaign now (thesis §3.10). */
export interface TimeoutNowMessage extends Envelope {
  readonly type: "timeout-now";
}

/** A request to hand leadership to `transferee`, forwarded by a follower. */
export interface TransferLeaderMessage extends Envelope {
  readonly type: "transfer-leader";
  readonly transferee: number;
}

/** Proposals forwarded to the leader. */
export interface ProposeMessage extends Envelope {
  readonly type: "propose";
  readonly entries: readonly ProposedEntry[];
}

/** A read-index request forwarded to the leader (thesis §6.4). */
export interface ReadIndexMessage extends Envelope {
  readonly type: "read-index";
  /** Chosen by the node that asks, fresh for each attempt (E3). */
  readonly requestId: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: "read-index-response";
  readonly requestId: number;
  /** The read may be served once this index is applied. */
  readonly index: number;
}

/** What travels between nodes. */
export type PeerMessage =
  | AppendMessage
  | AppendResponse
  | HeartbeatMessage
  | HeartbeatResponse
  | VoteMessage
  | VoteResponse
  | SnapshotMessage
  | TimeoutNowMessage
  | TransferLeaderMessage
  | ProposeMessage
  | ReadIndexMessage
  | ReadIndexResponse;

/**
 * To the local log writer: make all of this durable, then deliver `responses` (some to peers, some back to this node).
 * Writes are carried out in the order in which they were handed over.
 */
export interface StorageAppend extends Envelope {
  readonly type: "storage-append";
  /** The hard state to store; undefined = unchanged. `term` is this hard state's term, or 0. */
  readonly hardState: HardState | undefined;
  /** Replaces whatever the log holds from the first entry's index on. */
  readonly entries: readonly Entry[];
  /** Replaces the whole log; entries, if any, follow it. */
  readonly snapshot: Snapshot | undefined;
  readonly responses: readonly Message[];
}

/** From the local log writer: everything up to (index, logTerm) of one `storage-append` is durable. */
export interface StorageAppendResponse extends Envelope {
  readonly type: "storage-append-response";
  /** Last entry of the write; 0 = it held none. */
  readonly index: number;
  readonly logTerm: number;
  readonly snapshot: Snapshot | undefined;
}

/** To the local state machine: apply these committed entries, in order, then deliver `responses`. */
export interface StorageApply extends Envelope {
  readonly type: "storage-apply";
  readonly entries: readonly Entry[];
  readonly responses: readonly Message[];
}

export interface StorageApplyResponse extends Envelope {
  readonly type: "storage-apply-response";
  readonly entries: readonly Entry[];
  /** Of all of them, as `entryBytes` counts: as it was counted when they were handed out. */
  readonly bytes: number;
}

/** What passes between a node and its own storage, when storage writes are asynchronous (C9). */
export type StorageMessage = StorageAppend | StorageAppendResponse | StorageApply | StorageApplyResponse;

export type Message = PeerMessage | StorageMessage;
