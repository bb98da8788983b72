export type { AppliedOutcome, BalsaErrorCode, BalsaErrorOptions, MembershipRefusal } from "./balsa-error.js";
export { BalsaError } from "./balsa-error.js";
export { isCommitHint } from "./commit-hint.js";
export type {
  ConfChange,
  ConfChangeRefusal,
  ConfChangeTransition,
  ConfChangeV1,
  ConfChangeV2,
  NodeChange,
  NodeChangeKind,
} from "./conf-change.js";
export { asConfChangeV2, LEAVE_JOINT, NO_CONTEXT } from "./conf-change.js";
export { decodeConfChange, encodeConfChange } from "./conf-change-codec.js";
export type { ConfState } from "./conf-state.js";
export {
  allMembers,
  EMPTY_CONF_STATE,
  isJoint,
  isMember,
  isVoter,
  sameConfState,
  sortedConfState,
} from "./conf-state.js";
export type { Config, ReadOnlyMode } from "./config.js";
export type { ConfigStep } from "./config-changer.js";
export { changeConfig, enterJoint, leaveJoint, simpleChange } from "./config-changer.js";
export type { Entry, EntryType, ProposedEntry } from "./entry.js";
export { entryBytes } from "./entry-size.js";
export type { HardState } from "./hard-state.js";
export { EMPTY_HARD_STATE, sameHardState } from "./hard-state.js";
export { invariant, unreachable } from "./invariant.js";
export { checkDelta, checkState } from "./invariants.js";
export { MemoryStorage } from "./memory-storage.js";
export type {
  AppendMessage,
  AppendResponse,
  HeartbeatMessage,
  HeartbeatResponse,
  Message,
  PeerMessage,
  ProposeMessage,
  ReadIndexMessage,
  ReadIndexResponse,
  SnapshotMessage,
  StorageAppend,
  StorageAppendResponse,
  StorageApply,
  StorageApplyResponse,
  StorageMessage,
  TimeoutNowMessage,
  TransferLeaderMessage,
  VoteMessage,
  VoteResponse,
} from "./message.js";
export { LOCAL_APPEND, LOCAL_APPLY, NONE } from "./message.js";
export type { NodeState, PeerState, UnstableState } from "./node-state.js";
export { sameNodeState } from "./node-state.js";
export type { ProgressState } from "./progress.js";
export type { DropReason, ProposeOutcome } from "./propose-outcome.js";
export type { EntryRange } from "./raft-log.js";
export { RawNode } from "./raw-node.js";
export type { ReadIndexOutcome } from "./read-index.js";
export type { ReadState, Ready, Role, SoftState } from "./ready.js";
export type { Snapshot, SnapshotMeta } from "./snapshot.js";
export { EMPTY_SNAPSHOT } from "./snapshot.js";
export type { PeerStatus, Status } from "./status.js";
export type { StepOutcome } from "./step.js";
export type { Storage, StorageErrorCode } from "./storage.js";
export { StorageError } from "./storage.js";
