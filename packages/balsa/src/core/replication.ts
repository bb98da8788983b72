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
  for (const progress of raft.tracker.peers) if (progress.id !== raft.id) tellCommit(raft, progress);
}

/** Sends what the peer lacks, or at least what the commit index is. */
export function tellCommit(raft: Raft, progress: Progress): void {
  maybeSendAppend(raft, progress, "commit");
}

/** Sends what the peer lacks, or at least what it takes to learn where it is. */
export function sendAppend(raft: Raft, progress: Progress): void {
  maybeSendAppend(raft, progress, "position");
}

/** Sends one message after the other for as long as there are entries to send and the peer can take them. */
export function sendAllAppends(raft: Raft, progress: Progress): void {
  while (maybeSendAppend(raft, progress, "entries"));
}

/**
 * What an append is sent for: `entries` alone; else, where there are none, to tell of the commit index, or to have the
 * peer say what its position is.
 */
type AppendPurpose = "entries" | "commit" | "position";

/**
 * Sends one append, or a snapshot where the entries are compacted away (C4).
 * @returns whether anything was sent; not where the entries are not in memory: then it is noted that the peer waits
 */
export function maybeSendAppend(raft: Raft, progress: Progress, purpose: AppendPurpose): boolean {
  if (progress.isPaused()) return false;
  const prevIndex = progress.next - 1;
  const prevTerm = raft.log.term(prevIndex);
  if (prevTerm === UNKNOWN_TERM) return maybeSendSnapshot(raft, progress);

  // A full window lets an append without entries through: if all that was in flight is lost, its answer says so (B6).
  let entries: readonly Entry[] = NO_ENTRIES;
  const windowFull = progress.state === "replicate" && progress.inflights.full();
  if (!windowFull) {
    const found = raft.log.entriesFrom(progress.next, raft.settings.maxBytesPerMessage);
    invariant(found !== undefined, "where an entry's term is known, what follows it is there");
    if (found === NOT_IN_MEMORY) {
      progress.awaitsEntries = true;
      return false;
    }
    entries = found;
  }
  if (entries.length === 0 && purpose === "entries") return false;
  const onlyCommit = purpose === "commit" && entries.length === 0 && progress.state === "replicate" && !windowFull;

  raft.send({
    type: "append",
    from: raft.id,
    to: progress.id,
    term: raft.term,
    prevIndex,
    prevTerm,
    entries,
    commit: raft.log.committed,
    quiet: onlyCommit && raft.settings.quietCommits,
  });
  progress.sentEntries(entries.length, totalPayloadBytes(entries));
  progress.sentCommit = raft.log.committed;
  return true;
}

const NO_ENTRIES: readonly Entry[] = [];

/*
 * Quiet appends (Config.quietCommits). A write brings a follower two appends: one with the entry, and, once a quorum has
 * it, one without, which only tells of the commit index. That second one goes unanswered where it is accepted.
 *
 * Differs from etcd, where each append is answered; only where it is asked for, as all traces have those answers.
 *
 * To leave an answer out is to lose it, so it can cost no safety; and nothing waits for this one:
 *
 *  - It would acknowledge what was sent before, which has answers of its own on their way, or has had them. The window
 *    of what is in flight frees by those, and so does a transfer of leadership go on. If they are lost, match stays
 *    below the last index, and the answer to the next heartbeat has the leader ask for the position (leader.ts).
 *  - It would end a probe; but a peer that is probed is sent none, nor is one whose window is full, where an append
 *    without entries is a probe too (B6). One that is probed only after it was sent is probed by an append of its own.
 *  - It would say that the peer is there. So do its answers to heartbeats, by which a leader holds where nobody writes;
 *    reads are confirmed by them alone.
 *
 * Whoever does not accept it answers as ever: who has not got the entries, so that they are sent again; who is in a later
 * term, so that an old leader that was away learns of it; who has more committed than the leader believes it to have. One
 * whose disk has lost what it had acknowledged refuses it just the same. If the append itself is lost, so that nobody
 * could have answered it, heartbeats bring the commit index, as they always did.
 */

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
