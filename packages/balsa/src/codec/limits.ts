/**
 * Limits on what a decoder believes before it has checked it, all of them compared before anything is allocated.
 * They bound what bytes may claim; the budgets of the runtime are lower.
 */

/** Largest payload of one entry: far above etcd's default request limit of 1.5 MiB, far below a log segment. */
export const ENTRY_PAYLOAD_BYTES_MAX: number = 8 * 1024 * 1024;

/** IDs in one list of a configuration. Raft groups have three to nine members; learners a few more. */
export const CONF_STATE_IDS_MAX = 1024;

/** Entries in one message. The byte limit of a frame bites first unless entries are tiny (28 bytes of header each). */
export const MESSAGE_ENTRIES_MAX = 65_536;

/** Messages in one frame: those of one turn to one peer. Groups will share a frame's connection, not its frame. */
export const MESSAGES_MAX = 4096;

/** A varint of a safe integer: ⌈53 bits / 7⌉ bytes. */
export const VARINT_BYTES_MAX = 8;
