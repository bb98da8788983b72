/** What a transport has done since it was opened. */
export interface TransportStats {
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Over the queue's limit, too large, or to a peer that can't be reached. */
  readonly messagesDropped: number;
  readonly framesReceived: number;
  /** Calls of `write`: one a peer and turn, as a rule. */
  readonly writes: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** The same, while it is being counted. */
export type Counters = { -readonly [K in keyof TransportStats]: TransportStats[K] };

export function newCounters(): Counters {
  return {
    messagesSent: 0,
    messagesReceived: 0,
    messagesDropped: 0,
    framesReceived: 0,
    writes: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
}
