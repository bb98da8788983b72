import { sealEntry } from "../codec/index.js";
import {
  BalsaError,
  type ConfState,
  type Entry,
  invariant,
  LOCAL_APPEND,
  LOCAL_APPLY,
  type Message,
  NONE,
  type PeerMessage,
  type RawNode,
  type Ready,
  type SnapshotMessage,
  type StorageAppend,
  type StorageApply,
} from "../core/index.js";
import type { Clock } from "../platform/index.js";
import type { DiskStorage } from "../storage/index.js";
import type { Transport } from "../transport/index.js";
import { EntryFetches } from "./entry-fetches.js";
import { GROUP } from "./first-snapshot.js";
import type { Forwarding } from "./forwarding.js";
import type { RaftNodeObserver } from "./observer.js";
import type { Proposal, Proposals } from "./proposals.js";
import type { Reads } from "./reads.js";

const NOTHING: readonly never[] = [];

/** Where a turn takes from and gives to. */
export interface TurnParts {
  readonly raw: RawNode;
  readonly clock: Clock;
  readonly storage: DiskStorage;
  readonly transport: Transport;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly forwarding: Forwarding;
  /** Whether commands may go into the log of this leader by now. */
  readonly takesCommands: () => boolean;
  /** They come into the log, in place of what stood there. */
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly apply: (message: StorageApply) => void;
  /** Replaces the state by the snapshot's, then calls `done`. */
  readonly restore: (message: StorageAppend, done: () => void) => void;
  readonly sendSnapshot: (message: SnapshotMessage) => void;
  readonly onLeaderChanged: () => void;
  readonly appliedIndex: () => number;
  readonly confState: () => ConfState;
  readonly observer: RaftNodeObserver | undefined;
  readonly onFailure: (cause: unknown) => void;
}

/**
 * One Ready per turn of the event loop. All that arrives during a turn (proposals, messages, completed syncs, ticks)
 * goes into the core; at its end one Ready comes out, whose entries are written with one sync and whose messages leave
 * with one write for each peer. Under load batches form by themselves; at rest nothing waits for a timer.
 */
export class Turn {
  private scheduled = false;
  private stopped = false;
  /** Answers of storage writes, in order, behind one whose snapshot is still being restored. */
  private held: (readonly Message[])[] = [];
  private restoring = false;
  /** A snapshot from a peer is in force in the core, and not restored into the state machine yet. */
  private incoming = false;
  private leader = NONE;
  /** Made once: there is one a turn. */
  private readonly end = (): void => {
    this.scheduled = false;
    if (this.stopped) return;
    try {
      this.run();
    } catch (cause) {
      this.parts.onFailure(cause);
    }
  };
  private term = 0;
  private readonly parts: TurnParts;
  private readonly fetches: EntryFetches;

  constructor(parts: TurnParts) {
    const { raw, storage, onFailure } = parts;
    this.parts = parts;
    this.fetches = new EntryFetches({ raw, storage, onFetched: () => this.entriesFetched(), onFailure });
  }

  stop(): void {
    this.stopped = true;
  }

  /** Something came in: the core is asked at the end of this turn what is to be done. */
  schedule(): void {
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    this.parts.clock.nextTurn(this.end);
  }

  /** The core was told something: where nothing comes of it, as of most answers, there is no turn. */
  scheduleIfNeeded(): void {
    const { raw, proposals, reads, forwarding } = this.parts;
    if (raw.hasReady() || raw.entriesNeeded().length > 0) this.schedule();
    else if (proposals.hasGathered || reads.hasGathered || forwarding.hasReceived) this.schedule();
  }

  /** Runs `work` so that a broken invariant or a failed storage stops the member instead of being carried on with. */
  guarded(work: () => void): void {
    if (this.stopped) return;
    try {
      work();
    } catch (cause) {
      this.parts.onFailure(cause);
    }
  }

