import type { ConfState, HardState, PeerMessage, Ready, Role, SnapshotMeta, StorageAppend } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";

/** What a member comes up with: all of it was durable. */
export interface RecoveredState {
  readonly memberId: number;
  readonly incarnation: number;
  readonly hardState: HardState;
  /** Of the newest snapshot; there always is one. */
  readonly snapshot: SnapshotMeta;
  /** Lowest index whose entry the log holds; lastIndex + 1 if it holds none. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Of the entry at an index from firstIndex - 1 to lastIndex. */
  readonly term: (index: number) => number;
}

/** Where the core stands when it hands out a Ready. */
export interface CoreState {
  readonly term: number;
  readonly role: Role;
  /** 0 = none known. */
  readonly lead: number;
  readonly commit: number;
  /** What the state machine has applied. */
  readonly applied: number;
  /** In force: of what is applied. */
  readonly confState: ConfState;
}

/**
 * Sees what a member does, at the moment when it does it: for simulation and tests, which hold it against the protocol's
 * rules. It only looks: arguments are not to be changed, a method must not call the member, and what it throws stops it.
 */
export interface RaftNodeObserver {
  /** Before anything else of this life. */
  opened(recovered: RecoveredState): void;
  /** What one turn brought; nothing of it is written or sent yet. Each entry that comes into the log is in one of these. */
  ready(ready: Ready, state: CoreState): void;
  /** They leave for peers now. What had to wait for a write comes after its `written`. */
  sending(messages: readonly PeerMessage[]): void;
  /** They have come from peers, and go to the core next, unless this member takes nothing from them. */
  received?(messages: readonly PeerMessage[]): void;
  /** Storage says that this is durable; nothing that depends on it has been sent yet. */
  written(write: StorageAppend): void;
  /** The state machine has got this far: by the entry there, or by a snapshot. `confState` is in force from there on. */
  applied(index: number, term: number, by: "entry" | "snapshot", confState: ConfState): void;
}

export function recoveredState(storage: DiskStorage): RecoveredState {
  const { memberId, incarnation } = storage.identity;
  return {
    memberId,
    incarnation,
    hardState: storage.initialState().hardState,
    snapshot: storage.snapshot().meta,
    firstIndex: storage.firstIndex(),
    lastIndex: storage.lastIndex(),
    term: (index) => storage.term(index),
  };
}
