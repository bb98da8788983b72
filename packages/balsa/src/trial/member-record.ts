import type { ConfState, Entry, HardState, PeerMessage, Ready, StorageAppend } from "../core/index.js";
import type { CoreState, RaftNodeObserver, RecoveredState } from "../node/index.js";
import type { Coverage } from "./coverage.js";
import { checkGivesWay } from "./gives-way.js";
import type { GroupRecord } from "./group-record.js";
import { describe, isSame, type PendingWrite, type StableState, takeWrite } from "./stable-state.js";
import { RuleBroken } from "./violation.js";
import { WatchedLog } from "./watched-log.js";

/** What one with an empty disk is to become. */
interface Awaited {
  /** Of a cluster that it joins, or of the one that it was a member of until its disk was lost. */
  readonly as: "new" | "back";
  readonly voter: boolean;
}

/** What a member says of the others: whether a quorum has an entry on disk. */
export interface Peers {
  durableOnQuorum(index: number, term: number, configurations: readonly ConfState[]): boolean;
  /** Whether the member of that ID has the entry on disk, or had it before its disk was lost. */
  hasHeld(memberId: number, index: number, term: number): boolean;
  /** Whether the member of that ID has a later term on its disk, or had it before its disk was lost. */
  isBeyond(memberId: number, term: number): boolean;
  highestTerm(): number;
}

/**
 * One member as it was seen from outside, through all its lives, and the rules that it is held against at every step
 * (Raft Figure 3, and what a disk adds to it).
 */
export class MemberRecord implements RaftNodeObserver {
  readonly name: string;
  memberId = 0;
  /** What storage has said is durable. Survives every life. */
  #stable: StableState = { term: 0, vote: 0, log: new WatchedLog() };
  #pending: PendingWrite[] = [];
  #incarnation = 0;
  // Of this life.
  #life = 0;
  #log = new WatchedLog();
  #term = 0;
  #vote = 0;
  #commit = 0;
  /** As of the last Ready but one. */
  #commitBefore = 0;
  #applied = 0;
  #leads = false;
  #confState: ConfState | undefined;
  #configuredAt = 0;
  /** Its log was damaged: what it comes back with next may be another's. */
  #isRepaired = false;
  /** An earlier repair did not come to its end. */
  #wasRepairedBefore = false;
  /** In force at the last Ready. */
  #confAtReady: ConfState | undefined;
  /** Indexes of configuration changes in the log, rising. */
  #changes: number[] = [];
  #awaited: Awaited | undefined;
  /** What it had on its disk before, under the ID of then; until it is back. */
  #lost: { readonly memberId: number; readonly term: number; readonly log: WatchedLog } | undefined;
  readonly #group: GroupRecord;
  readonly #peers: Peers;
  readonly #coverage: Coverage;

  constructor(name: string, group: GroupRecord, peers: Peers, coverage: Coverage) {
    this.name = name;
    this.#group = group;
    this.#peers = peers;
    this.#coverage = coverage;
  }

  /** As of its last Ready. */
  get leads(): boolean {
    return this.#leads;
  }

  get term(): number {
    return this.#term;
  }

