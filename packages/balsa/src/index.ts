/** The library's face: RaftNode on Node's own clock, disk, network and randomness. The layers have subpaths. */
export type { AppliedOutcome, BalsaErrorCode, MembershipRefusal } from "./core/index.js";
export { BalsaError } from "./core/index.js";
export type { SessionedStateMachine, SessionLimits, SessionMember, SessionOptions } from "./machine/index.js";
export { resultOf, Session, withoutSession, withSessions } from "./machine/index.js";
export type {
  Applied,
  Bootstrap,
  CallOptions,
  ChangeApplied,
  ChangeOptions,
  Command,
  Join,
  Member,
  MemberChange,
  PeerProgress,
  RaftNodeEvent,
  RaftNodeStatus,
  StateMachine,
} from "./node/index.js";
export type { RaftNodeOptions } from "./raft-node.js";
export { RaftNode } from "./raft-node.js";
