/** Limits of the server, with their arithmetic. What is over them is refused; etcd's own defaults where it has them. */

/** One request as it goes into the log: etcd's `--max-request-bytes`. */
export const REQUEST_BYTES_MAX: number = 1.5 * 1024 * 1024;

/** One message on a client's connection: the largest request, and etcd's 512 KiB for what is around it. */
export const GRPC_RECEIVE_BYTES_MAX: number = REQUEST_BYTES_MAX + 512 * 1024;

/** Operations in a transaction, along its deepest nesting: etcd's `--max-txn-ops`. */
export const TXN_OPERATIONS_MAX = 128;

/**
 * Keys in the store, deleted ones that are not compacted included. A JavaScript Map ends at 2^24 entries; no
 * transaction can add more than the margin: each of its puts takes 6 bytes of a request and more.
 */
export const KEYS_MAX: number = 2 ** 24 - Math.ceil(REQUEST_BYTES_MAX / 6);

/** Pieces of a snapshot: one is filled at a time, between them other work gets its turn. */
export const SNAPSHOT_CHUNK_BYTES: number = 128 * 1024;

/** How long a request may wait for the cluster: etcd's 5 s, and two elections that it may have to sit out. */
export function requestTimeoutMs(electionMs: number): number {
  return 5_000 + 2 * electionMs;
}

/** Calls under way get this long to finish when a member stops. */
export const STOP_GRACE_MS = 2_000;

/** Pause between two attempts of a member to make its name and addresses known. */
export const PUBLISH_RETRY_MS = 500;

/** Entries kept behind a snapshot for followers that are a little slow: etcd's number. */
export const CATCH_UP_ENTRIES_MAX = 5_000;

/** Connections of clients to one address; a further one is closed at once. At rest each costs some 20 KiB. */
export const CONNECTIONS_MAX = 10_000;

/** A connection that has not said in this time that it is HTTP/2 is closed. */
export const CONNECTION_OPENING_MS = 10_000;
