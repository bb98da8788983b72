import { entriesNeeded, retryAwaitedEntries } from "./awaited-entries.js";
import { BalsaError } from "./balsa-error.js";
import { isCommitHint } from "./commit-hint.js";
import type { ConfChange } from "./conf-change.js";
import { asConfChangeV2 } from "./conf-change.js";
import { encodeConfChange } from "./conf-change-codec.js";
import type { ConfState } from "./conf-state.js";
import { sortedConfState } from "./conf-state.js";
import type { Config } from "./config.js";
import { checkedConfig } from "./config.js";
import { changeConfig } from "./config-changer.js";
import { startElection } from "./election.js";
import type { Entry, ProposedEntry } from "./entry.js";
import { Handover } from "./handover.js";
import { reportSnapshot, reportUnreachable } from "./leader.js";
import { transferLeadership } from "./leadership-transfer.js";
import { applyConfChange, restoreConfig } from "./membership.js";
import type { Message } from "./message.js";
import { LOCAL_APPEND, LOCAL_APPLY, NONE } from "./message.js";
import type { NodeState } from "./node-state.js";
import { copyNodeState, restoreNodeState } from "./node-state.js";
import { checkConfChange, propose } from "./proposal.js";
import type { ProposeOutcome } from "./propose-outcome.js";
import { Raft } from "./raft.js";
import { type EntryRange, NOT_IN_MEMORY, UNKNOWN_TERM } from "./raft-log.js";
import type { ReadIndexOutcome } from "./read-index.js";
import { requestReadIndex } from "./read-index.js";
import type { Ready, Role } from "./ready.js";
import { becomeFollower } from "./roles.js";
import type { Status } from "./status.js";
import { statusOf } from "./status.js";
import type { StepOutcome } from "./step.js";
import { step } from "./step.js";
import { tick } from "./tick.js";

/**
 * One member of one group: the protocol, and nothing else. It does no I/O, starts no timer, and knows no clock. The
 * caller tells it what happens, and does what its Readies say:
 *
 * ```
 * node.tick();  node.step(message);  node.propose(data);
 * while (node.hasReady()) {
 *   const ready = node.ready();
 *   // store ready.hardState, ready.snapshot and ready.entries, durably if ready.mustSync;
 *   // send ready.messages; apply ready.snapshot and ready.committedEntries;
 *   node.advance();
 * }
 * ```
 *
 * With `asyncStorageWrites` nobody waits: storing and applying are messages to LOCAL_APPEND and LOCAL_APPLY among
 * `ready.messages`, whose responses are delivered when the work is done, and `advance` is not called.
 *
 * When an invariant fails, or storage throws what is no StorageError, the node is broken: that call throws, and so does
 * every later one. The caller takes it down; what is stored stays good.
 */
export class RawNode {
  private readonly raft: Raft;
  private readonly handover: Handover;
  private failure: BalsaError | undefined = undefined;

  /**
   * Takes up what `config.storage` holds: nothing, for a node that waits to be told of its group; or a snapshot that
   * holds a configuration and nothing else, to begin a new group; or what an earlier life left.
   * @throws BalsaError invalid-argument (the configuration), corrupt (what is stored cannot be)
   */
  constructor(config: Config) {
    const settings = checkedConfig(config);
    const raft = new Raft(settings);
    const { hardState, confState } = settings.storage.initialState();
    restoreConfig(raft, sortedConfState(confState));
    raft.restoreHardState(hardState);
    raft.restoreApplied(settings.applied);
    becomeFollower(raft, raft.term, NONE);
    this.raft = raft;
    this.handover = new Handover();
    this.handover.begin(raft);
  }

  // ---- what the caller looks at all the time

