import { encodeCommand } from "../codec/index.js";
import {
  BalsaError,
  invariant,
  type PeerMessage,
  RawNode,
  type SnapshotMessage,
  type StorageAppend,
  type StorageApply,
} from "../core/index.js";
import type { Logger } from "../platform/index.js";
import type { DiskStorage, SnapshotReceiver } from "../storage/index.js";
import type { Asker, RefusalCode, Transport } from "../transport/index.js";
import { type CallOptions, TIMEOUT_MS_DEFAULT } from "./abort.js";
import { Admission, knownOtherwise, wasRemoved } from "./admission.js";
import { Applier } from "./applier.js";
import { ClusterMembers } from "./cluster-members.js";
import { type Configuration, encodeIncarnations, type MemberRecord } from "./configuration.js";
import { coreConfig } from "./core-config.js";
import { Deadlines } from "./deadlines.js";
import { Departure } from "./departure.js";
import { Failover } from "./failover.js";
import { Forwarding } from "./forwarding.js";
import { COMMAND_BYTES_MAX, DEPARTURE_ELECTIONS } from "./limits.js";
import type { MemberChange } from "./member-change.js";
import { type ChangeApplied, Membership } from "./membership.js";
import { type ChangeOptions, MembershipCalls } from "./membership-calls.js";
import { recoveredState } from "./observer.js";
import type { RaftNodeEvent, RaftNodeOptions, Settings } from "./options.js";
import { type Applied, Proposals } from "./proposals.js";
import { Reads } from "./reads.js";
import { answerFromWhole } from "./repair-answers.js";
import { restoreState } from "./restore-state.js";
import { SnapshotTransfer } from "./snapshot-transfer.js";
import { type AppliedState, Snapshotter } from "./snapshotter.js";
import { type RaftNodeStatus, raftNodeStatus } from "./status.js";
import { Ticker } from "./ticker.js";
import { failureOf, Turn } from "./turn.js";

/** What is open by the time a member takes part. */
export interface ActiveParts {
  readonly options: RaftNodeOptions;
  readonly settings: Settings;
  readonly storage: DiskStorage;
  readonly transport: Transport;
  readonly configuration: Configuration;
  /** Whom a newcomer takes for its peers until it is sent the configuration. */
  readonly provisional: readonly MemberRecord[];
}

/** A member that takes part in its group: its log is whole, and everything that RaftNode offers happens here. */
export class ActiveMember {
  private readonly raw: RawNode;
  private readonly parts: ActiveParts;
  private readonly logger: Logger;
  private readonly deadlines: Deadlines = new Deadlines();
  private readonly proposals: Proposals;
  private readonly reads: Reads;
  private readonly forwarding: Forwarding;
  private readonly applier: Applier;
  private readonly snapshotter: Snapshotter;
  private readonly snapshotTransfer: SnapshotTransfer;
  private readonly failover: Failover;
  private readonly turn: Turn;
  private readonly ticker: Ticker;
  private readonly members: ClusterMembers;
  private readonly membership: Membership;
  private readonly membershipCalls: MembershipCalls;
  private readonly admission: Admission;
  private readonly departure: Departure;
  private appliedIndex: number;
  private appliedTerm: number;
  private lastLeader = 0;
  /** Why no call is taken any more. */
  private ended: BalsaError | undefined;
  private closing: Promise<void> | undefined;

