import { type ConfState, type Entry, sameConfState } from "../core/index.js";
import type { Coverage } from "./coverage.js";
import { RuleBroken } from "./violation.js";
import type { WatchedLog } from "./watched-log.js";

/** An entry that some leader has made: index and term name it, everywhere and for ever (§5.3, log matching). */
interface MadeEntry {
  readonly term: number;
  readonly previousTerm: number;
  readonly checksum: number;
  readonly isChange: boolean;
}

interface CommittedEntry {
  readonly term: number;
  /** Of the leader that committed it: leaders of later terms have it (§5.4, leader completeness). */
  readonly inTerm: number;
}

/** When a member was one, by the indexes of the configurations that were seen. */
interface Presence {
  first: number;
  last: number;
  /** The first one behind `first` that lacks it. */
  goneFrom: number;
}

/** What a group of members has done since it began, all lives of all members together. It forgets nothing. */
export class GroupRecord {
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, number>();
  /** By index; the latest made last. */
  readonly #made: (MadeEntry[] | undefined)[] = [];
  readonly #committed: CommittedEntry[] = [];
  readonly #configurations = new Map<number, ConfState>();
  readonly #presence = new Map<number, Presence>();
  /** Since which index. */
  readonly #voters = new Map<number, number>();
  #firstCommitted = 0;
  readonly #coverage: Coverage;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** Highest index that any member took for committed. */
  get committedIndex(): number {
    return this.#firstCommitted + this.#committed.length - 1;
  }

  committedTerm(index: number): number | undefined {
    return this.#committed[index - this.#firstCommitted]?.term;
  }

  /** Of the leader that committed it: its quorum acknowledged it in this term. */
  committedInTerm(index: number): number | undefined {
    return this.#committed[index - this.#firstCommitted]?.inTerm;
  }

