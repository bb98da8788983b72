/**
 * Limits of stable storage, and their arithmetic. What is read back is compared with them before it is believed.
 */

/** A segment is closed when the next batch would not fit any more. Large enough that a new file's cost is not felt. */
export const SEGMENT_BYTES_DEFAULT: number = 64 * 1024 * 1024;
export const SEGMENT_BYTES_MIN = 512;
export const SEGMENT_BYTES_MAX: number = 1024 * 1024 * 1024;

/**
 * The first spare of a directory; each next one is so much larger than the segment in use, up to `segmentBytes`. So what
 * is kept ahead stays in proportion to what is written, and a small directory stays small. Without a spare a segment
 * grows, by so much before a spare is taken in its stead.
 */
export const SPARE_BYTES_MIN: number = 64 * 1024;
export const SPARE_GROWTH = 4;

/**
 * Zeros are written so many at a time, each piece synced, with a pause behind it: at most some 12 MiB/s. That is ahead of
 * any load of small batches, the one that gains by prepared files; a load of large batches is bound by the disk's
 * bandwidth, loses by every zero, and lives on recycled segments, or on growing ones.
 */
export const SPARE_PIECE_BYTES: number = 256 * 1024;
export const SPARE_PAUSE_MS = 20;

/** Released segments that are kept for new ones; beyond that they are removed. A snapshot releases a few at a time. */
export const SPARES_MAX = 4;

/** With no spare, and no room to make one, the log counts as full when less than this of its segment is left. */
export const ROOM_RESERVE_BYTES: number = 1024 * 1024;

/** How long what found no room, or no descriptor, waits before it is tried again. */
export const ROOM_RETRY_MS = 250;
/** A spare that can't be made for another reason is tried again ever more rarely. */
export const SPARE_RETRY_MS_MAX = 60_000;

/**
 * In a segment without terminators, of an earlier version: zeros behind the last batch of a recycled file, where a batch's
 * head would be.
 */
export const BLANK_END_BYTES = 8;

/**
 * The witness of a mark lies in another sector than what it vouches for: the largest sectors that disks have today, and the
 * kernel's pages. It takes no room in the log, since the next batch begins before it.
 */
export const WITNESS_SECTOR_BYTES: number = 4 * 1024;

/**
 * A batch takes no further write once its records come to this much: a write of 4 MiB takes a disk some 10 ms, and
 * what waits longer than that gains nothing by being in the same sync.
 */
export const BATCH_BYTES_TARGET: number = 4 * 1024 * 1024;

/**
 * Records of one batch: one write, however large, is one batch. The core's quotas keep it far below. With at most 32
 * bytes of tables for each 28 of an empty entry, a segment's first batch of the largest size ends below 1.1 GiB.
 */
export const BATCH_BODY_BYTES_MAX: number = 512 * 1024 * 1024;

/** A file is read in one go, and offsets in it have 32 bits. */
export const SEGMENT_FILE_BYTES_MAX: number = 2 ** 31 - 1;

/** What a batch's buffers start with, and what they are given back at: above it they are not kept for the next one. */
export const BATCH_BUFFER_BYTES: number = 64 * 1024;
export const BATCH_BUFFER_KEPT_BYTES: number = 2 * BATCH_BYTES_TARGET;

/**
 * Entries in memory. What followers and the state machine need is nearly always among the newest; 32 MiB are some
 * 60,000 entries of 256 bytes, a second of the heaviest load.
 */
export const ENTRY_CACHE_BYTES_DEFAULT: number = 32 * 1024 * 1024;

/** Read back in one piece: a few ms of a disk, 1 ms of checksums on the event loop. A larger entry is a piece alone. */
export const READ_BACK_BYTES_MAX: number = 1024 * 1024;

/**
 * The newest entries come into memory when a log is opened, for followers that are a little behind; more of them when
 * somebody needs them.
 */
export const WARM_BYTES_MAX: number = 4 * 1024 * 1024;

/** A sync that takes so many times as long as telling those whose writes it served is worth sharing with more of them. */
export const SYNC_OUTWEIGHS = 2;

/**
 * After so much silence the log vouches for its last batch. Not felt by whoever writes more often than that: of five writes
 * a second, at any time, one in twelve brings a sync of its own for the mark. (After 100 ms it was six
 * in ten.)
 */
export const IDLE_MARK_MS = 500;

/** Headers hold a configuration (4 lists of at most 1,024 IDs of at most 8 bytes) or a name, and little else. */
export const FILE_HEADER_BYTES_MAX: number = 64 * 1024;

/** A block is summed in one go: 64 KiB take 50 µs of the event loop. */
export const SNAPSHOT_BLOCK_BYTES_MAX: number = 64 * 1024;

/** The library's section is held in memory as a whole: members, later sessions. */
export const SNAPSHOT_LIBRARY_BYTES_MAX: number = 64 * 1024 * 1024;

/** The current one and the one before. */
export const SNAPSHOTS_KEPT = 2;

/** Bytes of a member's name in its identity. */
export const NAME_BYTES_MAX = 1024;

/** Where a segment can't be read as a whole, it is read in pieces of this, so that only what is near the spot is lost. */
export const SALVAGE_READ_BYTES: number = 4 * 1024;