  private run(): void {
    const { raw, transport, reads } = this.parts;
    this.submitProposals();
    if (reads.hasGathered && raw.lead !== NONE) raw.readIndex(reads.start());
    if (raw.hasReady()) this.process(raw.ready());
    transport.flush();
    this.fetches.update();
    // A Ready can leave more behind: what it handed out was cut at a limit.
    if (raw.hasReady()) this.schedule();
  }

  private entriesFetched(): void {
    this.guarded(() => {
      this.parts.raw.entriesFetched();
      this.schedule();
    });
  }

  /** All that was gathered becomes one proposal message, or is sent on to the leader. */
  private submitProposals(): void {
    const { raw, proposals, forwarding } = this.parts;
    if (!proposals.hasGathered && !forwarding.hasReceived) return;
    if (raw.role === "leader") {
      // Otherwise they wait, as with no leader.
      if (this.parts.takesCommands()) this.proposeAll();
      return;
    }
    for (const batch of forwarding.takeReceived()) {
      forwarding.answer(batch, { kind: "refused", code: "not-leader", leader: raw.lead });
    }
    // With no leader known they wait: for one, or for their deadline.
    if (raw.lead !== NONE && proposals.hasGathered) forwarding.send(raw.lead, proposals.takeGathered());
  }

  private proposeAll(): void {
    const { raw, proposals, forwarding, storage } = this.parts;
    const own: readonly Proposal[] = proposals.takeGathered();
    const received = forwarding.takeReceived();
    const commands: Uint8Array[] = [];
    for (const proposal of own) commands.push(proposal.data);
    for (const batch of received) for (const command of batch.commands) commands.push(command);
    if (commands.length === 0) return;
    if (storage.isFull) {
      for (const batch of received) forwarding.answer(batch, { kind: "refused", code: "disk-full", leader: raw.lead });
      for (const proposal of own) proposal.fail("disk-full", "the leader's disk is full; try again when it has room");
      return;
    }
    const outcome = raw.proposeBatch(commands);
    switch (outcome.kind) {
      case "accepted": {
        proposals.accept(own, outcome.index, outcome.term);
        let firstIndex = outcome.index + own.length;
        for (const batch of received) {
          forwarding.answer(batch, { kind: "accepted", firstIndex, term: outcome.term });
          firstIndex += batch.commands.length;
        }
        return;
      }
      case "dropped": {
        const code = outcome.reason === "over-quota" ? "overloaded" : "not-leader";
        for (const batch of received) forwarding.answer(batch, { kind: "refused", code, leader: raw.lead });
        // Over the quota they would only pile up; otherwise (a transfer under way) they wait for the next leader.
        if (code === "overloaded") {
          for (const proposal of own) proposal.fail(code, "the leader holds too much uncommitted; try again later");
        } else proposals.giveBack(own);
        return;
      }
      case "forwarded":
        invariant(false, "turn: a leader does not forward");
        return;
      default:
        outcome satisfies never;
    }
  }

  private process(ready: Ready): void {
    const { raw, reads, appliedIndex } = this.parts;
    // The leader's new entries get their checksum before anybody writes or sends them; others have theirs.
    for (const entry of ready.entries) sealEntry(GROUP, entry);
    if (ready.entries.length > 0) this.parts.onEntries(ready.entries);
    if (this.parts.observer !== undefined) this.show(ready, this.parts.observer);
    if (raw.lead !== this.leader || raw.term !== this.term) {
      this.leader = raw.lead;
      this.term = raw.term;
      this.parts.onLeaderChanged();
    }
    for (const state of ready.readStates) reads.confirmed(state, appliedIndex());
    // To the peers first: the leader's disk and the followers' work side by side (thesis §10.2.1).
    this.sendToPeers(ready.messages);
    this.parts.transport.flush();
    for (const message of ready.messages) if (this.staysHere(message)) this.handOver(message, ready.mustSync);
  }