  /** The last entry of its log, durable or not. */
  get logEnd(): { readonly index: number; readonly term: number } {
    return { index: this.#log.lastIndex, term: this.#log.lastTerm };
  }

  /** Whether it has taken part: one that has not yet depends on others to tell it that it is no other's successor. */
  get hasTakenPart(): boolean {
    return this.#stable.log.lastIndex > 1;
  }

  /** In force as far as it has applied; undefined before its first turn. */
  get confState(): ConfState | undefined {
    return this.#confState;
  }

  /** Index of the last configuration change in its log, as far as it is known; 0 = none. */
  get lastChange(): number {
    return this.#changes.at(-1) ?? 0;
  }

  /** Its disk is empty, and it has not come back yet: what it had on it counts for nothing. */
  get hasLostDisk(): boolean {
    return this.#awaited?.as === "back";
  }

  /** It was started with an empty disk, and it does not know itself for a member yet. */
  get isComing(): boolean {
    return this.#awaited !== undefined;
  }

  /** Whether the entry is on its disk, or a snapshot that stands for it. */
  hasDurable(index: number, term: number): boolean {
    return this.#stable.log.holds(index, term);
  }

  /** Whether the member of that ID has the entry on this disk, or had it when the disk was lost. */
  hasHeld(memberId: number, index: number, term: number): boolean {
    if (memberId === this.memberId && this.hasDurable(index, term)) return true;
    return memberId === this.#lost?.memberId && this.#lost.log.holds(index, term);
  }

  /** Whether the member of that ID has a later term on this disk, or had it when the disk was lost. */
  isBeyond(memberId: number, term: number): boolean {
    if (memberId === this.memberId && this.#stable.term > term) return true;
    return memberId === this.#lost?.memberId && this.#lost.term > term;
  }

  /** Its disk was wiped: nothing is owed to what was on it. `awaited`: what it is to become next. */
  forget(awaited: Awaited | undefined): void {
    const { term, log } = this.#stable;
    if (this.memberId !== 0) this.#lost = { memberId: this.memberId, term, log };
    this.#stable = { term: 0, vote: 0, log: new WatchedLog() };
    this.#pending = [];
    this.#changes = [];
    this.#confState = undefined;
    this.#leads = false;
    this.#incarnation = 0;
    this.memberId = 0;
    this.#awaited = awaited;
  }

  /** Until it is known how it ended, it may have ended in any of the ways. */
  repairStarted(): void {
    this.#wasRepairedBefore = this.#isRepaired;
    this.#isRepaired = true;
  }

  repaired({ exact }: { readonly exact: boolean }): void {
    // Then it is held to the rule as any other; but not if an earlier repair, which a death ended, may have taken over another's.
    if (exact && !this.#wasRepairedBefore) this.#isRepaired = false;
  }

  opened(recovered: RecoveredState): void {
    const { hardState, snapshot, firstIndex, lastIndex } = recovered;
    const log = new WatchedLog();
    log.reset(firstIndex - 1, recovered.term(firstIndex - 1));
    for (let index = firstIndex; index <= lastIndex; index += 1) log.put(index, recovered.term(index));
    this.#group.begin(snapshot.index, snapshot.term);
    if (this.#isRepaired) this.#checkRepaired(hardState, recovered.memberId);
    else if (this.#incarnation === recovered.incarnation) this.checkRecovered({ ...hardState, log }, "came back");
    this.#isRepaired = false;
    this.#wasRepairedBefore = false;
    this.#incarnation = recovered.incarnation;
    this.memberId = recovered.memberId;
    this.#life += 1;
    this.#stable = { term: hardState.term, vote: hardState.vote, log };
    this.#pending = [];
    this.#log = log.copy();
    this.#term = hardState.term;
    this.#vote = hardState.vote;
    this.#commit = Math.max(hardState.commit, snapshot.index);
    this.#commitBefore = 0;
    this.#applied = snapshot.index;
    this.#leads = false;
    this.#changes = this.#group.changesIn(log);
    this.#confState = undefined;
    this.#confAtReady = undefined;
    this.#configuredAt = snapshot.index;
    // One that joins has nothing yet.
    if (this.#commit === 0 && log.lastIndex === 0) return;
    const committed = this.#group.committedTerm(this.#commit);
    if (committed === undefined || !log.holds(this.#commit, committed)) {
      throw new RuleBroken("committed entries stay", `${this.name} came back with another entry ${this.#commit}`);
    }
  }

  /**
   * What is on disk is what was durable, and some of what was being written after it: all writes up to one of them.
   * @param how what the member did, for the message
   */
  checkRecovered(found: StableState, how: string): void {
    if (isSame(found, this.#stable)) return;
    const expected: StableState = { ...this.#stable, log: this.#stable.log.copy() };
    for (const write of this.#pending) {
      takeWrite(expected, write);
      if (isSame(found, expected)) return;
    }
    throw new RuleBroken(
      "what was durable is recovered",
      `${this.name} ${how} with ${describe(found)}; ${describe(this.#stable)} was durable, and ${this.#pending.length} writes were under way`,
    );
  }

  /** What it promised holds: no earlier term, and in the same one no vote but the one that it gave, or for itself. */
  #checkRepaired({ term, vote }: HardState, memberId: number): void {
    const stable = this.#stable;
    // A vote for itself in a term that no other has come to is void with the candidate's life: both may be lost.
    const known = this.#peers.highestTerm();
    if (term > stable.term || (stable.vote === memberId && known < stable.term && term >= known)) return;
    if (term === stable.term && (stable.vote === 0 || vote === stable.vote || vote === memberId)) return;
    const detail = `${this.name} was repaired to term ${term}, vote ${vote}; ${describe(stable)} was durable`;
    throw new RuleBroken("what was durable is recovered", detail);
  }

  ready(ready: Ready, state: CoreState): void {
    const { term, role, commit, applied, confState } = state;
    if (term < this.#term || commit < this.#commit || applied < this.#applied) {
      throw new RuleBroken(
        "terms, votes, commit and applied only grow",
        `${this.name} fell back: ${this.#standing(state)}`,
      );
    }
    const termBefore = this.#term;
    const inSameTerm = term === termBefore;
    const wasLeader = this.#leads && inSameTerm;
    this.#takeHardState(ready.hardState, term);
    if (inSameTerm) checkGivesWay(this.name, this.#log, ready);
    if (ready.snapshot !== undefined) this.#takeSnapshot(ready.snapshot.meta);
    if (ready.entries.length > 0) this.#takeEntries(ready.entries, wasLeader && role === "leader", term);
    if (commit > this.#log.lastIndex || applied > commit) {
      throw new RuleBroken("indexes are in order", `${this.name}: ${this.#standing(state)}`);
    }
    this.#leads = role === "leader";
    if (this.#leads && !wasLeader) {
      const isNew = this.#group.leads(term, `${this.name}, life ${this.#life},`);
      if (isNew) this.#coverage.count("elections won", this.name);
      this.#group.checkComplete(term, this.#log, this.name);
    }
    if (this.#confState === undefined) this.#takeConfState(confState, applied, undefined);
    if (this.#confState !== confState) {
      throw new RuleBroken("one configuration change at a time", `${this.name} has changed its own by no entry`);
    }
    this.#commitBefore = this.#commit;
    if (commit > this.#commit) this.#takeCommit(commit, term, confState);
    this.#confAtReady = confState;
    const { hardState, entries, snapshot } = ready;
    if (hardState !== undefined || entries.length > 0 || snapshot !== undefined) {
      // Now, not when it is on disk: what waits for a slow one may be committed meanwhile, by those that are further on.
      this.#checkStaysDurable(entries, termBefore);
      this.#pending.push({ hardState, entries, snapshot: snapshot?.meta });
    }
  }

  written(write: StorageAppend): void {
    const { hardState, entries, snapshot } = write;
    if (hardState !== undefined || entries.length > 0 || snapshot !== undefined) {
      const oldest = this.#pending.shift();
      if (oldest === undefined)
        throw new RuleBroken("persist before send", `${this.name} wrote what it never handed out`);
      takeWrite(this.#stable, oldest);
      if (entries.length > 0) this.#coverage.count("entries made durable", this.name);
    }
  }

  sending(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      switch (message.type) {
        case "vote-response":
          if (!message.rejected) this.#checkVote(message.term, message.to);
          break;
        case "append-response":
          if (!message.rejected) this.#checkAcknowledged(message.term, message.index);
          else this.#coverage.count("appends rejected", this.name);
          break;
        case "snapshot":
          this.#coverage.count("snapshots sent", this.name);
          break;
        case "timeout-now":
          // In an earlier term, in the same turn: what its log had then, before a later leader's append, nobody has seen.
          if (message.term === this.#term) this.#checkTransfer(message.to);
          this.#coverage.count("leadership transfers", this.name);
          break;
        case "pre-vote":
          this.#checkCampaign();
          break;
        case "vote":
          this.#checkCampaign();
          this.#coverage.count("votes asked for", this.name);
          break;
        default:
      }
    }
  }

  applied(index: number, term: number, by: "entry" | "snapshot", confState: ConfState): void {
    const inOrder = by === "entry" ? index === this.#applied + 1 : index > this.#applied;
    if (!inOrder || index > this.#commit) {
      throw new RuleBroken("applied in order, once", `${this.name} applies ${index} after ${this.#applied}, by ${by}`);
    }
    if (this.#group.committedTerm(index) !== term) {
      throw new RuleBroken("committed entries stay", `${this.name} applies ${index} of term ${term}, by ${by}`);
    }
    if (by === "snapshot") this.#coverage.count("snapshots restored", this.name);
    this.#applied = index;
    // Now, not at the next Ready: of a configuration's only voter, with nothing to do, there may be none.
    if (this.#confState !== confState)
      this.#takeConfState(confState, index, by === "entry" ? this.#confState : undefined);
  }

  #takeHardState(hardState: HardState | undefined, term: number): void {
    if (hardState !== undefined) {
      if (hardState.term === this.#term && this.#vote !== 0 && hardState.vote !== this.#vote) {
        throw new RuleBroken("one vote a term", `${this.name} changed its vote in term ${term}`);
      }
      this.#vote = hardState.vote;
    }
    this.#term = term;
  }

  #takeSnapshot({ index, term }: { readonly index: number; readonly term: number }): void {
    if (this.#group.committedTerm(index) !== term) {
      throw new RuleBroken("committed entries stay", `${this.name} got a snapshot of ${index}, term ${term}`);
    }
    if (index <= this.#commit) {
      throw new RuleBroken(
        "indexes are in order",
        `${this.name} took on a snapshot of ${index}, with ${this.#commit} committed`,
      );
    }
    this.#coverage.count("snapshots received", this.name);
    this.#log.reset(index, term);
    this.#changes = [];
  }

  #takeEntries(entries: readonly Entry[], onlyGrows: boolean, term: number): void {
    const first = entries[0] as Entry;
    const log = this.#log;
    if (first.index <= log.lastIndex) {
      if (onlyGrows) throw new RuleBroken("a leader's log only grows", `${this.name} put ${first.index} anew`);
      this.#coverage.count("conflicting entries replaced", this.name);
      this.#changes = this.#changes.filter((index) => index < first.index);
    }
    for (const entry of entries) {
      const { index } = entry;
      if (index <= this.#commit && index > log.baseIndex && log.term(index) !== entry.term) {
        throw new RuleBroken("committed entries stay", `${this.name} replaced entry ${index}`);
      }
      const previousTerm = log.term(index - 1);
      if (previousTerm !== undefined) this.#group.put(entry, previousTerm, this.name);
      if (entry.type !== "normal") this.#takeChange(entry, onlyGrows && entry.term === term);
      log.put(index, entry.term);
    }
  }

  /** Thesis §4.1: the next change waits until the one before it is in force. */
  #takeChange({ index }: Entry, isOwn: boolean): void {
    const before = this.#changes.at(-1) ?? 0;
    if (isOwn && before > this.#applied) {
      throw new RuleBroken(
        "one configuration change at a time",
        `${this.name} proposed a change at ${index} with one at ${before} not applied`,
      );
    }
    // Thesis §4.1 as amended in 2015. What ends a joint configuration needs no such care: that one is committed.
    if (isOwn && this.#confState?.votersOutgoing.length === 0 && this.#log.term(this.#commit) !== this.#term) {
      throw new RuleBroken(
        "one configuration change at a time",
        `${this.name} proposed a change at ${index} before it had committed anything in term ${this.#term}`,
      );
    }
    this.#coverage.count("configuration changes", this.name);
    this.#changes.push(index);
  }

  /** @param before what the change is of, where it is known */
  #takeConfState(confState: ConfState, applied: number, before: ConfState | undefined): void {
    this.#confState = confState;
    this.#configuredAt = applied;
    if (this.#awaited !== undefined) this.#arrive(confState, this.#awaited);
    this.#group.configuredAt(applied, confState, before, this.name);
  }

  /**
   * A first member that has lost its disk sees itself in the first configuration too, where it takes no part. One that
   * was made a voter, and a learner again because somebody asked for that, may hear of both at once.
   */
  #arrive({ voters, learners }: ConfState, { as, voter }: Awaited): void {
    const learns = !voter || this.#group.hasBeenVoter(this.memberId, this.#configuredAt);
    const isThere = voters.includes(this.memberId) || (learns && learners.includes(this.memberId));
    if (!isThere || this.#log.lastIndex <= 1) return;
    this.#awaited = undefined;
    this.#lost = undefined;
    this.#coverage.count(as === "new" ? "members added" : "wiped members back");
  }

  #takeCommit(commit: number, term: number, confState: ConfState): void {
    const log = this.#log;
    let isFirst = false;
    for (let index = Math.max(this.#commit, log.baseIndex) + 1; index <= commit; index += 1) {
      isFirst = this.#group.commits(index, log.term(index) as number, term, this.name);
    }
    this.#commit = commit;
    if (!isFirst) return;
    // The last one's quorum has those before it too. A change that was applied in this turn may have come in between.
    const configurations = this.#confAtReady === undefined ? [confState] : [confState, this.#confAtReady];
    const lastTerm = log.term(commit) as number;
    if (this.#leads && lastTerm !== term) {
      throw new RuleBroken(
        "only the own term is committed by counting",
        `${this.name} leads in term ${term}, and commits up to ${commit} of term ${lastTerm}`,
      );
    }
    if (!this.#peers.durableOnQuorum(commit, lastTerm, configurations)) {
      throw new RuleBroken(
        "committed is on a durable quorum",
        `${this.name} commits ${commit} of term ${lastTerm}, which too few have on disk`,
      );
    }
  }

  /**
   * Of one that has come to the term in which an entry was committed: it may be of the quorum, and whoever leads from then on
   * has the entry. One of an earlier term is not, whatever is on its disk. There the entry may give way to one of a leader
   * in between, whose append is late, also where it comes to the later term in the same turn; it comes back with the next one.
   */
  #checkStaysDurable(entries: readonly Entry[], termBefore: number): void {
    for (const { index, term } of entries) {
      const committed = this.#group.committedTerm(index);
      if (committed === undefined) return;
      if (termBefore < (this.#group.committedInTerm(index) ?? 0)) continue;
      if (committed !== term && index > this.#stable.log.baseIndex && this.#stable.log.term(index) === committed) {
        throw new RuleBroken("committed entries stay", `${this.name} replaced entry ${index} on its disk`);
      }
    }
  }

  #checkVote(term: number, candidate: number): void {
    const { term: durableTerm, vote } = this.#stable;
    if (durableTerm < term || (durableTerm === term && vote !== candidate)) {
      throw new RuleBroken("persist before send", `${this.name} sends a vote in term ${term} that is not durable`);
    }
    this.#coverage.count("votes given", this.name);
    this.#group.votes(this.memberId, term, candidate, this.name);
  }

  /** A stale configuration could elect a leader that those of the current one do not know of. */
  #checkCampaign(): void {
    const change = this.#changes.find((index) => index > this.#applied && index <= this.#commitBefore);
    if (change === undefined) return;
    throw new RuleBroken(
      "no campaign over a change",
      `${this.name} campaigns with the change at ${change} committed and not applied`,
    );
  }

  /**
   * Thesis §3.10: the target has the leader's whole log before it is told to campaign. One of a later term may have lost it
   * again to that term's leader while its answer was on the way; it does not listen to the leader of an earlier one (§5.1).
   */
  #checkTransfer(to: number): void {
    const { lastIndex, lastTerm } = this.#log;
    if (this.#peers.hasHeld(to, lastIndex, lastTerm) || this.#peers.isBeyond(to, this.#term)) return;
    throw new RuleBroken(
      "leadership goes to whole logs",
      `${this.name} hands over to ${to}, which lacks entry ${lastIndex} of term ${lastTerm}`,
    );
  }

  /**
   * Of an earlier term than the durable one, what is acknowledged may have been replaced in memory by a later leader's
   * append, in the same turn: then only the outcome was written. That is as if it had been on disk, been replaced there, and
   * the answer been slow on its way.
   */
  #checkAcknowledged(term: number, index: number): void {
    const { term: durableTerm, log } = this.#stable;
    if (durableTerm < term || (durableTerm === term && log.lastIndex < index)) {
      const detail = `${this.name} acknowledges ${index} in term ${term}; ${describe(this.#stable)} is durable`;
      throw new RuleBroken("persist before send", detail);
    }
  }

  #standing({ term, commit, applied }: CoreState): string {
    return `term ${term} (${this.#term}), commit ${commit} (${this.#commit}), applied ${applied} (${this.#applied}), last ${this.#log.lastIndex}`;
  }
}
