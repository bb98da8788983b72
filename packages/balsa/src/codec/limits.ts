/**
 * Limits on what a decoder believes before it has checked it, all of them compared before anything is allocated.
 * They bound what bytes may claim; the budgets of the runtime are lower.
 */

/**
 * Largest payload of one entry: a command of 8 MiB, far above etcd's default request limit of 1.5 MiB, and 64 KiB for
 * envelopes around it.
 */
export const ENTRY_PAYLOAD_BYTES_MAX: number = 8 * 1024 * 1024 + 64 * 1024;

/** IDs in one list of a configuration. Raft groups have three to nine members; learners a few more. */
export const CONF_STATE_IDS_MAX = 1024;

/**
 * Entries in one message: all that the core's limit of 1 MiB can let through, at the 4 bytes or more that it counts for
 * an entry (core/entry-size.ts).
 */
export const MESSAGE_ENTRIES_MAX: number = (1024 * 1024) / 4;

/** Messages in one frame: those of one turn to one peer. Groups will share a frame's connection, not its frame. */
export const MESSAGES_MAX = 4096;

/** A varint of a safe integer: ⌈53 bits / 7⌉ bytes. */
export const VARINT_BYTES_MAX = 8;
