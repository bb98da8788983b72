/**
 * The repair of a member whose log is damaged, with the help of its peers (docs/repair.md, where it is argued why each
 * step is safe). Until it is done the member takes no part: it does not vote, campaign, acknowledge or count.
 *
 * 1. What is lost between two known places of the log is fetched from any member whose log holds both: it is the same
 *    (log matching, Raft §5.3). Nobody needs to lead for that, and others may be under repair themselves.
 * 2. What all others have only as a snapshot: the snapshot.
 * 3. Where the end of the log is lost, or nobody else holds what is lost: the log of a leader whose term is not below
 *    any in which this member may have acknowledged or voted.
 */
import type { Entry, HardState, SnapshotMessage } from "../core/index.js";
import { BalsaError, NONE } from "../core/index.js";
import { FileError, type Platform, type Timer } from "../platform/index.js";
import type { DamagedDirectory, LostRange } from "../storage/index.js";
import type { SnapshotSink, Transport } from "../transport/index.js";
import { REPAIR_ASK_MS, REPAIR_RETRY_MS, REPAIR_SNAPSHOT_MS } from "./limits.js";
import {
  decodeRepairAnswer,
  encodeRepairRequest,
  type PeerAddress,
  type Position,
  type RepairAnswer,
  type RepairRequest,
  type RepairState,
} from "./repair-requests.js";

/** What a repair has done. */
export interface RepairFigures {
  /** Entries that were lost and are the same again. */
  readonly restored: number;
  /** Entries taken over from a leader's log. */
  readonly adopted: number;
  /** Of the snapshot that was fetched; 0 = none. */
  readonly snapshotIndex: number;
  /** So far all is as it was, votes and acknowledgements included: no leader's log, nor a snapshot, stands in for anything. */
  readonly exact: boolean;
}

/** What a repair is about, while it goes on. */
export interface RepairStatus extends RepairFigures {
  /** The first of the damages, as an operator wants it. */
  readonly damage: string;
  readonly damages: number;
  /** Entries that are lost and not fetched yet. */
  readonly lost: number;
  /** False: later entries, and votes, may have been lost. */
  readonly endKnown: boolean;
  /** Names of those that answered last. */
  readonly answering: readonly string[];
  /**
   * Those that it asks and that did not answer last. Where the end is not known each of them must, also one that was a
   * member once and is none any more: then an operator is needed (docs/repair.md, "Limits").
   */
  readonly silent: readonly { readonly id: number; readonly name: string }[];
  /** What it can't go on without; empty = it goes on. */
  readonly waitsFor: string;
}

export interface RepairParts {
  readonly platform: Pick<Platform, "clock" | "logger">;
  readonly directory: DamagedDirectory;
  readonly transport: Transport;
  /** All other members. */
  readonly peers: readonly PeerAddress[];
}

interface Answering {
  readonly peer: PeerAddress;
  readonly state: RepairState;
}

export class Repair {
  private readonly parts: RepairParts;
  /** As it will be when the log is whole. */
  private hardState: HardState;
  private readonly endWasKnown: boolean;
  /** All other members, as far as any that answered knows. */
  private peers: readonly PeerAddress[];
  private restored = 0;
  private adopted = 0;
  private snapshotIndex = 0;
  private exact: boolean;
  private answering: readonly Answering[] = [];
  private waitsFor = "";
  private wantsSnapshot = false;
  /** Snapshots that are being received, and whether one was since it was asked for. */
  private streams = 0;
  private hasBegun = false;
  private timer: Timer | undefined;
  private wake: (() => void) | undefined;
  /** Why it was given up. */
  private stopped: BalsaError | undefined;

  constructor(parts: RepairParts) {
    this.parts = parts;
    this.hardState = parts.directory.log.hardState;
    this.endWasKnown = parts.directory.log.endKnown;
    // One that was received, by a repair that a crash ended for instance, stands in already.
    this.exact = !parts.directory.isSnapshotAhead;
    this.peers = parts.peers;
  }

  status(): RepairStatus {
    const { damages, log } = this.parts.directory;
    const lost = log.lost().reduce((sum, { first, last }) => sum + last - first + 1, 0);
    return {
      damage: this.parts.directory.error().message,
      damages: damages.length,
      lost,
      endKnown: log.endKnown,
      answering: this.answering.map(({ peer }) => peer.name),
      silent: this.silent.map(({ id, name }) => ({ id, name })),
      waitsFor: this.waitsFor,
      restored: this.restored,
      adopted: this.adopted,
      snapshotIndex: this.snapshotIndex,
      exact: this.exact,
    };
  }