  private show(ready: Ready, observer: RaftNodeObserver): void {
    const { raw, appliedIndex, confState } = this.parts;
    const { term, role, lead, commit } = raw;
    observer.ready(ready, { term, role, lead, commit, applied: appliedIndex(), confState: confState() });
  }

  /** For this member's storage or state machine, or for itself. */
  private staysHere({ to }: Message): boolean {
    return to === this.parts.raw.id || to === LOCAL_APPEND || to === LOCAL_APPLY;
  }

  /** Queues all but what stays here. Returns whether anything waits to be flushed. */
  private sendToPeers(messages: readonly Message[]): boolean {
    const toPeers = this.forPeers(messages);
    if (toPeers.length === 0) return false;
    this.parts.observer?.sending(toPeers);
    this.parts.transport.send(toPeers);
    return true;
  }

  /**
   * Those of the messages that are queued for peers; snapshots go another way, at once. What stays here mostly stands
   * behind all others: a list that is grown by one message makes room for 17, and there were two a turn.
   */
  private forPeers(messages: readonly Message[]): readonly PeerMessage[] {
    let count = 0;
    let end = 0;
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i] as Message;
      if (this.staysHere(message)) continue;
      if (message.type === "snapshot") {
        this.parts.observer?.sending([message]);
        this.parts.sendSnapshot(message);
        continue;
      }
      count++;
      end = i + 1;
    }
    if (count === 0) return NOTHING;
    if (count === messages.length) return messages as readonly PeerMessage[];
    if (count === end) return messages.slice(0, count) as readonly PeerMessage[];
    return messages.filter(
      (message): message is PeerMessage => message.type !== "snapshot" && !this.staysHere(message),
    );
  }

  private handOver(message: Message, mustSync: boolean): void {
    switch (message.type) {
      case "storage-append":
        this.append(message, mustSync);
        return;
      case "storage-apply":
        this.parts.apply(message);
        return;
      default:
        // To itself: the node's own vote or acknowledgement that needs no write. What comes of it is seen to at the turn's end.
        this.parts.raw.step(message);
    }
  }

  get awaitsSnapshot(): boolean {
    return this.incoming;
  }

  private append(message: StorageAppend, mustSync: boolean): void {
    const { hardState, entries, snapshot } = message;
    if (snapshot !== undefined) this.incoming = true;
    this.parts.storage.append({ hardState, entries, snapshot, mustSync }, (error) => {
      this.guarded(() => {
        if (error !== undefined) throw error;
        this.parts.observer?.written(message);
        this.written(message);
      });
    });
  }

  /** The write is durable: its answers are due, behind those of earlier writes. */
  private written(message: StorageAppend): void {
    if (this.restoring) {
      // One snapshot at a time: the core is given no other before this one's answer (SnapshotTransfer).
      invariant(message.snapshot === undefined, "turn: a snapshot while another is being restored");
      this.held.push(message.responses);
      return;
    }
    if (message.snapshot === undefined) {
      this.deliver(message.responses);
      return;
    }
    this.restoring = true;
    this.parts.restore(message, () => {
      this.restoring = false;
      this.incoming = false;
      this.deliver(message.responses);
      const held = this.held;
      this.held = [];
      for (const responses of held) this.deliver(responses);
    });
  }

  /** Brings answers of storage or of the state machine to where they go. */
  deliver(responses: readonly Message[]): void {
    if (responses.length === 0) return;
    const isSent = this.sendToPeers(responses);
    for (const message of responses) if (this.staysHere(message)) this.parts.raw.step(message);
    if (isSent) this.schedule();
    else this.scheduleIfNeeded();
  }
}

/** What a member that failed tells every caller. */
export function failureOf(cause: unknown): BalsaError {
  if (cause instanceof BalsaError) return cause;
  return new BalsaError("invariant", cause instanceof Error ? cause.message : "the member failed", { cause });
}
