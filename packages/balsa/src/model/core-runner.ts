import type {
  ConfState,
  Entry,
  Message,
  NodeState,
  PeerMessage,
  ReadState,
  Snapshot,
  StorageAppend,
  StorageApply,
} from "../core/index.js";
import {
  BalsaError,
  checkDelta,
  checkState,
  decodeConfChange,
  EMPTY_CONF_STATE,
  EMPTY_SNAPSHOT,
  isMember,
  RawNode,
} from "../core/index.js";
import type { Cell, Disk } from "./cell.js";
import { checkPromise, checkSuccessor } from "./cell-properties.js";
import { CellStorage, compacted, EMPTY_DISK, written } from "./cell-storage.js";
import type { Configuration } from "./configuration.js";
import type { Input } from "./input.js";
import { ELECTION_TICKS, HEARTBEAT_TICKS, normalForm, RANDOMIZED_TICKS } from "./normal-form.js";

/** What an input did to a cell. */
export interface Outcome {
  readonly cell: Cell;
  /** To other nodes. */
  readonly sent: readonly PeerMessage[];
  /** Reads that may be served from here on. */
  readonly readStates: readonly ReadState[];
  /** Something that may never happen did: what; undefined = all is well. */
  readonly violation: string | undefined;
}

/**
 * Runs the core that ships: one RawNode for each node, put into the state of the cell at hand, given one input, and
 * looked at. Sound, as a RawNode is a pure function of its state, its storage and what happens to it.
 */
export class CoreRunner {
  private readonly configuration: Configuration;
  private readonly storages: CellStorage[] = [];
  private readonly raws: RawNode[] = [];

