/** Why something failed. Closed: a caller may switch over it exhaustively. */
export type BalsaErrorCode =
  /** An option or argument is wrong; the message says which and what to do. */
  | "invalid-argument"
  /** The directory or the peer belongs to another cluster, member, group or format version. */
  | "identity-mismatch"
  /** The data directory is in use by another process. */
  | "locked"
  /** The address is in use. */
  | "address-in-use"
  /** Bytes on disk are not what was written. */
  | "corrupt"
  /** A write or sync failed: the member stopped for good. */
  | "storage-failed"
  /** There is no room on the leader's disk, or on this member's; later there may be. */
  | "disk-full"
  /** No leader is known, or it refused because it is leaving or transferring. */
  | "not-leader"
  /** More is in flight than the limits allow; later it may fit. */
  | "overloaded"
  /** The request is larger than a limit allows; it will never fit. */
  | "too-large"
  /** The entry was overwritten by a new leader's. */
  | "superseded"
  /** The session under which the command was to take effect is not known any more; in another one it can. */
  | "session-expired"
  /** The deadline passed. */
  | "timeout"
  /** The caller's AbortSignal fired. */
  | "aborted"
  /** A change of the cluster's members is not made, as things stand: `refusal` says why. */
  | "membership-refused"
  /** This member was removed from its cluster. */
  | "removed"
  /** The member is closing or closed. */
  | "closed"
  /** The application's state machine threw or broke its contract: `cause` has what it threw. The member stopped. */
  | "state-machine-failed"
  /** An invariant does not hold: a bug. The member stopped. */
  | "invariant";

/** Why a change of the cluster's members is refused. */
export type MembershipRefusal =
  /** Another change is under way. */
  | "change-pending"
  | "unknown-member"
  /** Name or address is another member's. */
  | "duplicate-member"
  | "not-a-learner"
  | "not-a-voter"
  /** The learner lacks too much of the log to vote. */
  | "not-caught-up"
  | "last-voter"
  /** Too few of the voters that would remain can be reached: the cluster could come to stand still. */
  | "quorum-at-risk"
  | "too-many-members"
  /** The member that would be replaced is up. */
  | "member-is-up";

/** Whether the command can have taken effect: surely not, or nobody here knows. */
export type AppliedOutcome = "not-applied" | "unknown";

export interface BalsaErrorOptions {
  readonly cause?: unknown;
  readonly applied?: AppliedOutcome;
  readonly retryable?: boolean;
  readonly leader?: number;
  readonly refusal?: MembershipRefusal;
}

/** The one error class of the library. */
export class BalsaError extends Error {
  readonly code: BalsaErrorCode;
  /** For proposals: whether it can have taken effect. `not-applied` for everything else. */
  readonly applied: AppliedOutcome;
  /** Whether the same call may succeed later (for `unknown` proposals: only under a session). */
  readonly retryable: boolean;
  /** Who leads, as far as this member knows; 0 = unknown. */
  readonly leader: number;
  /** With code `membership-refused`. */
  readonly refusal: MembershipRefusal | undefined;

  constructor(code: BalsaErrorCode, message: string, options: BalsaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BalsaError";
    this.code = code;
    this.applied = options.applied ?? "not-applied";
    this.retryable = options.retryable ?? false;
    this.leader = options.leader ?? 0;
    this.refusal = options.refusal;
  }
}
