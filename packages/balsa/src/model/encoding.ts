import type {
  ConfState,
  Entry,
  EntryType,
  Message,
  NodeState,
  PeerMessage,
  PeerState,
  Snapshot,
  StorageAppend,
} from "../core/index.js";
import type { Cell } from "./cell.js";
import type { Permutation } from "./permutation.js";

const ENTRY_TYPES: readonly EntryType[] = ["normal", "conf-change", "conf-change-v2"];
const ROLES: readonly NodeState["role"][] = ["follower", "pre-candidate", "candidate", "leader"];
const CAMPAIGNS: readonly unknown[] = [undefined, "pre-election", "election", "transfer"];
const PROGRESS: readonly PeerState["state"][] = ["probe", "replicate", "snapshot"];

/** A lease that is as old as this has run out long ago. */
const LONG_AGO = 0xffff;

/** Message types by number. */
const MESSAGE_TYPES: readonly PeerMessage["type"][] = [
  "append",
  "append-response",
  "heartbeat",
  "heartbeat-response",
  "vote",
  "vote-response",
  "pre-vote",
  "pre-vote-response",
  "snapshot",
  "timeout-now",
  "transfer-leader",
  "propose",
  "read-index",
  "read-index-response",
];

/**
 * Writes cells and messages as sequences of small numbers, each node's ID renamed on the way. Two things have the same
 * code exactly if they are the same: every list is preceded by its length, sets are in the order of the new names.
 */
export class Encoder {
  private readonly renamed: Permutation;
  /** old ID by new ID. */
  private readonly original: number[];
  private readonly numbers: number[] = [];

  constructor(permutation: Permutation) {
    this.renamed = permutation;
    this.original = [];
    permutation.forEach((to, from) => {
      this.original[to] = from;
    });
  }

  /** The code of a cell, as a string of 16-bit units. */
  cell(cell: Cell): string {
    const { numbers } = this;
    numbers.length = 0;
    this.id(cell.id);
    this.node(cell.node);
    const { hardState, snapshot, start, entries } = cell.disk;
    numbers.push(hardState.term, hardState.commit, start.index, start.term);
    this.id(hardState.vote);
    this.snapshot(snapshot);
    this.entries(entries);
    numbers.push(cell.writes.length, cell.applies.length);
    for (const { entries: batch } of cell.applies) this.entries(batch);
    let text = this.take();
    for (const write of cell.writes) text += this.write(write);
    return text;
  }

  message(message: Message): string {
    const { numbers } = this;
    numbers.length = 0;
    this.push(message);
    return this.take();
  }

  /** A sequence of IDs, by place: who leads in each term. */
  ids(ids: readonly number[]): string {
    for (const id of ids) this.id(id);
    return this.take();
  }

  private take(): string {
    const text = String.fromCharCode(...this.numbers);
    this.numbers.length = 0;
    return text;
  }

  private id(id: number): void {
    this.numbers.push(id > 0 ? (this.renamed[id] as number) : id);
  }

  private idSet(ids: readonly number[]): void {
    let mask = 0;
    for (const id of ids) mask |= 1 << (this.renamed[id] as number);
    this.numbers.push(mask);
  }

  private conf({ voters, votersOutgoing, learners, learnersNext, autoLeave }: ConfState): void {
    for (const ids of [voters, votersOutgoing, learners, learnersNext]) this.idSet(ids);
    this.numbers.push(autoLeave ? 1 : 0);
  }

  private snapshot({ meta: { index, term, confState } }: Snapshot): void {
    this.numbers.push(index, term);
    this.conf(confState);
  }

  private entries(entries: readonly Entry[]): void {
    const { numbers } = this;
    numbers.push(entries.length, entries[0]?.index ?? 0);
    for (const { type, term, data } of entries) {
      numbers.push(ENTRY_TYPES.indexOf(type), term);
      // Membership changes name nodes; a configuration that has any allows no renaming of those.
      if (type !== "normal") numbers.push(data.length, ...data);
    }
  }

