import type {
  Config,
  ConfState,
  Entry,
  HardState,
  Message,
  Snapshot,
  StorageAppend,
  StorageApply,
} from "../../src/core/index.js";
import { asConfChangeV2, decodeConfChange, EMPTY_SNAPSHOT, MemoryStorage, RawNode } from "../../src/core/index.js";

/** What `add-nodes` chooses; everything else is as FORMAT.md says. */
export type NodeOptions = Partial<
  Pick<
    Config,
    | "applied"
    | "asyncStorageWrites"
    | "maxCommittedBytesPerReady"
    | "maxInflightMessages"
    | "checkQuorum"
    | "preVote"
    | "readOnly"
    | "disableConfChangeValidation"
    | "stepDownOnRemoval"
  >
>;

const ELECTION_TICKS = 3;
const HEARTBEAT_TICKS = 1;

/** An error that a trace expects, as the text it has there. */
export class ExpectedError extends Error {}

/** Stable storage that answers with the newest of the state machine's snapshots when it is asked for one. */
class StorageWithHistory extends MemoryStorage {
  readonly history: Snapshot[] = [];

  override snapshot(): Snapshot {
    return this.history[this.history.length - 1] as Snapshot;
  }
}

/** A node with its storage, its storage's work, and a state machine that appends each entry's data to a byte string. */
export class AppenderNode {
  readonly id: number;
  readonly raw: RawNode;
  readonly storage = new StorageWithHistory();
  readonly asynchronous: boolean;
  readonly appendWork: StorageAppend[] = [];
  readonly applyWork: StorageApply[] = [];

  constructor(id: number, options: NodeOptions, snapshot: Snapshot) {
    this.id = id;
    this.asynchronous = options.asyncStorageWrites ?? false;
    if (snapshot !== EMPTY_SNAPSHOT) this.storage.applySnapshot(snapshot);
    this.storage.history.push(snapshot);
    this.raw = new RawNode({
      maxBytesPerMessage: Number.POSITIVE_INFINITY,
      maxInflightMessages: 2 ** 31 - 1,
      ...options,
      id,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      storage: this.storage,
      random: (bound) => bound - 1,
    });
  }

  tickElection(): void {
    for (let i = 0; i < ELECTION_TICKS; i++) this.raw.tick();
  }

  tickHeartbeat(): void {
    for (let i = 0; i < HEARTBEAT_TICKS; i++) this.raw.tick();
  }

  setRandomizedElectionTimeout(ticks: number): void {
    this.raw.restoreState({ ...this.raw.copyState(), randomizedElectionTicks: ticks });
  }

  store(hardState: HardState | undefined, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (hardState !== undefined) this.storage.setHardState(hardState);
    if (snapshot === undefined) {
      this.storage.append(entries);
      return;
    }
    if (entries.length > 0) throw new ExpectedError("can't apply snapshot and entries at the same time");
    this.storage.applySnapshot(snapshot);
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { update, confState } = this.effect(entry);
      const before = this.storage.snapshot();
      this.storage.history.push({
        meta: { index: entry.index, term: entry.term, confState: confState ?? before.meta.confState },
        data: concat(before.data, update),
      });
    }
  }

  /** Takes a message that goes to this node's storage. */
  queueWork(message: Message): boolean {
    if (message.type === "storage-append") this.appendWork.push(message);
    else if (message.type === "storage-apply") this.applyWork.push(message);
    else return false;
    return true;
  }

  private effect(entry: Entry): { update: Uint8Array; confState: ConfState | undefined } {
    if (entry.type === "normal") return { update: entry.data, confState: undefined };
    const change = decodeConfChange(entry);
    return { update: asConfChangeV2(change).context, confState: this.raw.applyConfChange(change) };
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