  // The cell under work.
  private id = 0;
  private writes: StorageAppend[] = [];
  private applies: StorageApply[] = [];
  private sent: PeerMessage[] = [];
  private readStates: ReadState[] = [];

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    for (let id = 1; id <= configuration.nodes; id++) {
      this.storages[id] = new CellStorage();
      this.raws[id] = this.boot(id, EMPTY_DISK);
    }
  }

  /** Each node as it starts: the first voters with a snapshot that holds the configuration, all others with nothing. */
  firstCells(): readonly Cell[] {
    const { nodes, voters = upTo(nodes), logs } = this.configuration;
    const confState: ConfState = { ...EMPTY_CONF_STATE, voters };
    const snapshot: Snapshot = { meta: { index: 1, term: 1, confState }, data: EMPTY_SNAPSHOT.data };
    return upTo(nodes).map((id) => {
      const terms = logs?.[id] ?? [];
      const data = EMPTY_SNAPSHOT.data;
      const entries = terms.map((term, i): Entry => ({ type: "normal", term, index: i + 2, data, checksum: 0 }));
      const term = Math.max(1, ...Object.values(logs ?? {}).flat());
      const disk: Disk = { hardState: { term, vote: 0, commit: 1 }, snapshot, start: { index: 1, term: 1 }, entries };
      return this.restarted(id, voters.includes(id) ? disk : EMPTY_DISK);
    });
  }

  run(before: Cell, input: Input): Outcome {
    this.load(before);
    let disk = before.disk;
    let violation: string | undefined;
    try {
      disk = this.perform(before, input);
      disk = this.settle(disk);
    } catch (error) {
      if (!(error instanceof BalsaError || error instanceof Error)) throw error;
      violation = error.message;
    }
    const state = this.raw().copyState();
    const node = normalForm(state, this.configuration);
    const cell: Cell = { id: before.id, node, disk, writes: this.writes, applies: this.applies };
    if (violation === undefined) violation = this.judge(before, cell, state, input);
    return { cell, sent: this.sent, readStates: this.readStates, violation };
  }

  private judge(before: Cell, after: Cell, state: NodeState, input: Input): string | undefined {
    try {
      checkState(state);
      if (input.kind !== "crash") checkDelta(before.node, state);
      checkSuccessor(before, after, input);
      return undefined;
    } catch (error) {
      if (!(error instanceof BalsaError)) throw error;
      return error.message;
    }
  }

  private raw(): RawNode {
    return this.raws[this.id] as RawNode;
  }

  private load({ id, node, disk, writes, applies }: Cell): void {
    this.id = id;
    this.setDisk(disk);
    // A node that broke an invariant is of no more use.
    const raw = this.raw();
    raw.restoreState(node);
    this.writes = writes.slice();
    this.applies = applies.slice();
    this.sent = [];
    this.readStates = [];
  }

  private setDisk(disk: Disk): void {
    (this.storages[this.id] as CellStorage).disk = disk;
  }

  private boot(id: number, disk: Disk): RawNode {
    const storage = this.storages[id] as CellStorage;
    storage.disk = disk;
    const { preVote = false, checkQuorum = false, readOnly = "safe", stepDownOnRemoval = false } = this.configuration;
    const { commitHints = false, quietCommits = false, oneEntryAMessage = false } = this.configuration;
    return new RawNode({
      id,
      storage,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      random: () => RANDOMIZED_TICKS - ELECTION_TICKS,
      asyncStorageWrites: true,
      disableProposalForwarding: true,
      preVote,
      checkQuorum,
      readOnly,
      stepDownOnRemoval,
      commitHints,
      quietCommits,
      // The first entry goes into a message whatever its size.
      maxBytesPerMessage: oneEntryAMessage ? 1 : Number.POSITIVE_INFINITY,
      maxCommittedBytesPerReady: Number.POSITIVE_INFINITY,
    });
  }

  private restarted(id: number, disk: Disk): Cell {
    const node = normalForm(this.boot(id, disk).copyState(), this.configuration);
    return { id, node, disk, writes: [], applies: [] };
  }

  // ---- what happens to the node; each returns the disk as it is then

  private perform(cell: Cell, input: Input): Disk {
    const raw = this.raw();
    switch (input.kind) {
      case "deliver":
        raw.step(input.message);
        return cell.disk;
      case "time-out":
        this.tickFrom(cell.node, { electionElapsedTicks: RANDOMIZED_TICKS - 1 });
        return cell.disk;
      case "heartbeat":
        this.tickFrom(cell.node, { heartbeatElapsedTicks: HEARTBEAT_TICKS - 1 });
        return cell.disk;
      case "check-quorum":
        this.tickFrom(cell.node, { electionElapsedTicks: ELECTION_TICKS - 1 });
        return cell.disk;
      case "lease-out":
        raw.restoreState({ ...cell.node, electionElapsedTicks: ELECTION_TICKS });
        return cell.disk;
      case "tick":
        raw.tick();
        return cell.disk;
      case "propose":
        raw.propose(EMPTY_SNAPSHOT.data);
        return cell.disk;
      case "change": {
        const change = this.configuration.changes?.[input.change];
        if (change !== undefined) raw.proposeConfChange(change);
        return cell.disk;
      }
      case "transfer":
        raw.transferLeader(input.to);
        return cell.disk;
      case "read":
        raw.readIndex(input.request);
        return cell.disk;
      case "report":
        raw.reportSnapshot(input.peer, input.outcome);
        return cell.disk;
      case "ready":
        return this.handleReady(cell.disk);
      case "write":
        return this.completeWrite(cell.disk);
      case "apply":
        return this.completeApply(cell.disk);
      case "crash":
        return this.crash(cell, input.kept);
      case "compact":
        return compacted(cell.disk, cell.node.applied, cell.node.conf);
      default:
        throw new Error(`an impossible input: ${JSON.stringify(input satisfies never)}`);
    }
  }

  private tickFrom(state: NodeState, timers: Partial<NodeState>): void {
    const raw = this.raw();
    raw.restoreState({ ...state, ...timers });
    raw.tick();
  }

  /** What the configuration has a node do at once. */
  private settle(before: Disk): Disk {
    const { disk: speed, slowNodes, applying, readies } = this.configuration;
    const quick = slowNodes?.includes(this.id) === false;
    const writesAtOnce = quick || speed === "immediate";
    const appliesAtOnce = quick || applying === "immediate";
    let disk = before;
    for (let turn = 0; turn < 100; turn++) {
      this.setDisk(disk);
      if (readies === "eager" && this.raw().hasReady()) disk = this.handleReady(disk);
      else if (writesAtOnce && this.writes.length > 0) disk = this.completeWrite(disk);
      else if (appliesAtOnce && this.applies.length > 0) disk = this.completeApply(disk);
      else return disk;
    }
    throw new Error("the node does not come to rest");
  }

  private handleReady(disk: Disk): Disk {
    const ready = this.raw().ready();
    this.readStates.push(...ready.readStates);
    for (const message of ready.messages) this.dispatch(disk, message);
    return disk;
  }

  private completeWrite(before: Disk): Disk {
    const write = this.writes.shift();
    if (write === undefined) return before;
    const disk = written(before, write);
    this.setDisk(disk);
    for (const message of write.responses) {
      checkPromise(this.id, disk, message);
      this.dispatch(disk, message);
    }
    return disk;
  }

  private completeApply(disk: Disk): Disk {
    const batch = this.applies.shift();
    if (batch === undefined) return disk;
    for (const entry of batch.entries) {
      if (entry.type !== "normal") this.raw().applyConfChange(decodeConfChange(entry), entry.index);
    }
    for (const message of batch.responses) this.dispatch(disk, message);
    return disk;
  }

  private crash(cell: Cell, kept: number): Disk {
    const disk = cell.writes.slice(0, kept).reduce(written, cell.disk);
    this.raws[this.id] = this.boot(this.id, disk);
    this.writes = [];
    this.applies = [];
    return disk;
  }

  private dispatch(disk: Disk, message: Message): void {
    switch (message.type) {
      case "storage-append":
        this.writes.push(message);
        return;
      case "storage-apply":
        this.applies.push(message);
        return;
      case "storage-append-response":
      case "storage-apply-response":
        this.raw().step(message);
        return;
      default:
        if (message.to === this.id) this.raw().step(message);
        else this.sent.push(this.withFittingSnapshot(disk, message));
    }
  }

  /**
   * A node that joined after the newest snapshot was made would refuse it, as it is no member there. Whoever embeds the
   * core makes a new one then; the disk's own stays what it is.
   */
  private withFittingSnapshot(disk: Disk, message: PeerMessage): PeerMessage {
    if (message.type !== "snapshot" || isMember(message.snapshot.meta.confState, message.to)) return message;
    const { applied, conf } = this.raw().copyState();
    const entry = disk.entries[applied - disk.start.index - 1];
    if (entry === undefined || !isMember(conf, message.to)) return message;
    const meta = { index: applied, term: entry.term, confState: conf };
    return { ...message, snapshot: { meta, data: EMPTY_SNAPSHOT.data } };
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