  get id(): number {
    return this.raft.id;
  }
  get term(): number {
    return this.raft.term;
  }
  get role(): Role {
    return this.raft.role;
  }
  /** Who leads; 0 = not known. */
  get lead(): number {
    return this.raft.lead;
  }
  get commit(): number {
    return this.raft.log.committed;
  }
  get applied(): number {
    return this.raft.log.applied;
  }
  get lastIndex(): number {
    return this.raft.log.lastIndex();
  }

  // ---- what happens to the node

  /** The node's time moves on. */
  tick(): void {
    this.checkWorks();
    try {
      tick(this.raft);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** A message came in, from a peer or from the own storage. */
  step(message: Message): StepOutcome {
    this.checkWorks();
    const refused = this.refuses(message);
    if (refused !== undefined) return refused;
    try {
      return step(this.raft, message);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Campaigns now, as if no leader had been heard of for long. */
  campaign(): void {
    this.checkWorks();
    try {
      startElection(this.raft);
    } catch (error) {
      throw this.fail(error);
    }
  }

  propose(data: Uint8Array): ProposeOutcome {
    return this.proposeEntries([{ type: "normal", data }]);
  }

  /** Many proposals as one: they get neighbouring places in the log, or none of them gets any. */
  proposeBatch(datas: readonly Uint8Array[]): ProposeOutcome {
    if (datas.length === 0) throw new BalsaError("invalid-argument", "a batch has at least one proposal");
    const entries: ProposedEntry[] = [];
    for (const data of datas) entries.push({ type: "normal", data });
    return this.proposeEntries(entries);
  }

  /** Accepted does not mean admitted: see the outcome's `refusal`. */
  proposeConfChange(change: ConfChange): ProposeOutcome {
    return this.proposeEntries([encodeConfChange(change)]);
  }

  /** Why a membership change, proposed to this leader now, would come to nothing; undefined = it would be admitted. */
  checkConfChange(change: ConfChange): string | undefined {
    const refusal = checkConfChange(this.raft, change);
    if (refusal !== undefined) return refusal;
    try {
      changeConfig(this.raft.tracker.conf, asConfChangeV2(change));
      return undefined;
    } catch (error) {
      if (error instanceof BalsaError) return error.message;
      throw error;
    }
  }

  /**
   * Must be called for each membership change among the committed entries, when it is applied; unless the application
   * decides that the change is void.
   * @param index of its entry: a change that a snapshot has overtaken meanwhile is passed over. Without an index the
   * caller has to see to that.
   * @returns the configuration from here on, for snapshots
   */
  applyConfChange(change: ConfChange, index: number = Number.POSITIVE_INFINITY): ConfState {
    this.checkWorks();
    try {
      return applyConfChange(this.raft, change, index);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /**
   * Asks for an index to read at: it comes as a read state in a later Ready, or never, if messages are lost or
   * leadership changes. Then ask again, under another ID (E3).
   */
  readIndex(requestId: number): ReadIndexOutcome {
    this.checkWorks();
    try {
      return requestReadIndex(this.raft, { from: this.raft.id, requestId });
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Asks the leader to hand over to `transferee`; naming the leader itself calls a transfer off. */
  transferLeader(transferee: number): void {
    this.checkWorks();
    try {
      transferLeadership(this.raft, transferee);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /**
   * A follower is told that its leader is gone: it grants votes and pre-votes from now on, and its election timer runs
   * on as it is. Not under lease-based reads, which rely on votes being withheld (D5).
   */
  forgetLeader(): void {
    this.checkWorks();
    const { raft } = this;
    if (raft.role === "follower" && raft.settings.readOnly !== "lease-based") raft.lead = NONE;
  }

  /** The last message to a peer could not be delivered. */
  reportUnreachable(id: number): void {
    this.checkWorks();
    reportUnreachable(this.raft, id);
  }

  /** A snapshot to a peer has arrived, or has not. Must be called for each: until then the peer gets nothing else. */
  reportSnapshot(id: number, outcome: "success" | "failure"): void {
    this.checkWorks();
    reportSnapshot(this.raft, id, outcome);
  }

  // ---- the log, for a member whose own is damaged

  /** Term of the entry at `index`, durable or not; undefined = compacted away, or past the log's end. */
  termAt(index: number): number | undefined {
    const term = this.raft.log.term(index);
    return term === UNKNOWN_TERM ? undefined : term;
  }

  /**
   * Entries from `from` on, durable or not, at least one if there are any. Where they are not in memory the caller has
   * storage fetch them, and asks again.
   */
  entriesFrom(from: number, maxBytes: number): readonly Entry[] | "compacted" | "not-in-memory" {
    const { log } = this.raft;
    if (from > log.lastIndex()) return [];
    const entries = log.entriesFrom(from, maxBytes);
    if (entries === undefined) return "compacted";
    return entries === NOT_IN_MEMORY ? "not-in-memory" : entries;
  }

  // ---- entries that are not in memory

  /**
   * What storage answered `entries-temporarily-unavailable` for and is still needed: to be looked at whenever Readies
   * were taken. A peer's sending, applying or a campaign waits for the first entry of each range; the more of the range
   * is fetched at a time, the fewer the times. Ranges may be the same.
   */
  entriesNeeded(): readonly EntryRange[] {
    return entriesNeeded(this.raft);
  }

  /**
   * Some of what was needed may be in memory now: whoever waits tries again. It must be called as long as anything is
   * needed, also where it turned out that an entry is not there any more.
   */
  entriesFetched(): void {
    this.checkWorks();
    try {
      retryAwaitedEntries(this.raft);
    } catch (error) {
      throw this.fail(error);
    }
  }

  // ---- what the node wants done

  hasReady(): boolean {
    return this.handover.hasReady(this.raft);
  }

  /** Everything since the last one. Readies are to be dealt with in order. */
  ready(): Ready {
    this.checkWorks();
    try {
      return this.handover.takeReady(this.raft);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Plain mode: the last Ready is stored, sent and applied. */
  advance(): void {
    this.checkWorks();
    if (this.raft.settings.asyncStorageWrites) {
      throw new BalsaError("invalid-argument", "advance is not called where storage writes are asynchronous");
    }
    try {
      this.handover.advance(this.raft);
    } catch (error) {
      throw this.fail(error);
    }
  }

  status(): Status {
    return statusOf(this.raft);
  }

  // ---- the whole state, for exploration and for checks before and after

  /** Everything that the node's future depends on, besides its configuration and what is in stable storage. */
  copyState(): NodeState {
    return copyNodeState(this.raft, this.handover);
  }

  /** The node is as it was when `state` was copied, from it or from another node of the same configuration. */
  restoreState(state: NodeState): void {
    restoreNodeState(this.raft, this.handover, state);
  }

  private proposeEntries(entries: readonly ProposedEntry[]): ProposeOutcome {
    this.checkWorks();
    try {
      return propose(this.raft, this.raft.id, entries);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** What nobody should have sent: see StepOutcome. */
  private refuses(message: Message): StepOutcome | undefined {
    // Whoever knows of a later configuration may be none of the one that is known here.
    if (isCommitHint(message)) return undefined;
    switch (message.type) {
      case "storage-append-response":
        return message.from === LOCAL_APPEND ? undefined : "local-message";
      case "storage-apply-response":
        return message.from === LOCAL_APPLY ? undefined : "local-message";
      case "append-response":
      case "heartbeat-response":
      case "vote-response":
      case "pre-vote-response":
      case "read-index-response":
        return this.raft.tracker.get(message.from) === undefined ? "peer-not-found" : undefined;
      default:
        return undefined;
    }
  }

  private checkWorks(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private fail(error: unknown): BalsaError {
    this.failure =
      error instanceof BalsaError
        ? error
        : new BalsaError("storage-failed", "the storage threw: the node takes no further part", { cause: error });
    return this.failure;
  }
}
