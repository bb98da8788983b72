/** What runs are held to, and their arithmetic. */

/**
 * From the moment all is healed: what stalled, or was on a thin or lossy line, is there within 1 s (`NetworkFaults.heal`); a
 * connection is tried again within 1 s; and an election takes one to two timeouts, three where votes are split.
 */
export const HEAL_LEADER_ELECTIONS = 6;
export const HEAL_LEADER_MS = 3_000;
/** Connections that stalled may still break for a second, and take with them what was under way. */
export const HEAL_SETTLE_MS = 1_500;
/** From then on: what a client then writes is committed, and everybody has applied all there is. */
export const HEAL_COMMIT_MS = 3_000;
export const HEAL_CATCH_UP_MS = 10_000;
/** Who was removed stays for ten election timeouts for those who may need its vote, from when the first one has told it. */
export const HEAL_DEPARTURE_ELECTIONS = 12;
/** A snapshot that failed for want of room is tried again after a second, or four times as long as the failure took. */
export const HEAL_SNAPSHOT_MS = 5_000;
/**
 * During a truce there may be one way to a majority only: where its connection stands still it is given up after 5 s, and
 * made anew as above. What would never come about is told by any limit.
 */
export const TRUCE_MS = 12_000;
/** How long a truce waits for the moment at which it is to begin: some elections, of all faults undisturbed. */
export const TRUCE_WAIT_MS = 3_000;
/** One that is away may depose the leader by a term of its own, once; votes may be split as at any time. */
export const TRUCE_ELECTIONS = 8;
/**
 * Who can't be elected for its log now never can, from then on: what was under way has arrived, and leaders who are not
 * heard by a majority have stepped down, which takes one election timeout, and so has one that they elected meanwhile.
 */
export const TRUCE_STILL_MS = 1_500;
export const TRUCE_STILL_ELECTIONS = 3;
/**
 * How long a leader whom a majority follows is watched, and how often another may be elected all the same: a follower whose
 * connection breaks over what stalled before the truce forgets the leader, and may give somebody else the vote that it
 * lacked. Who can be deposed again and again is, every one or two election timeouts.
 */
export const TRUCE_STAY_ELECTIONS = 8;
export const TRUCE_DEPOSALS_MAX = 2;
/** A piece may be late, the one before it early, and an answer as late. */
export const TRUCE_LATENESSES = 3;
/** How often the healing looks at the cluster. */
export const HEAL_STEP_MS = 50;

/** Steps of the model for one history: some ten times what an ordinary one takes. */
export const CHECK_STEPS_MAX = 400_000;

/**
 * A disk is read as a whole and compared so often: some 0.7 ms of real time. Longer runs, in which all of them are compared
 * more than once all the same, take twice as long between two: 2 % of a run of the default profile.
 */
export const COMPARE_DISK_EVERY_MS = 1_700;
export const COMPARE_DISK_IN_LONG_RUNS_EVERY_MS = 3_700;
export const LONG_RUN_MS = 30_000;

/** How long a membership change may take; and after which a request for one can't arrive any more, whatever held it up. */
export const CHANGE_TIMEOUT_MS = 3_000;
export const CHANGE_FORGOTTEN_MS = 12_000;
/**
 * What operators asked for before the peace may depose whoever leads by then: it reaches a leader within a second, and
 * the leader tries for no longer than the call may take.
 */
export const HEAL_CHANGES_MS: number = CHANGE_TIMEOUT_MS + 1_000;
/** A member that comes back with an empty disk asks, is taken in, catches up and is promoted; one step may time out. */
export const HEAL_JOIN_MS = 40_000;

/** Messages and steps of progress on a run's page: some 100 bytes each, 3 MB, which browsers draw at once. */
export const PAGE_MOMENTS_MAX = 30_000;

/** Of one scenario, spare ones too: more would be drawn by nobody, and take hours. */
export const MACHINES_MAX = 50;
