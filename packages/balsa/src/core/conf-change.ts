/** What is done with one node. `update` changes nothing in the core: it carries news in the change's context. */
export type NodeChangeKind = "add-voter" | "add-learner" | "remove" | "update";

export interface NodeChange {
  readonly kind: NodeChangeKind;
  /** 0 = nobody: the change is void. */
  readonly id: number;
}

/**
 * How a change of several nodes comes about:
 *
 * - `auto`: one node at a time takes the simple way; more of them pass through a joint configuration and leave it by
 *   themselves.
 * - `joint-implicit`: through a joint configuration, in any case, left by itself.
 * - `joint-explicit`: through a joint configuration that stands until a change without nodes leaves it.
 */
export type ConfChangeTransition = "auto" | "joint-implicit" | "joint-explicit";

/** One node at a time, in the first format, for groups with members that know no other. */
export interface ConfChangeV1 {
  readonly version: 1;
  readonly change: NodeChange;
  /** The application's; the core never looks at it. */
  readonly context: Uint8Array;
}

/** Any number of nodes; with none and transition `auto` it leaves a joint configuration. */
export interface ConfChangeV2 {
  readonly version: 2;
  readonly transition: ConfChangeTransition;
  readonly changes: readonly NodeChange[];
  readonly context: Uint8Array;
}

/** A change of the group's members, as it is proposed and as it stands in the log (thesis §4). */
export type ConfChange = ConfChangeV1 | ConfChangeV2;

export const NO_CONTEXT: Uint8Array = new Uint8Array(0);

export const LEAVE_JOINT: ConfChangeV2 = { version: 2, transition: "auto", changes: [], context: NO_CONTEXT };

/** Any change in the second format's terms. */
export function asConfChangeV2(change: ConfChange): ConfChangeV2 {
  if (change.version === 2) return change;
  return { version: 2, transition: "auto", changes: [change.change], context: change.context };
}

/** What applying a change does: to leave the joint configuration, to enter one, or a simple change. */
export type ConfChangeStep = "leave-joint" | "enter-joint" | "simple";

export function confChangeStep(change: ConfChangeV2): ConfChangeStep {
  if (change.transition === "auto" && change.changes.length === 0) return "leave-joint";
  // More changes than necessary go through a joint configuration: adding two learners would be safe without. Which of
  // them need it depends on the configuration they meet, and that is not worth the risk of a mistake.
  return change.transition === "auto" && change.changes.length === 1 ? "simple" : "enter-joint";
}

/** Whether a joint configuration that this change enters is left by itself. */
export function leavesByItself(change: ConfChangeV2): boolean {
  return change.transition !== "joint-explicit";
}

/** Why the leader turned a proposed change into an empty entry (E1). */
export type ConfChangeRefusal =
  /** An earlier change is in the log and not applied yet. */
  | "already-pending"
  /** The group is in a joint configuration, and the change does not leave it. */
  | "already-joint"
  /** The change leaves a joint configuration, and there is none. */
  | "not-joint"
  /** Its bytes say nothing that could be applied. */
  | "malformed";
