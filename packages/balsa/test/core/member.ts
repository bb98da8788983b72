import type {
  Config,
  ConfState,
  Entry,
  HardState,
  NodeState,
  ReadState,
  Ready,
  Snapshot,
  StorageAppend,
  StorageApply,
} from "../../src/core/index.js";
import {
  asConfChangeV2,
  checkDelta,
  checkState,
  decodeConfChange,
  MemoryStorage,
  RawNode,
} from "../../src/core/index.js";
import { LateStorage } from "./late-storage.js";

export type MemberOptions = Partial<Omit<Config, "id" | "storage" | "applied">>;

/** Small, so that stories need few ticks. */
export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 1;

/** Something that was applied: an application's command, or a membership change. */
export interface Applied {
  readonly index: number;
  readonly term: number;
  readonly data: string;
}

/**
 * One node of a scenario: the core, memory that outlives a crash (storage), and memory that does not (core and state
 * machine). Whatever is done to the core, its state is checked after, and against what it was before.
 */
export class Member {
  readonly id: number;
  readonly storage: MemoryStorage;
  /** The state machine: all it was ever given, in order. A snapshot carries it whole. */
  applied: Applied[] = [];
  readStates: ReadState[] = [];
  /** With asynchronous writes: work for the storage that is not done yet, oldest first. */
  appendWork: StorageAppend[] = [];
  applyWork: StorageApply[] = [];
  up = true;
  conf: ConfState;
  private raw: RawNode;
  private readonly options: MemberOptions;

  constructor(id: number, conf: ConfState, storage: MemoryStorage, options: MemberOptions) {
    this.id = id;
    this.conf = conf;
    this.storage = storage;
    this.options = options;
    this.raw = this.boot();
  }

  get node(): RawNode {
    return this.raw;
  }

  get asynchronous(): boolean {
    return this.options.asyncStorageWrites ?? false;
  }

  /** Does something to the core, with every invariant checked around it. */
  act<T>(deed: (node: RawNode) => T): T {
    const before = this.raw.copyState();
    const { storage } = this;
    if (storage instanceof LateStorage) storage.isAskedByCore = true;
    const result = deed(this.raw);
    if (storage instanceof LateStorage) storage.isAskedByCore = false;
    const after = this.raw.copyState();
    checkState(after);
    checkDelta(before, after);
    return result;
  }

  state(): NodeState {
    return this.raw.copyState();
  }

  /** Everything that was not stored is gone. */
  crash(): void {
    this.up = false;
    this.appendWork = [];
    this.applyWork = [];
    this.readStates = [];
  }

  restart(): void {
    this.up = true;
    this.raw = this.boot();
  }

  store(hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (snapshot !== undefined) this.storage.applySnapshot(snapshot);
    this.storage.append(entries);
    if (hardState !== undefined) this.storage.setHardState(hardState);
  }

  /** A snapshot from elsewhere takes the state machine's place. */
  restore(snapshot: Snapshot): void {
    this.applied = readState(snapshot);
    this.conf = snapshot.meta.confState;
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      // A snapshot has brought more than this while it waited.
      if (entry.index <= (this.applied.at(-1)?.index ?? 0)) continue;
      if (entry.type !== "normal") {
        this.conf = this.act((node) => node.applyConfChange(decodeConfChange(entry), entry.index));
      }
      this.applied.push({ index: entry.index, term: entry.term, data: describeData(entry) });
    }
  }

  /** A snapshot of what is applied becomes the newest one. */
  snapshotNow(): Snapshot {
    const last = this.applied[this.applied.length - 1];
    if (last === undefined) throw new Error(`member ${this.id} has applied nothing`);
    const data = new TextEncoder().encode(JSON.stringify(this.applied));
    return this.storage.createSnapshot(last.index, this.conf, data);
  }

  /** Takes a snapshot of what is applied, and drops the log before it. */
  compact(): void {
    this.storage.compact(this.snapshotNow().meta.index);
  }

  /** The same, where there is anything to compact. */
  compactIfPossible(): void {
    const last = this.applied[this.applied.length - 1];
    if (last !== undefined && last.index > this.storage.snapshot().meta.index) this.compact();
  }

  /** Entries that the core waits for are in memory, as far as its storage is in the mood. */
  fetchEntries(): boolean {
    if (!this.up || this.raw.entriesNeeded().length === 0) return false;
    this.act((node) => node.entriesFetched());
    return true;
  }

  takeReady(): Ready {
    const ready = this.act((node) => node.ready());
    this.readStates.push(...ready.readStates);
    return ready;
  }

  /** The terms of the whole log, as in the paper's figures: `1 1 2`. */
  logTerms(): string {
    const first = this.storage.firstIndex();
    const entries = this.storage.entries(first, this.storage.lastIndex() + 1, Number.POSITIVE_INFINITY);
    return entries.map((entry) => entry.term).join(" ");
  }

  private boot(): RawNode {
    const snapshot = this.storage.snapshot();
    this.applied = readState(snapshot);
    this.conf = snapshot.meta.confState;
    return new RawNode({
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      random: (bound) => (this.id * 3) % bound,
      ...this.options,
      id: this.id,
      storage: this.storage,
    });
  }
}

function readState(snapshot: Snapshot): Applied[] {
  return snapshot.data.length === 0 ? [] : (JSON.parse(new TextDecoder().decode(snapshot.data)) as Applied[]);
}

function describeData(entry: Entry): string {
  if (entry.type === "normal") return new TextDecoder().decode(entry.data);
  const { changes } = asConfChangeV2(decodeConfChange(entry));
  return changes.length === 0 ? "leave joint" : changes.map(({ kind, id }) => `${kind} ${id}`).join(", ");
}