  constructor(parts: ActiveParts) {
    const { options, settings, storage, transport, configuration } = parts;
    const { platform } = options;
    this.parts = parts;
    this.logger = platform.logger;
    ({ index: this.appliedIndex, term: this.appliedTerm } = storage.snapshot().meta);
    this.raw = new RawNode(coreConfig(options, settings, storage));
    const leader = (): number => this.raw.lead;
    // Distinct between the lives of a member: a late answer to an earlier one fits nothing.
    const firstRequestId = platform.random.below(2 ** 51) + 1;
    this.proposals = new Proposals(this.deadlines, leader);
    this.reads = new Reads(this.deadlines, leader, firstRequestId);
    this.forwarding = new Forwarding(this.proposals, transport, firstRequestId);
    this.members = new ClusterMembers(configuration, {
      raw: this.raw,
      storage,
      transport,
      onRemoved: () => this.departure.removed(),
      onSure: () => this.turn.guarded(() => this.membership.sure()),
      onVotersChanged: (before, after) => this.failover.votersChanged(before, after),
    });
    this.departure = new Departure({
      raw: this.raw,
      members: this.members,
      graceTicks: settings.electionTicks * DEPARTURE_ELECTIONS,
      onDeparted: () => this.leave(),
    });
    this.membership = this.newMembership();
    this.membershipCalls = this.newMembershipCalls();
    this.admission = this.newAdmission();
    this.applier = new Applier(options.stateMachine, {
      onLibraryEntry: (entry) => this.members.applied(entry, this.turn.awaitsSnapshot),
      onApplied: (index, term, result) => this.entryApplied(index, term, result),
      onDone: (message) => this.turn.guarded(() => this.batchApplied(message)),
      onFailure: (cause) => this.fail(cause),
    });
    this.snapshotter = new Snapshotter(storage, options.stateMachine, settings, platform, {
      onTaken: (index) => this.emit({ kind: "snapshot-taken", index }),
      askAgain: () => this.applier.between(() => this.considerSnapshot()),
    });
    this.snapshotTransfer = new SnapshotTransfer({
      raw: this.raw,
      storage,
      transport,
      logger: platform.logger,
      turn: () => this.turn,
      renew: () => this.applier.between(() => this.snapshotter.take(this.appliedState())),
      receive: (message) => this.receive([message], message.from),
    });
    this.turn = new Turn({
      raw: this.raw,
      clock: platform.clock,
      storage,
      transport,
      proposals: this.proposals,
      reads: this.reads,
      forwarding: this.forwarding,
      takesCommands: () => this.members.takesCommands,
      onEntries: (entries) => this.members.appended(entries),
      apply: (message) => this.applier.apply(message),
      restore: (message, done) => this.restore(message, done),
      sendSnapshot: (message) => this.snapshotTransfer.send(message),
      onLeaderChanged: () => this.leaderChanged(),
      appliedIndex: () => this.appliedIndex,
      confState: () => this.members.confState,
      observer: options.observer,
      onFailure: (cause) => this.fail(cause),
    });
    this.failover = new Failover(this.raw, platform.clock, platform.random, () => this.turn.schedule());
    this.ticker = new Ticker(platform.clock, settings.heartbeatMs, () => this.turn.guarded(() => this.tick()));
  }

  private newMembership(): Membership {
    const { options, settings, transport } = this.parts;
    return new Membership({
      raw: this.raw,
      transport,
      random: options.platform.random,
      members: this.members,
      deadlines: this.deadlines,
      electionTicks: settings.electionTicks,
      applied: () => this.appliedState(),
      schedule: () => this.turn.schedule(),
    });
  }

  private newMembershipCalls(): MembershipCalls {
    const { options, settings, storage, transport } = this.parts;
    return new MembershipCalls({
      raw: this.raw,
      transport,
      clock: options.platform.clock,
      clusterId: storage.identity.clusterId,
      heartbeatMs: settings.heartbeatMs,
      members: this.members,
      membership: this.membership,
      appliedIndex: () => this.appliedIndex,
      ended: () => this.takesNoCalls(),
    });
  }

  private newAdmission(): Admission {
    const { options, settings, storage, transport } = this.parts;
    return new Admission({
      raw: this.raw,
      storage,
      transport,
      members: this.members,
      logger: options.platform.logger,
      tickMs: settings.heartbeatMs,
      onAdmitted: () => this.turn.schedule(),
      onRefused: (error) => (error.code === "removed" ? this.leave() : this.fail(error)),
    });
  }

  get term(): number {
    return this.raw.term;
  }

  /** Who leads, as far as this member knows; 0 = none known. */
  get leader(): number {
    return this.ended === undefined ? this.raw.lead : 0;
  }

