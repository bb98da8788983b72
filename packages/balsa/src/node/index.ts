export type { AbortSignalLike, CallOptions } from "./abort.js";
export type { Bootstrap, Member, MemberAddress } from "./members.js";
export type { CoreState, RaftNodeObserver, RecoveredState } from "./observer.js";
export type { RaftNodeEvent, RaftNodeOptions, Tuning } from "./options.js";
export type { Applied } from "./proposals.js";
export { RaftNode } from "./raft-node.js";
export type { RepairFigures, RepairStatus } from "./repair.js";
export type { Command, StateMachine } from "./state-machine.js";
export type { PeerProgress, RaftNodeStatus } from "./status.js";