  /**
   * Resolves when the directory is sound again, and released. Waits for members that are not there for as long as it
   * takes.
   * @throws BalsaError `storage-failed`, `too-large`, `closed`, `removed`
   */
  async run(): Promise<RepairFigures> {
    const { directory } = this.parts;
    while (!this.isComplete) {
      const before = this.progressMark();
      await this.round();
      this.throwIfStopped();
      if (!this.isComplete && this.progressMark() === before) await this.pause(REPAIR_RETRY_MS);
      this.throwIfStopped();
    }
    await this.rewrite();
    await directory.close();
    const { restored, adopted, snapshotIndex, exact } = this;
    return { restored, adopted, snapshotIndex, exact };
  }

  /** A full disk is waited out, as by the log itself. */
  private async rewrite(): Promise<void> {
    for (;;) {
      try {
        await this.parts.directory.rewrite(this.hardStateAtLast());
        return;
      } catch (cause) {
        if (!isDiskFull(cause)) throw cause;
        this.waitFor("room on the disk");
        await this.pause(REPAIR_RETRY_MS);
        this.throwIfStopped();
      }
    }
  }

  /** Gives up; the directory is as damaged as it was. */
  stop(reason: BalsaError = new BalsaError("closed", "the member is closed")): void {
    this.stopped ??= reason;
    this.timer?.cancel();
    this.wake?.();
  }

  /** A peer offers a snapshot, because it was asked for one or by itself. undefined: it is not needed. */
  async offered(message: SnapshotMessage): Promise<SnapshotSink | undefined> {
    const { meta } = message.snapshot;
    const { directory } = this.parts;
    if (!this.wantsSnapshot || this.stopped !== undefined || meta.index <= (directory.snapshot?.index ?? 0))
      return undefined;
    const receiver = await directory.receiveSnapshot(meta);
    this.hasBegun = true;
    this.streams++;
    return {
      resumed: receiver.resumed,
      restart: () => receiver.restart(),
      write: (bytes) => receiver.write(bytes),
      finish: () => receiver.finish(),
      suspend: () => receiver.suspend().finally(() => this.streamEnded()),
      abort: () => receiver.abort().finally(() => this.streamEnded()),
    };
  }

  received(message: SnapshotMessage): void {
    const { meta } = message.snapshot;
    this.parts.directory.beginBehind(meta);
    this.snapshotIndex = Math.max(this.snapshotIndex, meta.index);
    this.exact = false;
    this.streamEnded();
  }

  private streamEnded(): void {
    this.streams--;
    if (this.wantsSnapshot) this.wake?.();
  }

  private get silent(): readonly PeerAddress[] {
    return this.peers.filter(({ id }) => !this.answering.some(({ peer }) => peer.id === id));
  }

  private get isComplete(): boolean {
    const { directory } = this.parts;
    return directory.snapshot !== undefined && directory.log.isWhole;
  }

  private progressMark(): string {
    return `${this.restored} ${this.adopted} ${this.snapshotIndex}`;
  }

  private async round(): Promise<void> {
    const { directory } = this.parts;
    const states = await Promise.all(this.peers.map((peer) => this.stateOf(peer)));
    this.answering = states.filter((answering) => answering !== undefined);
    if (this.answering.length === 0) {
      this.waitFor("any other member to answer");
      return;
    }
    this.meet(this.answering.flatMap(({ state }) => state.members));
    const isCompacted = await this.restoreLost();
    if (this.isComplete) return;
    if ((directory.snapshot === undefined || isCompacted) && (await this.fetchSnapshot())) return;
    await this.adoptLeaders();
  }

  /** Members that came after what is left of this one's log. */
  private meet(members: readonly PeerAddress[]): void {
    const { directory, transport } = this.parts;
    for (const member of members) {
      const { id, address } = member;
      if (id === directory.identity.memberId || this.peers.some((peer) => peer.id === id)) continue;
      this.peers = [...this.peers, member];
      transport.setPeer(id, address);
    }
  }

  private async stateOf(peer: PeerAddress): Promise<Answering | undefined> {
    // Once this life's own connection is accepted, nothing that an earlier life said can still come out of an older one:
    // a term that is told now is not raised by it later.
    if (!this.parts.transport.connected(peer.id)) return undefined;
    const state = await this.ask(peer, { kind: "state" }, REPAIR_ASK_MS);
    return state?.kind === "state" ? { peer, state } : undefined;
  }

  // 1. What was lost, exactly.

  /** Returns whether something was compacted away wherever it was asked for. */
  private async restoreLost(): Promise<boolean> {
    const { log } = this.parts.directory;
    let isCompacted = false;
    for (const { peer } of this.answering) {
      const given = new Set<number>();
      for (;;) {
        const range = log.lost().find(({ last }) => !given.has(last));
        if (range === undefined || this.stopped !== undefined) break;
        const outcome = await this.restoreFrom(peer, range);
        if (outcome === "compacted") isCompacted = true;
        if (outcome !== "some") given.add(range.last);
      }
    }
    return isCompacted && log.lost().length > 0;
  }

