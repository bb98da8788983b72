/**
 * Limits of sessions. The first three are part of the replicated state machine: they decide what is refused and what is
 * forgotten, so they are the same on every member (`SessionLimits`). Together they bound the table: 1,024 sessions of 32
 * results of 4 KiB are 128 MiB, in memory and in each snapshot, if every client leaves as much unacknowledged as it may.
 */

/** Sessions that are remembered; one more, and the least recently used of them expires. */
export const SESSIONS_MAX = 1_024;

/** Results that one session holds for its client: as many commands as it may have under way at a time. */
export const RESULTS_MAX = 32;

/** One result, with the few bytes around it. A larger one is not handed out, neither at first nor again. */
export const RESULT_BYTES_MAX = 4_096;

/** What each of them may be raised to: a table that is still read and copied in a moment. */
export const SESSIONS_CEILING = 1_000_000;
export const RESULTS_CEILING = 4_096;
export const RESULT_BYTES_CEILING: number = 16 * 1024 * 1024;

/** Calls of one session that wait for their turn, behind those that are under way; more are refused. */
export const WAITING_CALLS_MAX = 1_024;

/** How long a call may take, where its caller does not say: as RaftNode has it. */
export const CALL_MS_DEFAULT = 5_000;

/** How long the first attempt of a call is waited for; each one after it twice as long, so that load is not doubled. */
export const ATTEMPT_MS_DEFAULT = 1_000;

/** Between two attempts: the first pause, doubled up to the longest, which an election takes anyway. */
export const PAUSE_MS_FIRST = 5;
export const PAUSE_MS_MAX = 320;

/** A piece of the table in a snapshot ends with the session that reaches this. */
export const SECTION_PIECE_BYTES: number = 64 * 1024;

/** Around one answer, and around one session, in a snapshot: varints of eight bytes at the most. */
export const SLOT_OVERHEAD_BYTES = 16;
export const SESSION_OVERHEAD_BYTES = 24;

/** Before a result in its answer: kind, index and term. */
export const ANSWER_OVERHEAD_BYTES = 17;
