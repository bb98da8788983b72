/**
 * What the core holds at the most, where the caller does not say otherwise. All sizes count an entry as `entryBytes`
 * does, except the two that say payload.
 */

/** Entries of one append message: large enough to fill a connection, small enough not to delay a heartbeat behind it. */
export const DEFAULT_MAX_BYTES_PER_MESSAGE: number = 1 << 20;

/**
 * Append messages on their way to one peer. With the default message size that is at most 256 MiB; what bounds it in
 * practice is `maxInflightBytes`.
 */
export const DEFAULT_MAX_INFLIGHT_MESSAGES = 256;

/**
 * Read-index requests that wait, confirmed or not, at the leader: 24 bytes of state each, so about 1.5 MiB. The
 * runtime sends one request for all reads of a turn, so this many are never seen outside a flood.
 */
export const MAX_WAITING_READS: number = 1 << 16;