  async propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    this.checkTakesCalls();
    if (data.length > COMMAND_BYTES_MAX) {
      throw new BalsaError("too-large", `a command of ${data.length} bytes; the limit is ${COMMAND_BYTES_MAX}`);
    }
    // Copied: what the caller does with its buffer afterwards is its own affair.
    const command = encodeCommand({ kind: "application", payload: data });
    const applied = this.proposals.gather(command, this.ticksOf(options), options.signal);
    this.turn.schedule();
    return applied;
  }

  async read(options: CallOptions = {}): Promise<{ readonly index: number }> {
    this.checkTakesCalls();
    const read = this.reads.gather(this.ticksOf(options), options.signal);
    this.turn.schedule();
    return read;
  }

  status(): RaftNodeStatus {
    return raftNodeStatus(this.raw, this.parts.storage, this.appliedIndex, this.members.configuration, this.ended);
  }

  changeMembers(changes: readonly MemberChange[], options: ChangeOptions): Promise<ChangeApplied> {
    return this.membershipCalls.change(changes, options);
  }

  transferLeadership(to: number, options: CallOptions): Promise<void> {
    return this.membershipCalls.transfer(to, options);
  }

  strangerDials(id: number, address: string): void {
    if (this.members.isRemoved(id)) return;
    if (this.admission.isAdmitted) this.members.meet(id, address);
    else this.admission.meet(address);
  }

  isRemoved(id: number): boolean {
    return this.members.isSurelyRemoved(id);
  }

  /** Takes no more calls, answers those under way (`closed`), and lets go of directory and connections. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** Of a member that is open already: what goes wrong now is told as an event. */
  startLate(): void {
    this.turn.guarded(() => this.start());
  }

  start(): void {
    const { storage } = this.parts;
    this.parts.options.observer?.opened(recoveredState(storage));
    this.members.start(this.parts.provisional);
    storage.watchRoom((isFull) => this.roomChanged(isFull));
    storage.watchFailure((error) => this.fail(error));
    if (storage.isFull) this.roomChanged(true);
    this.ticker.start();
    this.turn.guarded(() => this.admission.tick());
    this.turn.schedule();
  }

  /** Why a call is refused at once, or undefined. */
  private takesNoCalls(): BalsaError | undefined {
    return this.ended ?? (this.departure.isOut ? wasRemoved() : undefined);
  }

  private checkTakesCalls(): void {
    const refusal = this.takesNoCalls();
    if (refusal !== undefined) throw refusal;
  }

  private ticksOf(options: CallOptions): number {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
    if (!(timeoutMs > 0)) throw new BalsaError("invalid-argument", `timeoutMs is ${timeoutMs}; it must be above 0`);
    return timeoutMs / this.parts.settings.heartbeatMs;
  }

  // What comes in.

  private tick(): void {
    this.deadlines.tick();
    this.reads.tick();
    this.admission.tick();
    if (!this.admission.isAdmitted) return;
    this.raw.tick();
    this.membership.tick();
    this.departure.tick();
    this.recordIncarnations();
    this.askAgain(this.parts.settings.electionTicks);
    this.turn.scheduleIfNeeded();
  }

  receive(messages: readonly PeerMessage[], from: number): void {
    if (!this.admission.isAdmitted || this.ended !== undefined) return;
    // As `guarded` does, without a closure each time: this is what comes most often.
    try {
      this.parts.options.observer?.received?.(messages);
      this.membership.heard(from);
      const counts = this.members.counts(from);
      for (const message of messages) {
        if (counts || message.type !== "append-response") this.raw.step(message);
      }
      this.turn.scheduleIfNeeded();
    } catch (cause) {
      this.fail(cause);
    }
  }

  receiveForward(from: number, requestId: number, commands: readonly Uint8Array[]): void {
    this.forwarding.receive({ from, requestId, commands });
    this.turn.schedule();
  }

  receiveAnswer(requestId: number, answer: Parameters<Forwarding["answered"]>[1]): void {
    this.turn.guarded(() => this.forwarding.answered(requestId, answer, this.appliedIndex));
  }

  /** A peer is about to send a snapshot. undefined: it need not. */
  offeredSnapshot(message: SnapshotMessage): Promise<SnapshotReceiver | undefined> {
    return this.snapshotTransfer.offered(message);
  }

  receiveSnapshot(message: SnapshotMessage): void {
    if (!this.turn.awaitsSnapshot) this.receive([message], message.from);
  }

  /** A member whose log is damaged asks for what it has lost. @throws BalsaError `corrupt`, `identity-mismatch` */
  async answerRepair(asker: Asker, body: Uint8Array): Promise<Uint8Array> {
    const known = this.members.find(asker.id);
    if (known === undefined || (known.incarnation !== 0 && known.incarnation !== asker.incarnation)) {
      throw new BalsaError("identity-mismatch", "the log is for members only");
    }
    const { raw, logger } = this;
    const { storage } = this.parts;
    const { configuration } = this.members;
    const applied = this.turn.awaitsSnapshot ? 0 : this.appliedIndex;
    const sendSnapshot = (message: SnapshotMessage): void => this.snapshotTransfer.send(message);
    const learnTerm = (from: number, term: number): void => {
      // What a member says to a leader of an earlier term, whatever that one sent it (core/step.ts).
      const place = { index: 0, rejected: false, hintIndex: 0, hintTerm: 0 };
      this.receive([{ type: "append-response", from, to: raw.id, term, ...place }], from);
    };
    return answerFromWhole({ raw, storage, configuration, applied, logger, sendSnapshot, learnTerm }, asker.id, body);
  }

  receiveRequest(asker: Asker, body: Uint8Array): Promise<Uint8Array> {
    return this.ended === undefined ? this.membershipCalls.answer(asker, body) : Promise.reject(this.ended);
  }

  /** A peer will have nothing to do with this member. */
  refused(by: number, code: RefusalCode): void {
    if (code === "incarnation") this.fail(knownOtherwise());
    else if (code !== "removed" && code !== "departed") return;
    else if (this.admission.isAdmitted) this.departure.told(code === "removed" ? by : 0);
    else this.admission.reconsider();
  }

  peerUp(): void {
    this.turn.guarded(() => this.recordIncarnations());
  }

  peerDown(id: number): void {
    this.turn.guarded(() => {
      this.raw.reportUnreachable(id);
      this.failover.peerDown(id, this.members.confState.voters);
      this.turn.schedule();
    });
  }

  // What is applied.

  private entryApplied(index: number, term: number, result: Uint8Array | undefined): void {
    invariant(index === this.appliedIndex + 1, "entries are applied in order, without gaps");
    this.appliedIndex = index;
    this.appliedTerm = term;
    this.parts.options.observer?.applied(index, term, "entry", this.members.confState);
    this.proposals.applied(index, term, result);
    this.membership.applied(index, term);
  }

  private batchApplied(message: StorageApply): void {
    this.turn.deliver(message.responses);
    this.reads.applied(this.appliedIndex);
    if (this.turn.awaitsSnapshot) return;
    this.considerSnapshot();
    this.recordIncarnations();
  }

  /** Not where the configuration that goes with this index is gone: then the coming snapshot's is in force. */
  private considerSnapshot(): void {
    if (!this.turn.awaitsSnapshot) this.snapshotter.consider(this.appliedState());
  }

  private appliedState(): AppliedState {
    return { index: this.appliedIndex, term: this.appliedTerm, configuration: this.members.configuration };
  }

  /** A leader sees to it that every member's incarnation is known to all. */
  private recordIncarnations(): void {
    if (this.raw.role !== "leader") return;
    const records = this.members.due();
    if (records.length === 0) return;
    this.raw.proposeBatch([encodeCommand({ kind: "library", payload: encodeIncarnations(records) })]);
    this.turn.schedule();
  }

  private restore(message: StorageAppend, done: () => void): void {
    const meta = message.snapshot?.meta;
    invariant(meta !== undefined, "a restore has a snapshot");
    this.applier.restore(async () => {
      const configuration = await restoreState(this.parts.storage, this.parts.options.stateMachine);
      this.members.restored(configuration, meta.index);
      this.appliedIndex = meta.index;
      this.appliedTerm = meta.term;
      this.parts.options.observer?.applied(meta.index, meta.term, "snapshot", configuration.confState);
      this.logger.log("info", "snapshot restored", { index: meta.index, term: meta.term });
      this.turn.guarded(() => {
        this.proposals.skippedTo(meta.index);
        this.membership.skippedTo(meta.index);
        done();
        this.reads.applied(this.appliedIndex);
      });
      this.emit({ kind: "snapshot-restored", index: meta.index });
    });
  }

  // Changes of state.

  private leaderChanged(): void {
    const { lead, term, role } = this.raw;
    this.askAgain(0);
    this.membership.leaderChanged();
    this.recordIncarnations();
    if (lead === this.lastLeader) return;
    this.lastLeader = lead;
    this.logger.log("info", lead === 0 ? "no leader" : "leader", { leader: lead, term, role });
    this.emit({ kind: "leader-changed", leader: lead, term });
  }

  /** Reads whose confirmation is overdue are asked for anew, with a fresh identity. */
  private askAgain(afterTicks: number): void {
    if (this.raw.lead === 0) return;
    for (const requestId of this.reads.retry(afterTicks)) {
      this.raw.readIndex(requestId);
      this.turn.schedule();
    }
  }

  /** Said once for each change; what it means for proposals is the turn's affair. */
  private roomChanged(isFull: boolean): void {
    if (this.ended !== undefined) return;
    if (!isFull) this.snapshotter.tryAgain();
    this.emit({ kind: isFull ? "disk-full" : "disk-has-room" });
  }

  private emit(event: RaftNodeEvent): void {
    this.parts.options.onEvent?.(event);
  }

  private fail(cause: unknown): void {
    const error = failureOf(cause);
    if (this.stop(error)) this.emit({ kind: "failed", error });
  }

  /** It was removed from the cluster. */
  private leave(): void {
    if (this.stop(wasRemoved())) this.emit({ kind: "removed" });
  }

  private stop(why: BalsaError): boolean {
    if (this.ended !== undefined) return false;
    const { code, message: reason, cause } = why;
    this.logger.log(code === "removed" ? "info" : "error", "member stopped for good", { code, reason, cause });
    this.end(why);
    this.parts.transport.close().catch((late: unknown) => this.logger.log("warn", "transport not closed", { late }));
    return true;
  }

  private end(error: BalsaError): void {
    this.ended = error;
    this.ticker.stop();
    this.failover.stop();
    this.turn.stop();
    this.applier.stop();
    this.snapshotter.stop();
    this.proposals.failAll(error.code, error.message);
    this.reads.failAll(error.code, error.message);
    this.membership.failAll(error.code, error.message);
  }

  private async shutDown(): Promise<void> {
    if (this.ended === undefined) this.end(new BalsaError("closed", "the member is closed"));
    await this.parts.transport.close();
    await this.parts.storage.close();
  }
}
