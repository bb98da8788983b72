import { decodeCommand, isLibraryCommand } from "../codec/index.js";
import { type ConfState, decodeConfChange, type Entry, invariant, type RawNode, StorageError } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";
import type { Transport } from "../transport/index.js";
import {
  type Configuration,
  decodeContext,
  decodeIncarnations,
  findMember,
  type IncarnationRecord,
  type MemberRecord,
  withChange,
  withIncarnations,
} from "./configuration.js";

import { MEMBERS_MAX } from "./limits.js";

/** What an entry of the log that is not applied yet says of incarnations. */
interface Unapplied {
  readonly index: number;
  readonly records: readonly IncarnationRecord[];
}

export interface ClusterMembersParts {
  readonly raw: RawNode;
  readonly storage: DiskStorage;
  readonly transport: Transport;
  /** This member is none any more: what was applied says so. */
  readonly onRemoved: () => void;
  /** No crash can make this member forget who votes and who is a member, as far as it has applied. */
  readonly onSure: () => void;
  readonly onVotersChanged: (before: ConfState, after: ConfState) => void;
}

/**
 * The replicated configuration as far as it is applied, and the connections that follow from it.
 *
 * Incarnations. A data directory that is lost takes with it what its member has promised: its votes and its
 * acknowledgements. So a member is its directory: the incarnation that was drawn with it is recorded, and nothing that
 * comes from another one is heard. Three rules make this safe from a cluster's first moment on:
 *
 * 1. A leader counts the acknowledgements of a member only once its incarnation is recorded in what is applied. A new
 *    cluster's first record is the exception, as it could not be committed otherwise: until then a leader counts those
 *    that it names in a record that stands in its log, and takes no client's command.
 * 2. A record counts from the moment when it stands in the log, for whoever asks whether a member is known otherwise.
 * 3. A directory that has promised nothing yet takes part only when so many of the others have said that they know no
 *    other one (admission.ts) that each quorum, without this member, has one of them in it.
 */
export class ClusterMembers {
  private current: Configuration;
  /** In log order. */
  private unapplied: Unapplied[] = [];
  /** All that the log says of incarnations is known once this index is applied. */
  private knownFrom = 0;
  /** What members that take no part yet have said of themselves, since what is due was looked up last. */
  private readonly introductions: Map<number, number> = new Map();
  /** Members whose acknowledgements don't count yet. As a rule empty. */
  private uncounted: ReadonlySet<number> = new Set();
  /** The log says of each member which directory it has: so as a rule. */
  private allRecorded = false;
  /** As far as no crash can make this member forget it. */
  private surelyRemoved: readonly number[];
  /** Writes under way that make sure of what is applied. */
  private writesToBeSure = 0;
  private readonly parts: ClusterMembersParts;

  constructor(configuration: Configuration, parts: ClusterMembersParts) {
    this.current = configuration;
    this.surelyRemoved = configuration.removed;
    this.parts = parts;
  }

  get configuration(): Configuration {
    return this.current;
  }

  get confState(): ConfState {
    return this.current.confState;
  }

  /** @param provisional whom a newcomer that has no configuration yet takes for its peers */
  start(provisional: readonly MemberRecord[]): void {
    const { storage, transport, raw } = this.parts;
    for (const { id, address } of provisional) if (id !== raw.id) transport.setPeer(id, address);
    this.scan(storage);
    if (this.current.members.length > 0) this.adopt(this.current);
  }

  find(id: number): MemberRecord | undefined {
    return findMember(this.current, id);
  }

  named(name: string): MemberRecord | undefined {
    return this.current.members.find((member) => member.name === name);
  }

  /** What is said of the member in the log, applied or not; 0 = nothing. */
  incarnationOf(id: number): number {
    for (let i = this.unapplied.length - 1; i >= 0; i--) {
      const found = this.unapplied[i]?.records.find((record) => record.id === id);
      if (found !== undefined) return found.incarnation;
    }
    return this.find(id)?.incarnation ?? 0;
  }

  /** Whether what `incarnationOf` says is all that the log says. */
  knowsAll(appliedIndex: number): boolean {
    return appliedIndex >= this.knownFrom;
  }

  isRemoved(id: number): boolean {
    return this.current.removed.includes(id);
  }

  /**
   * Whether it may be told so. What is applied is committed, but that it is committed is not on the disk yet as a rule: a
   * crash would make of this member one that needs the other's vote, and who was told is gone.
   */
  isSurelyRemoved(id: number): boolean {
    return this.surelyRemoved.includes(id);
  }

  /**
   * Whether no crash can make this member forget that what it has applied is committed, as far as that says who votes and
   * who is a member. Of a change that is acknowledged this must hold: else who was demoted or removed, and is switched off
   * since, might be needed to elect a leader after the crash of the only one that had applied it.
   */
  get isSure(): boolean {
    return this.writesToBeSure === 0;
  }

  /** Whether a leader may take clients' commands: rule 1. */
  get takesCommands(): boolean {
    const self = this.find(this.parts.raw.id);
    return self === undefined || self.incarnation !== 0;
  }

  /** Whether what the member acknowledges counts. */
  counts(id: number): boolean {
    return this.uncounted.size === 0 || !this.uncounted.has(id);
  }

  /** A member tells its leader which directory it has. It may not be connected: it may not know yet whom to connect with. */
  introduced(id: number, incarnation: number): void {
    if (this.find(id) !== undefined) this.introductions.set(id, incarnation);
  }

