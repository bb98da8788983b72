import type { AppendMessage, HeartbeatMessage, SnapshotMessage } from "../../src/core/index.js";

export function heartbeat(from: number, to: number, commit: number): HeartbeatMessage {
  return { type: "heartbeat", from, to, term: 5, commit, readRound: 0 };
}

/** An append of that many entries, which follow index 10. */
export function append(
  from: number,
  to: number,
  { entries, payloadBytes = 16 }: { readonly entries: number; readonly payloadBytes?: number },
): AppendMessage {
  return {
    type: "append",
    from,
    to,
    term: 5,
    prevIndex: 10,
    prevTerm: 4,
    entries: Array.from({ length: entries }, (_, i) => ({
      type: "normal",
      term: 5,
      index: 11 + i,
      data: new Uint8Array(payloadBytes).fill(i),
      checksum: 0,
    })),
    commit: 10,
    quiet: false,
  };
}

export function snapshotMessage(from: number, to: number, index: number = 42): SnapshotMessage {
  const confState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  return {
    type: "snapshot",
    from,
    to,
    term: 5,
    snapshot: { meta: { index, term: 4, confState }, data: new Uint8Array(0) },
  };
}
