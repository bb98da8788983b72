/**
 * Limits of the transport, with their arithmetic. Sizes in bytes, times in milliseconds.
 *
 * A frame has to hold whatever the core can put into one message. The runtime limits an append to 1 MiB of entries, or
 * one entry if that is larger. On the wire that is at most
 *   one entry:     ENTRY_PAYLOAD_BYTES_MAX (8 MiB + 64 KiB) + 28 of header, or
 *   many entries:  1 MiB of payload + MESSAGE_ENTRIES_MAX (262,144) × 28 of headers = 8 MiB,
 * and less than 1 KiB for the head. Messages join a frame while it is below FRAME_TARGET_BYTES, so that a frame has at
 * most 1 MiB + 8 MiB + 65 KiB: well below FRAME_BYTES_MAX.
 */
import { ENTRY_PAYLOAD_BYTES_MAX } from "../codec/index.js";

/** Claimed lengths above it are refused before anything is allocated or waited for. */
export const FRAME_BYTES_MAX: number = 16 * 1024 * 1024;

/** A frame takes more messages until it is this large: large enough that its header and its write cost nothing. */
export const FRAME_TARGET_BYTES: number = 1024 * 1024;

/** What one message may take: what is left of a frame that was just below its target. */
export const MESSAGE_BYTES_MAX: number = FRAME_BYTES_MAX - FRAME_TARGET_BYTES - 64 * 1024;

/** Commands of one forward request: at least one of the largest. */
export const FORWARD_BYTES_MAX: number = ENTRY_PAYLOAD_BYTES_MAX + FRAME_TARGET_BYTES;
export const FORWARD_COMMANDS_MAX = 65_536;

/** Forward requests to one peer that wait for their answer. */
export const FORWARDS_PENDING_MAX = 4096;

/**
 * Frames before a hello was accepted, and all that an accepting side ever says: hello (under 100 bytes and a name),
 * refusal (a reason), pong, acknowledgement.
 */
export const SMALL_FRAME_BYTES_MAX = 4096;
export const NAME_BYTES_MAX = 512;
export const REASON_BYTES_MAX = 1024;
/** At most three bytes each. */
export const REASON_CHARS_MAX = 300;

/** Messages of a turn are written with one call up to this size. */
export const WRITE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Slab that outgoing frames share: several turns of a busy member, hundreds of heartbeats. */
export const SLAB_BYTES: number = 64 * 1024;

/** Accepted connections whose hello has not come yet; one more is closed at once. */
export const GREETINGS_MAX = 64;

/** From the dial to the answered hello; and for an accepted connection, to its hello. */
export const GREETING_TIMEOUT_MS = 3_000;

/** How long a connection is kept after the last word was written, for the other side to read it and to close. */
export const LINGER_MS = 3_000;

/**
 * Back-off: 10–20 ms at first (a process that restarts is back at once), doubling, at most 0.5–1 s: a peer that returns
 * is met within a heartbeat or a few, at the cost of one SYN a second.
 */
export const BACKOFF_FIRST_MS = 20;
export const BACKOFF_MAX_MS = 1_000;
/** 20 ms × 2^6 is over the maximum. */
export const BACKOFF_DOUBLINGS_MAX = 6;

/** A connection that lived this long starts the back-off afresh when it is lost. */
export const STABLE_MS = 1_000;

/**
 * A dialled connection is pinged after an interval in which nothing moved, so at rest every other one; where nothing moves
 * for that many intervals it has stalled: 5 s.
 * TCP alone would go on resending, at intervals of up to two minutes, long after a broken link is whole again.
 * Counted in intervals, not in time, so that a pause of this process is not taken for one of the peer.
 */
export const PING_INTERVAL_MS = 1_000;
export const SILENT_INTERVALS_MAX = 5;

/** The same for snapshot streams, where a disk may be slow and the end is a checksum over the whole file: 60 s. */
export const STREAM_SILENT_INTERVALS_MAX = 60;

/** The largest piece of a snapshot that is taken, and how much of it may wait to be written: what a sender may set. */
export const SNAPSHOT_PIECE_BYTES_MAX: number = 1024 * 1024;
export const SNAPSHOT_WINDOW_BYTES_MAX: number = 8 * 1024 * 1024;
export const SNAPSHOT_WINDOW_PIECES_MAX = 256;

/** What a snapshot may take at once after a pause, as time at its rate. */
export const SNAPSHOT_BURST_MS = 20;

/** A request of the runtime's own: at the most all members of a group, each under 500 bytes. */
export const REQUEST_BYTES_MAX: number = 64 * 1024;
/** Its answer: at the most entries for a member that is being repaired, as many as an append message has. */
export const ANSWER_BYTES_MAX: number = ENTRY_PAYLOAD_BYTES_MAX + FRAME_TARGET_BYTES;
/** Requests that are being answered; more are turned away. */
export const EXCHANGES_MAX = 64;

/** Log lines about one subject that others can provoke: one in this time. */
export const LOG_INTERVAL_MS = 10_000;
export const LOG_SUBJECTS_MAX = 64;

/** The limits that a caller may set: simulations make them tiny, to walk the paths beyond them. */
export interface TransportLimits {
  /**
   * What may wait for one peer, estimated. More than the core has in flight to it (the runtime's limit: 24 MiB), so
   * that only a peer that stands still meets it. The entries are the log's own: what waits are references.
   */
  readonly outboxBytes: number;
  /** Nothing more is encoded for a connection while it has this much queued: four times a socket's usual buffer. */
  readonly queuedBytesHigh: number;
  /** A snapshot's piece; at most SNAPSHOT_PIECE_BYTES_MAX. */
  readonly snapshotPieceBytes: number;
  /**
   * How far the sender of a snapshot runs ahead of what the receiver has written: 1 MiB covers 10 ms at 100 MB/s. At
   * least a piece, at most SNAPSHOT_WINDOW_BYTES_MAX and SNAPSHOT_WINDOW_PIECES_MAX pieces.
   */
  readonly snapshotWindowBytes: number;
  /** Of all snapshots that are sent, together: what appends need of the link is left to them. */
  readonly snapshotBytesPerS: number;
}

export const TRANSPORT_LIMITS: TransportLimits = {
  outboxBytes: 32 * 1024 * 1024,
  queuedBytesHigh: 1024 * 1024,
  snapshotPieceBytes: 256 * 1024,
  snapshotWindowBytes: 1024 * 1024,
  // Half of a link of 1 Gbit/s; a disk of 100 MB/s keeps a third for its log.
  snapshotBytesPerS: 64 * 1024 * 1024,
};
