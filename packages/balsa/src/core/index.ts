export type { AppliedOutcome, BalsaErrorCode, BalsaErrorOptions } from "./balsa-error.js";
export { BalsaError } from "./balsa-error.js";
export type { ConfState } from "./conf-state.js";
export type { Entry, EntryType, ProposedEntry } from "./entry.js";
export type { HardState } from "./hard-state.js";
export { invariant } from "./invariant.js";
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
export type { ReadState, Ready, Role, SoftState } from "./ready.js";
export type { Snapshot, SnapshotMeta } from "./snapshot.js";
export type { Storage, StorageErrorCode } from "./storage.js";
export { StorageError } from "./storage.js";
