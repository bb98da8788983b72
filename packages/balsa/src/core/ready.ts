import type { Entry } from "./entry.js";
import type { HardState } from "./hard-state.js";
import type { Message } from "./message.js";
import type { Snapshot } from "./snapshot.js";

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** State that need not survive a crash. */
export interface SoftState {
  /** 0 = no leader known. */
  readonly lead: number;
  readonly role: Role;
}

/** A read-index answer: `requestId` may be served once `index` is applied (thesis §6.4). */
export interface ReadState {
  readonly index: number;
  readonly requestId: number;
}

/**
 * What is to be done, all that one turn brought: stored, sent and applied.
 *
 * With asynchronous storage writes the `storage-append` and `storage-apply` messages among `messages` carry the work,
 * and the other fields only repeat it. Otherwise the caller stores hard state, entries and snapshot, sends `messages`,
 * applies `committedEntries`, and calls `advance`.
 */
export interface Ready {
  /** undefined = unchanged. */
  readonly softState: SoftState | undefined;
  /** undefined = unchanged. */
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  /** To be made durable before the messages that depend on them are sent. */
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  /** To be applied to the state machine, in order. */
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** Whether entries came or term or vote changed. Never for a snapshot or a commit index alone. */
  readonly mustSync: boolean;
}