  /** A group's first snapshot stands for this entry, which is thereby committed. */
  begin(index: number, term: number): void {
    if (this.#committed.length > 0) return;
    this.#firstCommitted = index;
    this.#committed.push({ term, inTerm: term });
  }

  /**
   * `life` leads in this term. A member that led in an earlier life leads in that term no more, since it can't know what
   * it has told others.
   * @returns whether it is new as a leader
   */
  leads(term: number, life: string): boolean {
    const leader = this.#leaders.get(term);
    if (leader === life) return false;
    if (leader !== undefined) throw new RuleBroken("one leader a term", `${leader} and ${life} lead in term ${term}`);
    this.#leaders.set(term, life);
    return true;
  }

  /** A leader of `term` has every entry that was committed in an earlier one. */
  checkComplete(term: number, log: WatchedLog, who: string): void {
    for (let index = this.committedIndex; index >= Math.max(log.baseIndex, this.#firstCommitted); index -= 1) {
      const entry = this.#committed[index - this.#firstCommitted] as CommittedEntry;
      if (entry.inTerm >= term || log.holds(index, entry.term)) continue;
      const has = log.term(index) ?? "none";
      throw new RuleBroken(
        "leader completeness",
        `${who} leads in term ${term} with ${has} at index ${index}, where ${entry.term} was committed in term ${entry.inTerm}`,
      );
    }
  }

  /** A vote leaves a member. */
  votes(voter: number, term: number, candidate: number, who: string): void {
    const key = `${term} ${voter}`;
    const given = this.#votes.get(key);
    if (given === undefined) this.#votes.set(key, candidate);
    else if (given !== candidate) throw new RuleBroken("one vote a term", `${who} voted for two in term ${term}`);
  }

  /** An entry has come into a log, behind one of `previousTerm`. */
  put(entry: Entry, previousTerm: number, who: string): void {
    const { index, term, checksum } = entry;
    const made = this.#madeOf(index, term);
    if (made === undefined) {
      const first = { term, previousTerm, checksum, isChange: entry.type !== "normal" };
      const others = this.#made[index];
      if (others === undefined) this.#made[index] = [first];
      else others.push(first);
      return;
    }
    if (made.previousTerm !== previousTerm) {
      throw new RuleBroken(
        "log matching",
        `${who} has entry ${entry.index} of term ${entry.term} behind one of term ${previousTerm}, others behind ${made.previousTerm}`,
      );
    }
    if (made.checksum !== checksum) {
      throw new RuleBroken("log matching", `${who} has another entry ${entry.index} of term ${entry.term} than others`);
    }
  }

  /** Indexes of the configuration changes in a log that a member has come back with, rising. */
  changesIn(log: WatchedLog): number[] {
    const changes: number[] = [];
    for (let index = log.baseIndex + 1; index <= log.lastIndex; index += 1) {
      if (this.#madeOf(index, log.term(index) as number)?.isChange === true) changes.push(index);
    }
    return changes;
  }

  #madeOf(index: number, term: number): MadeEntry | undefined {
    const made = this.#made[index];
    if (made === undefined) return undefined;
    for (let at = made.length - 1; at >= 0; at -= 1) if (made[at]?.term === term) return made[at];
    return undefined;
  }

  /** A member takes an entry for committed; true if it is the first. `inTerm`: the member's term. */
  commits(index: number, term: number, inTerm: number, who: string): boolean {
    const known = this.#committed[index - this.#firstCommitted];
    if (known !== undefined) {
      if (known.term === term) return false;
      throw new RuleBroken(
        "committed entries stay",
        `${who} takes entry ${index} of term ${term} for committed, others that of term ${known.term}`,
      );
    }
    if (index !== this.committedIndex + 1) {
      throw new RuleBroken("indexes are in order", `${who} commits ${index} after ${this.committedIndex}`);
    }
    this.#committed.push({ term, inTerm });
    return true;
  }

  /** The configuration in force at an applied index: the same everywhere, and its quorums meet the last one's. */
  configuredAt(index: number, after: ConfState, before: ConfState | undefined, who: string): void {
    const known = this.#configurations.get(index);
    if (known !== undefined) {
      if (sameConfState(known, after)) return;
      throw new RuleBroken("the same state everywhere", `${who} has another configuration at index ${index}`);
    }
    this.#configurations.set(index, after);
    if (after.votersOutgoing.length > 0) this.#coverage.count("joint configurations");
    for (const id of after.voters) this.#voters.set(id, Math.min(this.#voters.get(id) ?? index, index));
    this.#takeMembers(index, after, who);
    if (before !== undefined && !quorumsMeet(before, after)) {
      throw new RuleBroken(
        "one configuration change at a time",
        `${who}: quorums of ${describe(before)} and of ${describe(after)} need not meet`,
      );
    }
  }

  /** Whether the member has been a voter by then, as far as that was seen. */
  hasBeenVoter(memberId: number, index: number): boolean {
    return (this.#voters.get(memberId) ?? Number.POSITIVE_INFINITY) <= index;
  }

  /** Whether a configuration that was seen lacks a member that an earlier one had. */
  isGone(memberId: number): boolean {
    return (this.#presence.get(memberId)?.goneFrom ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY;
  }

  /** A removed ID never comes back: who was told to ignore it would ignore a member. */
  #takeMembers(index: number, { voters, votersOutgoing, learners, learnersNext }: ConfState, who: string): void {
    const present = new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]);
    for (const id of present) {
      const known = this.#presence.get(id);
      if (known === undefined) {
        this.#presence.set(id, { first: index, last: index, goneFrom: Number.POSITIVE_INFINITY });
        continue;
      }
      known.first = Math.min(known.first, index);
      known.last = Math.max(known.last, index);
    }
    for (const [id, presence] of this.#presence) {
      const { first, last } = presence;
      if (!present.has(id) && index > first) presence.goneFrom = Math.min(presence.goneFrom, index);
      if (last > presence.goneFrom) {
        throw new RuleBroken("a removed member never comes back", `${who}: ${id} is a member again at index ${last}`);
      }
    }
  }
}

/** Thesis §4.1: majorities that differ by one voter overlap. §4.3: a joint configuration's contain both halves'. */
function quorumsMeet(before: ConfState, after: ConfState): boolean {
  for (const a of halves(before)) for (const b of halves(after)) if (sameHalf(a, b) || areNeighbours(a, b)) return true;
  return false;
}

function halves({ voters, votersOutgoing }: ConfState): (readonly number[])[] {
  return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
}

function sameHalf(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

function areNeighbours(a: readonly number[], b: readonly number[]): boolean {
  const [small, large] = a.length < b.length ? [a, b] : [b, a];
  return large.length - small.length === 1 && small.every((id) => large.includes(id));
}

function describe({ voters, votersOutgoing }: ConfState): string {
  return votersOutgoing.length === 0 ? voters.join() : `${voters.join()} and ${votersOutgoing.join()}`;
}