  private async restoreFrom(peer: PeerAddress, range: LostRange): Promise<"some" | "nothing" | "compacted"> {
    const { log } = this.parts.directory;
    const { after, anchor, near } = range;
    let compacted = false;
    // With the farther one more comes at a time; a shorter log may hold the nearer one only.
    for (const one of near.index === anchor.index ? [anchor] : [anchor, near]) {
      const answer = await this.ask(peer, { kind: "entries", after, anchor: one }, REPAIR_ASK_MS);
      if (answer?.kind === "entries") {
        const part = { ...range, anchor: one, last: Math.min(range.last, one.index) };
        const taken = log.restore(part, answer.entries);
        this.restored += taken;
        if (taken > 0) return "some";
      } else if (answer?.kind === "refused" && answer.refusal === "compacted") {
        compacted = true;
      }
    }
    return compacted ? "compacted" : "nothing";
  }

  // 2. What is there only as a snapshot.

  /** Returns whether one came. */
  private async fetchSnapshot(): Promise<boolean> {
    const { directory } = this.parts;
    const have = directory.snapshot?.index ?? 0;
    const best = this.answering
      .filter(({ state }) => state.snapshotIndex > have && !state.repairing)
      .toSorted((a, b) => b.state.snapshotIndex - a.state.snapshotIndex)[0];
    if (best === undefined) {
      this.waitFor("a member with a snapshot");
      return false;
    }
    this.wantsSnapshot = true;
    this.hasBegun = false;
    try {
      const answer = await this.ask(best.peer, { kind: "snapshot" }, REPAIR_ASK_MS);
      if (answer?.kind !== "snapshot-coming") return false;
      this.parts.platform.logger.log("info", "repair: fetches a snapshot", { from: best.peer.name });
      await this.untilReceived(best.peer);
      return (directory.snapshot?.index ?? 0) > have;
    } finally {
      this.wantsSnapshot = false;
    }
  }

  /** Or until nothing comes of it: its stream broke, or none has begun in time, or whoever was to send it is gone. */
  private async untilReceived(peer: PeerAddress): Promise<void> {
    const { platform, transport } = this.parts;
    const startMs = platform.clock.now();
    for (;;) {
      const tookMs = platform.clock.now() - startMs;
      const isOver = this.hasBegun || tookMs >= REPAIR_ASK_MS || !transport.connected(peer.id);
      if ((this.streams === 0 && isOver) || tookMs >= REPAIR_SNAPSHOT_MS || this.stopped !== undefined) return;
      await this.pause(REPAIR_RETRY_MS);
    }
  }

  // 3. A leader's log.

  private async adoptLeaders(): Promise<void> {
    const termMin = await this.termMin();
    if (termMin === undefined) return;
    const leader = this.answering.filter(({ state }) => state.leads).toSorted((a, b) => b.state.term - a.state.term)[0];
    if (leader === undefined || leader.state.term < termMin) this.waitFor(`a leader of term ${termMin} or later`);
    if (leader === undefined) return;
    const { log } = this.parts.directory;
    const entries: Entry[] = [];
    const settled = log.settled();
    let after: Position = settled;
    let first: { readonly term: number; readonly lastIndex: number } | undefined;
    for (;;) {
      const answer = await this.ask(leader.peer, { kind: "leader-entries", after, termMin }, REPAIR_ASK_MS);
      if (answer?.kind === "refused" && answer.refusal === "compacted") {
        await this.fetchSnapshot();
        return;
      }
      if (answer?.kind !== "leader-entries" || answer.term < termMin) return;
      first ??= { term: answer.term, lastIndex: answer.lastIndex };
      // Another term is another log: from the start then. And what this member may have acknowledged comes first of all.
      if (answer.term !== first.term || !areNext(after, answer.entries)) return;
      entries.push(...answer.entries);
      after = answer.entries.at(-1) ?? after;
      if (after.index >= first.lastIndex) break;
      if (answer.entries.length === 0) return;
    }
    this.throwIfStopped();
    if (log.settled().index !== settled.index) return;
    this.hardState = this.hardStateWith(first.term, termMin);
    log.adopt(entries);
    this.exact = false;
    this.adopted += entries.length;
  }