  /** What a leader should record now: incarnations of members that are connected, and of this one. */
  due(): readonly IncarnationRecord[] {
    if (this.introductions.size === 0 && this.allRecorded) return NO_RECORDS;
    const { raw, storage, transport } = this.parts;
    const records: IncarnationRecord[] = [];
    for (const { id } of this.current.members) {
      if (this.incarnationOf(id) !== 0) continue;
      const said = transport.incarnationOf(id) || (this.introductions.get(id) ?? 0);
      const incarnation = id === raw.id ? storage.identity.incarnation : said;
      if (incarnation !== 0) records.push({ id, incarnation });
    }
    this.introductions.clear();
    return records;
  }

  /**
   * A member of the same cluster dials that this one has not heard of: this one may be behind, and the other the leader
   * who can tell it. Whoever leads is to be heard, and may be given a vote, known or not (thesis §4.1).
   */
  meet(id: number, address: string): void {
    const { transport } = this.parts;
    if (address !== "" && transport.peers().length < STRANGERS_MAX) transport.setPeer(id, address);
  }

  // The log.

  /** Entries come into the log, in place of what stood there. */
  appended(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const before = this.unapplied.length;
    if (before > 0) this.unapplied = this.unapplied.filter(({ index }) => index < first.index);
    let changed = this.unapplied.length < before;
    for (const entry of entries) changed = this.note(entry) || changed;
    if (changed) this.refresh();
  }

  /** A membership change or a command of the library's, in log order. `overtaken`: a snapshot's configuration is coming. */
  applied(entry: Entry, overtaken: boolean): void {
    if (entry.type === "normal") {
      // The empty entry of a new leader (§5.4.2, thesis §6.4): it only commits what came before.
      if (entry.data.length === 0) return;
      const records = decodeIncarnations(decodeCommand(entry.data).payload);
      if (!overtaken) this.adopt(withIncarnations(this.current, records), entry.index);
      return;
    }
    const change = decodeConfChange(entry);
    const confState = this.parts.raw.applyConfChange(change, entry.index);
    if (!overtaken) this.adopt(withChange(this.current, confState, decodeContext(change.context)), entry.index);
  }

  /** A snapshot's configuration takes the place of what was applied. */
  restored(configuration: Configuration, index: number): void {
    this.adopt(configuration, index);
  }

  /** What was committed before is applied anew soon; the log's tail behind it is looked through. */
  private scan(storage: DiskStorage): void {
    const { commit } = storage.initialState().hardState;
    const last = storage.lastIndex();
    this.knownFrom = last;
    try {
      for (let lo = Math.max(commit + 1, storage.firstIndex()); lo <= last; ) {
        const page = storage.entries(lo, last + 1, SCAN_BYTES);
        invariant(page.length > 0, "a log has no gaps");
        for (const entry of page) this.note(entry);
        lo += page.length;
      }
      this.knownFrom = commit;
    } catch (cause) {
      // Entries that are not in memory: what they say is known when they are applied.
      if (!(cause instanceof StorageError)) throw cause;
    }
  }

  private note(entry: Entry): boolean {
    const records = recordsIn(entry);
    if (records.length > 0) this.unapplied.push({ index: entry.index, records });
    return records.length > 0;
  }

  private adopt(next: Configuration, appliedIndex = 0): void {
    const { raw, transport } = this.parts;
    const wasMember = findMember(this.current, raw.id) !== undefined;
    const votes = !sameVoters(this.current.confState, next.confState);
    if (votes || next.removed.some((id) => !this.current.removed.includes(id))) this.makeSure(next.removed);
    const { confState } = this.current;
    this.current = next;
    if (this.unapplied.length > 0) this.unapplied = this.unapplied.filter(({ index }) => index > appliedIndex);
    for (const { id } of transport.peers()) if (next.removed.includes(id)) transport.removePeer(id);
    this.refresh();
    if (votes) this.parts.onVotersChanged(confState, next.confState);
    if (wasMember && findMember(next, raw.id) === undefined) this.parts.onRemoved();
  }

  /** A write of nothing takes the commit index along. */
  private makeSure(removed: readonly number[]): void {
    const nothing = { hardState: undefined, entries: [], snapshot: undefined, mustSync: true };
    this.writesToBeSure++;
    this.parts.storage.append(nothing, (error) => {
      // That the storage has failed, the next turn's write tells.
      if (error !== undefined) return;
      this.surelyRemoved = removed;
      this.writesToBeSure--;
      if (this.isSure) this.parts.onSure();
    });
  }

  private refresh(): void {
    const { raw, transport } = this.parts;
    const uncounted = new Set<number>();
    this.allRecorded = true;
    for (const { id, address, incarnation } of this.current.members) {
      const known = this.incarnationOf(id);
      if (known === 0) this.allRecorded = false;
      if (id === raw.id) continue;
      transport.setPeer(id, address, known);
      if (incarnation === 0 && (this.takesCommands || known === 0)) uncounted.add(id);
    }
    this.uncounted = uncounted;
  }
}

/** Whether decisions take the same quorums. */
function sameVoters(a: ConfState, b: ConfState): boolean {
  return sameIds(a.voters, b.voters) && sameIds(a.votersOutgoing, b.votersOutgoing);
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** Peers, above which none are taken on that are not known to be members. */
const STRANGERS_MAX: number = 2 * MEMBERS_MAX;

/** Entries of the log that are looked through at a time. */
const SCAN_BYTES: number = 4 * 1024 * 1024;

function recordsIn(entry: Entry): readonly IncarnationRecord[] {
  if (entry.type === "normal") {
    return isLibraryCommand(entry.data) ? decodeIncarnations(decodeCommand(entry.data).payload) : NO_RECORDS;
  }
  return decodeContext(decodeConfChange(entry).context).filter(({ incarnation }) => incarnation !== 0);
}

const NO_RECORDS: readonly IncarnationRecord[] = [];
