/**
 * Up to here the hot path writes on the event loop: a write into the page cache at ≥ 1 GB/s blocks it for 1 ms at the
 * most, and saves the 25–30 µs of a trip through the thread pool. Larger writes take that trip.
 */
export const INLINE_WRITE_BYTES_MAX: number = 1024 * 1024;

/** Calls in a row that the system may interrupt or put off before it counts as an I/O error. */
export const TRANSIENT_RETRIES_MAX = 64;

/** `sun_path` of an address of a Unix socket, with the leading zero byte of an abstract one. */
export const UNIX_SOCKET_NAME_BYTES = 108;

/** How often a lock file is looked at again after others were faster; each time one of them got further. */
export const LOCK_FILE_ATTEMPTS_MAX = 16;

/** Idle time before the kernel asks a silent connection whether the other machine still lives. */
export const KEEP_ALIVE_DELAY_MS = 10_000;
