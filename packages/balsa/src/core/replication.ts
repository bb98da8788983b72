import type { Entry, ProposedEntry } from "./entry.js";
import { totalPayloadBytes } from "./entry-size.js";
import { invariant } from "./invariant.js";
import type { Progress } from "./progress.js";
import type { Raft } from "./raft.js";
import { NOT_IN_MEMORY, UNKNOWN_TERM } from "./raft-log.js";

/*
 * The leader's side of log replication (Raft §5.3): entries into its own log, out to the peers, and, once a quorum has
 * them, committed. What the peers answer is in leader.ts.
 */

/**
 * Gives proposed entries their places in the leader's log.
 * @returns the first one's index; undefined when they are over the quota
 */
export function appendEntries(raft: Raft, proposed: readonly ProposedEntry[]): number | undefined {
  if (!reserveQuota(raft, totalPayloadBytes(proposed))) return undefined;
  const firstIndex = raft.log.lastIndex() + 1;
  const entries: Entry[] = [];
  for (const { type, data } of proposed) {
    entries.push({ type, term: raft.term, index: firstIndex + entries.length, data, checksum: 0 });
  }
  raft.log.append(entries);
  // Thesis §10.2.1: the leader writes to its disk in parallel with its followers. It counts itself as it counts them,
  // by this answer to itself, which waits until the write is durable.
  raft.send({
    type: "append-response",
    from: raft.id,
    to: raft.id,
    term: raft.term,
    index: firstIndex + entries.length - 1,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  });
  return firstIndex;
}

export function broadcastAppend(raft: Raft): void {
  for (const progress of raft.tracker.peers) if (progress.id !== raft.id) sendAppend(raft, progress);
}

/** Sends what the peer lacks, or at least what it takes to learn where it is and to tell it of the commit index. */
export function sendAppend(raft: Raft, progress: Progress): void {
  maybeSendAppend(raft, progress, true);
}

/** Sends one message after the other for as long as there are entries to send and the peer can take them. */
export function sendAllAppends(raft: Raft, progress: Progress): void {
  while (maybeSendAppend(raft, progress, false));
}

/**
 * Sends one append, or a snapshot where the entries are compacted away (C4).
 * @param evenIfEmpty also an append without entries
 * @returns whether anything was sent; not where the entries are not in memory: then it is noted that the peer waits
 */
export function maybeSendAppend(raft: Raft, progress: Progress, evenIfEmpty: boolean): boolean {
  if (progress.isPaused()) return false;
  const prevIndex = progress.next - 1;
  const prevTerm = raft.log.term(prevIndex);
  if (prevTerm === UNKNOWN_TERM) return maybeSendSnapshot(raft, progress);

  // A full window lets an append without entries through: if all that was in flight is lost, its answer says so (B6).
  let entries: readonly Entry[] = NO_ENTRIES;
  if (progress.state !== "replicate" || !progress.inflights.full()) {
    const found = raft.log.entriesFrom(progress.next, raft.settings.maxBytesPerMessage);
    invariant(found !== undefined, "where an entry's term is known, what follows it is there");
    if (found === NOT_IN_MEMORY) {
      progress.awaitsEntries = true;
      return false;
    }
    entries = found;
  }
  if (entries.length === 0 && !evenIfEmpty) return false;

  raft.send({
    type: "append",
    from: raft.id,
    to: progress.id,
    term: raft.term,
    prevIndex,
    prevTerm,
    entries,
    commit: raft.log.committed,
  });
  progress.sentEntries(entries.length, totalPayloadBytes(entries));
  progress.sentCommit = raft.log.committed;
  return true;
}

const NO_ENTRIES: readonly Entry[] = [];

function maybeSendSnapshot(raft: Raft, progress: Progress): boolean {
  // To a peer that is away a snapshot would be made, read and sent in vain.
  if (!progress.recentlyActive) return false;
  const snapshot = raft.log.snapshot();
  if (snapshot === undefined) return false;
  invariant(snapshot.meta.index > 0, "a log that was compacted has a snapshot");
  progress.becomeSnapshot(snapshot.meta.index);
  raft.send({ type: "snapshot", from: raft.id, to: progress.id, term: raft.term, snapshot });
  return true;
}

/** @param readRound the read-index round that the answers confirm; 0 = none */
export function broadcastHeartbeat(raft: Raft, readRound: number): void {
  for (const progress of raft.tracker.peers) if (progress.id !== raft.id) sendHeartbeat(raft, progress, readRound);
}

function sendHeartbeat(raft: Raft, progress: Progress, readRound: number): void {
  // Not the commit index as it is: what lies behind `match` in the peer's log may be another leader's leftovers (C7).
  const commit = Math.min(progress.match, raft.log.committed);
  raft.send({ type: "heartbeat", from: raft.id, to: progress.id, term: raft.term, commit, readRound });
  progress.sentCommit = commit;
}

/**
 * Commits what a quorum has, if its last entry is of this leader's term. Raft §5.4.2: an entry of an earlier term is
 * never committed by counting copies, as a later leader may lack it still (Figure 8); it is committed by what follows.
 */
export function maybeCommit(raft: Raft): boolean {
  return raft.log.maybeCommit(raft.tracker.committedIndex(), raft.term);
}

/** A first proposal goes through whatever its size; one without payload always does (B7). */
function reserveQuota(raft: Raft, payloadBytes: number): boolean {
  const bytes = raft.uncommittedBytes + payloadBytes;
  if (raft.uncommittedBytes > 0 && payloadBytes > 0 && bytes > raft.settings.maxUncommittedBytes) return false;
  raft.uncommittedBytes = bytes;
  return true;
}

/** Entries were applied: their payloads don't count any more. Of those of earlier leaders nothing had been counted. */
export function releaseQuota(raft: Raft, payloadBytes: number): void {
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - payloadBytes);
}
