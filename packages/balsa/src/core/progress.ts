import type { InflightLimits } from "./inflights.js";
import { Inflights } from "./inflights.js";
import { invariant } from "./invariant.js";

/**
 * How the leader sends to a peer (B2):
 *
 * - `probe`: its position is not known; one append at a time, until it answers.
 * - `replicate`: it follows; appends go out without waiting, within the in-flight window.
 * - `snapshot`: what it needs is compacted away; a snapshot is on its way, and nothing else until that has ended.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** What the leader knows of one member, itself included (Raft Figure 2: `nextIndex[]` and `matchIndex[]`). Volatile. */
export class Progress {
  readonly id: number;
  /** Receives entries and does not vote. */
  isLearner: boolean;
  state: ProgressState = "probe";
  /** Highest index known to be in the peer's log, durably. Grows only, within one leadership. */
  match = 0;
  /** Index of the next entry to send; match < next. */
  next: number;
  /** Index of the snapshot on its way; 0 except in state `snapshot`. */
  pendingSnapshot = 0;
  /**
   * Highest commit index sent to the peer, as far as it can have taken effect: a follower moves its commit index up to
   * the last entry it matched, so what lies above `next − 1` when an append is rejected counts as not sent (B1).
   */
  sentCommit = 0;
  /** No append goes out until the peer is heard of: a probe is on its way, or the window is full. */
  appendPaused = false;
  /** The entry at `next` is being fetched into memory: no append goes out until it is there. */
  awaitsEntries = false;
  /** Whether the peer was heard of since the last quorum check. */
  recentlyActive = false;
  /** Highest read-index round the peer has confirmed (thesis §6.4). */
  confirmedRound = 0;
  readonly inflights: Inflights;

  constructor(id: number, next: number, isLearner: boolean, limits: InflightLimits) {
    this.id = id;
    this.next = next;
    this.isLearner = isLearner;
    this.inflights = new Inflights(limits);
  }

  /** Whether the peer can take no append now. */
  isPaused(): boolean {
    return this.state === "snapshot" || this.appendPaused || this.awaitsEntries;
  }

  /** As a new leader sees a peer (Raft §5.3: nextIndex is the leader's last index + 1). */
  restart(next: number, match: number): void {
    this.enter("probe");
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentlyActive = false;
    this.confirmedRound = 0;
  }

  becomeProbe(): void {
    // A snapshot that was sent may have arrived: probing goes on from behind it.
    const next = Math.max(this.match, this.pendingSnapshot) + 1;
    this.enter("probe");
    this.next = next;
    this.forgetUnlikelyCommit();
  }

  becomeReplicate(): void {
    this.enter("replicate");
    this.next = this.match + 1;
  }

  becomeSnapshot(snapshotIndex: number): void {
    this.enter("snapshot");
    this.pendingSnapshot = snapshotIndex;
    this.next = snapshotIndex + 1;
    this.sentCommit = snapshotIndex;
  }

  /** Notes that an append with so many entries went out, starting at `next`. */
  sentEntries(count: number, payloadBytes: number): void {
    invariant(this.state !== "snapshot", "no entries are sent while a snapshot is on its way");
    if (this.state === "probe") {
      if (count > 0) this.appendPaused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, payloadBytes);
    }
    // An append into a full window, without entries, is a probe: one at a time (B6).
    this.appendPaused = this.inflights.full();
  }

  /** Whether telling the peer of `commit` now could move its commit index (B1). */
  canBumpCommit(commit: number): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /**
   * The peer acknowledged everything up to `index`.
   * @returns false for a stale or repeated acknowledgement, which changes nothing (B3)
   */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    if (index >= this.next) {
      this.next = index + 1;
      this.awaitsEntries = false;
    }
    this.appendPaused = false;
    return true;
  }

  /**
   * The peer rejected an append behind `rejectedIndex`, and its log can agree with ours up to `agreementIndex` at best.
   * @returns false for a stale rejection, which changes nothing (B4)
   */
  maybeDecrease(rejectedIndex: number, agreementIndex: number): boolean {
    if (this.state === "replicate") {
      if (rejectedIndex <= this.match) return false;
      this.next = this.match + 1;
    } else {
      // Probes go out one by one: an answer that is not about the last one is an old one.
      if (rejectedIndex !== this.next - 1) return false;
      this.next = Math.max(Math.min(rejectedIndex, agreementIndex + 1), this.match + 1);
      this.appendPaused = false;
    }
    this.awaitsEntries = false;
    this.forgetUnlikelyCommit();
    return true;
  }

  private enter(state: ProgressState): void {
    this.state = state;
    this.pendingSnapshot = 0;
    this.appendPaused = false;
    this.awaitsEntries = false;
    this.inflights.reset();
  }

  private forgetUnlikelyCommit(): void {
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }
}
