/** Macrotasks posted ahead: the loop's own cost (1.2 µs) is shared by so many steps, and a test's timers still run. */
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