  /**
   * No leader of an earlier term will do. With an unknown hard state: the highest term that any other member knows,
   * all of them asked; undefined while one has not answered. Of those that have lost theirs as well the quorum's does as
   * well as their own.
   */
  private async termMin(): Promise<number | undefined> {
    const { log } = this.parts.directory;
    const known = log.hardState.term;
    if (this.endWasKnown) return known;
    const { silent } = this;
    if (silent.length > 0) {
      this.waitFor(`all other members to tell their terms; silent: ${namesOf(silent)}`);
      return undefined;
    }
    const told = this.answering.filter(({ state }) => state.termKnown);
    if (told.length === this.peers.length) return Math.max(known, ...told.map(({ state }) => state.term));
    const term = await this.termOfQuorum(told.map(({ peer }) => peer));
    if (term !== undefined) return Math.max(known, term);
    const lost = this.answering.filter(({ state }) => !state.termKnown).map(({ peer }) => peer);
    this.waitFor(
      `all other members to tell their terms, or a majority of voters that agree on who votes; without a term: ${namesOf(lost)}`,
    );
    return undefined;
  }

  /**
   * The highest term of all that is known, where a majority of the voters know theirs: then nobody has led in a later one
   * (docs/repair.md, "Which term"). All must answer, those that do not know their own term too: so none of them is a
   * candidate still that has this member's vote. Who votes is asked first, as a change that is made later would be known.
   */
  private async termOfQuorum(told: readonly PeerAddress[]): Promise<number | undefined> {
    const configurations = await Promise.all(told.map((peer) => this.votersBy(peer)));
    const [voters] = configurations;
    if (voters === undefined || !configurations.every((others) => others !== undefined && areSame(voters, others))) {
      return undefined;
    }
    const states = (await Promise.all(this.peers.map((peer) => this.stateOf(peer)))).filter((one) => one !== undefined);
    if (states.length < this.peers.length) return undefined;
    const ownId = this.parts.directory.identity.memberId;
    const areAllAsked = voters.every((id) => id === ownId || states.some(({ peer }) => peer.id === id));
    const knowing = states.filter(({ peer, state }) => state.termKnown && told.some(({ id }) => id === peer.id));
    const votes = knowing.filter(({ peer }) => voters.includes(peer.id)).length;
    if (!areAllAsked || votes * 2 <= voters.length) return undefined;
    return Math.max(...states.map(({ state }) => state.term));
  }

  /** IDs, as that member has it; undefined if a change is under way there, or if it does not say. */
  private async votersBy(peer: PeerAddress): Promise<readonly number[] | undefined> {
    const answer = await this.ask(peer, { kind: "configuration" }, REPAIR_ASK_MS);
    return answer?.kind === "configuration" ? answer.voters : undefined;
  }

  private hardStateWith(leaderTerm: number, termMin: number): HardState {
    const { hardState } = this.parts.directory.log;
    const { identity } = this.parts.directory;
    // Whom it voted for may be lost: then for nobody else in that term.
    if (!this.endWasKnown) return { ...hardState, term: Math.max(leaderTerm, termMin), vote: identity.memberId };
    return leaderTerm > hardState.term ? { ...hardState, term: leaderTerm, vote: 0 } : hardState;
  }

  /**
   * No log has an entry of a later term than its member's: a snapshot may be of one that it never came to. And no log has a
   * membership change whose member does not know that the one before is committed, as a change is proposed only then: so it
   * is known here, too, which bars a campaign by a configuration from before both (core/campaign.ts).
   */
  private hardStateAtLast(): HardState {
    const { snapshot, log } = this.parts.directory;
    const term = snapshot?.term ?? 0;
    const [before = 0] = log
      .entries()
      .filter(({ type }) => type !== "normal")
      .slice(-2, -1)
      .map(({ index }) => index);
    const { hardState } = this;
    const commit = Math.max(hardState.commit, before);
    return term > hardState.term ? { term, vote: NONE, commit } : { ...hardState, commit };
  }

  // How it asks and waits.

  private async ask(peer: PeerAddress, request: RepairRequest, timeoutMs: number): Promise<RepairAnswer | undefined> {
    const to = { id: peer.id, address: peer.address };
    const outcome = await this.parts.transport.ask(to, encodeRepairRequest(request), timeoutMs);
    if (outcome.kind !== "answered") return undefined;
    try {
      return decodeRepairAnswer(outcome.body);
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
      this.parts.platform.logger.log("warn", "repair: an answer that is none", { from: peer.name, cause });
      return undefined;
    }
  }

  private waitFor(what: string): void {
    if (this.waitsFor === what) return;
    this.waitsFor = what;
    this.parts.platform.logger.log("warn", "repair waits", { for: what });
  }

  private pause(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer = this.parts.platform.clock.setTimer(forMs, resolve);
    });
  }

  private throwIfStopped(): void {
    if (this.stopped !== undefined) throw this.stopped;
  }
}

function isDiskFull(cause: unknown): boolean {
  return cause instanceof BalsaError && cause.cause instanceof FileError && cause.cause.code === "full";
}

function namesOf(peers: readonly PeerAddress[]): string {
  return peers.map(({ name }) => name).join(", ");
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

function areNext(after: Position, entries: readonly Entry[]): boolean {
  return entries.every(({ index }, i) => index === after.index + 1 + i);
}
