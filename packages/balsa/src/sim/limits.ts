/** Steps of a world, or macrotasks posted ahead, that share the cost of the loop (1.2 µs), while a test's timers still run. */
export const MACROTASK_BATCH_MAX = 64;

/** Events at one instant before the world is thought to turn on the spot. Real ones: some dozens. */
export const EVENTS_PER_INSTANT_MAX = 100_000;

/** Different words of a trace that are remembered: names, kinds, connections. What programs log may be without end. */
export const TRACE_WORDS_MAX = 65_536;

/** Virtual time that `run` and `settle` give a condition unless told otherwise. */
export const RUN_MS_DEFAULT = 60_000;

/** What a crash tears a write into: a disk writes whole sectors, and part of one at the worst. */
export const SECTOR_BYTES = 512;

/** What a file's room on a disk is counted in. */
export const BLOCK_BYTES = 4096;

/** What of a file is copied when it has to be. A power of two. */
export const PAGE_BYTES = 4096;

/** The longest write of zeros that takes no room: what files are prepared with comes in pieces of 256 KiB. */
export const ZEROS_BYTES: number = 1024 * 1024;

/** What copies of writes are cut from. */
export const SLAB_BYTES: number = 64 * 1024;

/** Of longer buffers only the ends and a byte of each sector are looked at, to tell whether they have changed. */
export const SUMMED_WHOLE_BYTES_MAX = 8192;

/** Places on a disk that are drawn before it counts as having none that is admitted. */
export const DRAWS_MAX = 100;

/** What a connection has on its way before `queuedBytes` shows it: the kernel's two socket buffers. */
export const SOCKET_BUFFER_BYTES: number = 256 * 1024;

/** Linux gives up dialling after six retries: 1 + 2 + 4 + … + 64 s. */
export const DIAL_TIMEOUT_MS = 127_000;

/** How long a sender at the most takes to find out that a healed link carries again (a retransmission timeout). */
export const RETRANSMIT_MS_MAX = 1_000;

/** The first port that listening on port 0 gets, as the system's own. */
export const EPHEMERAL_PORT_FIRST = 49_152;
