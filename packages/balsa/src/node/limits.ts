/** Limits of the runtime. Bytes and counts; what is over them is refused or waits, nothing grows without bound. */

/** One command's bytes: must fit one frame of the wire with room to spare (transport/limits.ts). */
export const COMMAND_BYTES_MAX: number = 8 * 1024 * 1024;

/**
 * Commands gathered, forwarded or in the log and not yet applied, over all callers of this member. At 256-byte commands
 * a quarter of a million callers; beyond that proposals are refused at once instead of growing the heap.
 */
export const PENDING_BYTES_MAX: number = 64 * 1024 * 1024;
export const PENDING_COUNT_MAX = 1_000_000;

/** A snapshot that could not be taken is tried again after this at the earliest: the disk may have been full for a moment. */
export const SNAPSHOT_RETRY_MS = 1_000;

/** Commands received from other members for one turn; the sender hears `overloaded` beyond it. */
export const FORWARDED_BYTES_MAX: number = 32 * 1024 * 1024;

/** One forward frame: far below the frame limit, so that heartbeats are not stuck behind it for long. */
export const FORWARD_BATCH_BYTES_MAX: number = 1024 * 1024;
export const FORWARD_BATCH_COUNT_MAX = 4096;

/** Bytes of entries in one append message: three of these fit a frame, and a slow link still carries it in a tick. */
export const APPEND_BYTES_MAX: number = 1024 * 1024;

/** Append messages, and their bytes, on the way to one peer: twice what a 10 Gbit/s link holds in 10 ms. */
export const INFLIGHT_MESSAGES_MAX = 256;
export const INFLIGHT_BYTES_MAX: number = 24 * 1024 * 1024;

/** What a leader keeps uncommitted, behind PENDING_BYTES_MAX of each member that forwards to it. */
export const UNCOMMITTED_BYTES_MAX: number = 256 * 1024 * 1024;

/** Committed entries handed to the state machine at a time: bounds the pause of one `apply`. */
export const COMMITTED_BYTES_MAX: number = 1024 * 1024;

/** Reads of old entries from the log at a time: with pieces of 1 MiB (storage/limits.ts), as many MiB on their way. */
export const ENTRY_FETCHES_MAX = 4;

/** Slots of the deadline wheel: at the default tick of 100 ms one turn of it is 51 s. A power of two. */
export const DEADLINE_SLOTS = 512;

/** Ticks that one timer event may make up for: a stalled process must not burn through an election timeout at once. */
export const TICKS_AT_ONCE_MAX = 2;

/** Timers of 100 ms and more keep ticks in proportion to the messages they cause. */
export const HEARTBEAT_MS_MIN = 1;

/** Members of a cluster: quorums beyond this cost more than they add (and bound the codec). */
export const MEMBERS_MAX = 64;
/**
 * A learner may vote once it lacks no more than this: entries of the last fraction of a second on a busy group, which it
 * gets while the change that promotes it is under way (thesis §4.2.1).
 */
export const PROMOTION_LAG_ENTRIES_MAX = 1_000;

/** Election timeouts for which a removed member stays for those who may need its vote, once it was told. */
export const DEPARTURE_ELECTIONS = 10;

/** How long one that would join asks for it before it gives up, and between two rounds of asking. */
export const JOIN_TIMEOUT_MS = 60_000;
export const JOIN_RETRY_MS = 200;

/** How long a first member waits at its start for what the others know of it; later it goes on asking. */
export const INTRODUCTION_TIMEOUT_MS = 1_000;
/** Ticks after which those that have answered are asked anew: about an election timeout, in which a leader may have come. */
export const ASKED_AGAIN_TICKS = 10;

/** Former members that are remembered: those before them are strangers again, at 8 bytes each. */
export const REMOVED_MAX = 1_024;
export const NAME_BYTES_MAX = 128;
export const ADDRESS_BYTES_MAX = 256;

/** A member under repair asks for a piece of the log, and waits so long for the answer: a disk may have to be read. */
export const REPAIR_ASK_MS = 5_000;
/** Where nothing was to be had it asks again after this: the others elect a leader, or come back, in about a second. */
export const REPAIR_RETRY_MS = 250;
/** A snapshot's stream; longer ones go on, and are asked for again where they fail. */
export const REPAIR_SNAPSHOT_MS = 60_000;
/** Calls that wait for the end of a repair; more are refused. */
export const REPAIR_CALLS_MAX = 10_000;
/** Reads from disk for one answer: what one brings can have given way to another's before it is looked at. */
export const REPAIR_FETCHES_MAX = 4;