  private node(state: NodeState): void {
    const { numbers } = this;
    const { unstable, handedOver } = state;
    numbers.push(ROLES.indexOf(state.role), state.term);
    for (const id of [state.vote, state.lead, state.leadTransferee, handedOver.lead, handedOver.hardState.vote]) {
      this.id(id);
    }
    numbers.push(state.electionElapsedTicks, state.heartbeatElapsedTicks, state.leaseSurrendered ? 1 : 0);
    numbers.push(state.pendingConfIndex, state.committed, state.applying, state.applied, state.applyingBytes);
    numbers.push(
      state.applyingPaused ? 1 : 0,
      state.applyingAwaitsEntries ? 1 : 0,
      unstable.snapshotInProgress ? 1 : 0,
    );
    const { pendingCampaign } = state;
    numbers.push(CAMPAIGNS.indexOf(pendingCampaign?.kind), pendingCampaign?.scannedTo ?? 0);
    numbers.push(unstable.offset, unstable.offsetInProgress, unstable.snapshot === undefined ? 0 : 1);
    numbers.push(ROLES.indexOf(handedOver.role), handedOver.hardState.term, handedOver.hardState.commit);
    if (unstable.snapshot !== undefined) this.snapshot(unstable.snapshot);
    this.entries(unstable.entries);
    this.conf(state.conf);
    this.idSet(state.granted);
    this.idSet(state.rejected);
    numbers.push(state.readRound, state.waitingReads.length, state.heldReads.length);
    const { round: leaseRound, roundAgeTicks, ageTicks } = state.readLease;
    numbers.push(leaseRound, roundAgeTicks, Math.min(ageTicks, LONG_AGO));
    for (const { from, requestId, round, index } of state.waitingReads) {
      this.id(from);
      numbers.push(requestId, round, index);
    }
    for (const { from, requestId } of state.heldReads) {
      this.id(from);
      numbers.push(requestId);
    }
    this.peers(state);
    numbers.push(state.messages.length, state.messagesAfterAppend.length, state.readStates.length);
    for (const message of state.messages) this.push(message);
    for (const message of state.messagesAfterAppend) this.push(message);
    for (const { index, requestId } of state.readStates) numbers.push(index, requestId);
  }

  /** In the order of their new names; of a node that does not lead they are all alike, and their number says it all. */
  private peers({ peers, role }: NodeState): void {
    const { numbers } = this;
    numbers.push(peers.length);
    if (role !== "leader" && peers.every(({ next, match }) => next === 1 && match === 0)) return;
    for (const id of this.original) {
      const peer = peers.find((candidate) => candidate.id === id);
      if (peer === undefined) continue;
      this.id(id);
      const flags =
        (peer.isLearner ? 1 : 0) |
        (peer.appendPaused ? 2 : 0) |
        (peer.recentlyActive ? 4 : 0) |
        (peer.awaitsEntries ? 8 : 0);
      numbers.push(PROGRESS.indexOf(peer.state), flags, peer.match, peer.next, peer.pendingSnapshot);
      numbers.push(peer.sentCommit, peer.confirmedRound, peer.inflights.length);
      for (const { lastIndex } of peer.inflights) numbers.push(lastIndex);
    }
  }

  private write({ term, hardState, entries, snapshot, responses }: StorageAppend): string {
    const { numbers } = this;
    numbers.push(term, hardState === undefined ? 0 : 1, snapshot === undefined ? 0 : 1);
    if (hardState !== undefined) {
      numbers.push(hardState.term, hardState.commit);
      this.id(hardState.vote);
    }
    if (snapshot !== undefined) this.snapshot(snapshot);
    this.entries(entries);
    numbers.push(responses.length);
    const head = this.take();
    // Answers to others go into the network, where there is no order; those to the node itself are stepped in theirs.
    const own: string[] = [];
    const others: string[] = [];
    for (const message of responses) (isLocal(message) ? own : others).push(this.message(message));
    return head + [...own, ...others.sort()].join("");
  }

  private push(message: Message): void {
    const { numbers } = this;
    const { type, from, to, term } = message;
    switch (type) {
      case "storage-append":
      case "storage-apply":
        // Handed out by a Ready, never kept in a state or an answer.
        throw new Error(`no code for ${type}`);
      case "storage-append-response":
        numbers.push(100, term, message.index, message.logTerm, message.snapshot === undefined ? 0 : 1);
        if (message.snapshot !== undefined) this.snapshot(message.snapshot);
        return;
      case "storage-apply-response":
        numbers.push(101);
        this.entries(message.entries);
        return;
      default:
    }
    numbers.push(MESSAGE_TYPES.indexOf(type), term);
    this.id(from);
    this.id(to);
    this.body(message);
  }

  private body(message: PeerMessage): void {
    const { numbers } = this;
    switch (message.type) {
      case "append":
        numbers.push(message.prevIndex, message.prevTerm, message.commit, message.quiet ? 1 : 0);
        this.entries(message.entries);
        return;
      case "append-response":
        numbers.push(message.index, message.rejected ? 1 : 0, message.hintIndex, message.hintTerm);
        return;
      case "heartbeat":
        numbers.push(message.commit, message.readRound);
        return;
      case "heartbeat-response":
        numbers.push(message.readRound);
        return;
      case "vote":
      case "pre-vote":
        numbers.push(message.lastIndex, message.lastTerm, message.transfer ? 1 : 0);
        return;
      case "vote-response":
      case "pre-vote-response":
        numbers.push(message.rejected ? 1 : 0);
        return;
      case "snapshot":
        this.snapshot(message.snapshot);
        return;
      case "timeout-now":
        return;
      case "transfer-leader":
        this.id(message.transferee);
        return;
      case "propose":
        numbers.push(message.entries.length);
        return;
      case "read-index":
        numbers.push(message.requestId);
        return;
      case "read-index-response":
        numbers.push(message.requestId, message.index);
        return;
      default:
        throw new Error(`no code for ${JSON.stringify(message satisfies never)}`);
    }
  }
}

function isLocal({ from, to }: Message): boolean {
  return from === to || from < 0;
}
