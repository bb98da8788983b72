import { requireBytes } from "../codec/index.js";
import { BalsaError } from "../core/index.js";
import type { Clock } from "../platform/index.js";
import { PROTOCOL_MAX, PROTOCOL_MIN, Transport, type TransportHandlers } from "../transport/index.js";
import type { CallOptions } from "./abort.js";
import { ActiveMember } from "./active-member.js";
import { GROUP } from "./first-snapshot.js";
import { type MemberChange, requireChanges, requireMemberId } from "./member-change.js";
import type { ChangeApplied } from "./membership.js";
import type { ChangeOptions } from "./membership-calls.js";
import { openMember } from "./open-member.js";
import { checkOptions, type RaftNodeOptions } from "./options.js";
import type { Applied } from "./proposals.js";
import { isRepairRequest } from "./repair-requests.js";
import { RepairingMember } from "./repairing-member.js";
import type { RaftNodeStatus } from "./status.js";

type Phase =
  | { readonly kind: "active"; readonly member: ActiveMember }
  | { readonly kind: "repairing"; readonly member: RepairingMember };

/**
 * One member of a Raft group: a replicated log of the application's commands, in bytes.
 *
 * Open one on each of a cluster's machines with the same bootstrap; propose on any of them; read on any of them.
 */
export class RaftNode {
  /** The platform's: by it the time for a call is measured. */
  readonly clock: Clock;
  private readonly transport: Transport;
  private phase: Phase;

  /**
   * Opens the data directory (or makes it, for a new cluster or one that it joins), restores the state machine, and takes
   * part in the group. With `join` it resolves once the cluster has taken this member in.
   * If the log is damaged, and there are others, it resolves all the same: `status().repair` says what is being done,
   * and calls wait for the end of it. One that joined, and of which no snapshot is sound, asks first who the members are.
   * @throws BalsaError `invalid-argument`, `locked`, `identity-mismatch`, `corrupt`, `address-in-use`, `storage-failed`,
   * `state-machine-failed`, `removed`; with `join` also `timeout`, `membership-refused`
   */
  static async open(options: RaftNodeOptions): Promise<RaftNode> {
    const settings = checkOptions(options);
    const opened = await openMember(options, settings);
    const owner = opened.kind === "whole" ? opened.storage : opened.directory;
    try {
      let node: RaftNode | undefined;
      const { clusterId, memberId, incarnation } = owner.identity;
      const known = opened.kind === "whole" ? [...opened.provisional, ...opened.configuration.members] : [];
      const address = known.findLast(({ id }) => id === memberId)?.address ?? options.listen;
      const transport = await Transport.open({
        platform: options.platform,
        self: { clusterId, memberId, incarnation, group: GROUP, name: options.name, address },
        listen: options.listen,
        limits: { snapshotBytesPerS: settings.snapshotBytesPerSecond },
        spoken: { min: PROTOCOL_MIN, max: options.formats?.protocol ?? PROTOCOL_MAX },
        handlers: handlersOf(() => node?.phase),
      });
      const parts = { options, settings, transport };
      node = new RaftNode(
        options.platform.clock,
        transport,
        opened.kind === "whole"
          ? { kind: "active", member: new ActiveMember({ ...parts, ...opened }) }
          : { kind: "repairing", member: new RepairingMember({ ...parts, ...opened }) },
      );
      node.start();
      return node;
    } catch (cause) {
      await owner.close();
      throw cause;
    }
  }

  private constructor(clock: Clock, transport: Transport, phase: Phase) {
    this.clock = clock;
    this.transport = transport;
    this.phase = phase;
  }

  /** The peers' address in use, with the port that was given for port 0. */
  get address(): string {
    return this.transport.address;
  }

  get term(): number {
    return this.phase.member.term;
  }

  /** Who leads, as far as this member knows; 0 = none known. */
  get leader(): number {
    return this.phase.kind === "active" ? this.phase.member.leader : 0;
  }

  /**
   * Replicates a command and gives what this member's state machine answered when it applied it. With no leader known
   * it waits for one.
   * @throws BalsaError with `applied`: `not-applied` (surely) or `unknown`; codes `timeout`, `overloaded`, `too-large`,
   * `not-leader` (the leader was lost on the way), `disk-full` (the leader's), `superseded`, `aborted`, `closed`,
   * `storage-failed`, `state-machine-failed`, `invalid-argument` (no bytes)
   */
  async propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    requireBytes(data);
    if (this.phase.kind === "active") return this.phase.member.propose(data, options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.propose(data, { ...options, timeoutMs: leftMs });
  }

  /**
   * Resolves once this member's state machine has applied all that was committed when the call was made: what is read
   * from it then is linearizable (thesis §6.4). Costs a round of heartbeats, shared by all reads of a turn; no write.
   * @throws BalsaError `timeout`, `overloaded`, `aborted`, `closed`, `storage-failed`, `state-machine-failed`
   */
  async read(options: CallOptions = {}): Promise<{ readonly index: number }> {
    if (this.phase.kind === "active") return this.phase.member.read(options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.read({ ...options, timeoutMs: leftMs });
  }

  // Membership. Each of these may be called on any member, and resolves when the change is applied; with several at once
  // the cluster passes through a joint configuration (thesis §4.3).
  //
  // They throw BalsaError `membership-refused` (with `refusal`; nothing has changed), `timeout`, `not-leader`,
  // `superseded`, `invalid-argument`, `aborted`, `closed`; `applied` says whether the change can have been made.

  /** A new member, which receives the log and does not vote. Its process is then opened with `cluster: { join }`. */
  async addLearner(
    member: { readonly name: string; readonly address: string; readonly promote?: boolean | undefined },
    options: ChangeOptions = {},
  ): Promise<ChangeApplied & { readonly id: number }> {
    const applied = await this.changeMembers([{ ...member, kind: "add-learner" }], options);
    return { ...applied, id: applied.added[0] ?? 0 };
  }

  /** A learner that has caught up becomes a voter. */
  promoteMember(id: number, options: ChangeOptions = {}): Promise<ChangeApplied> {
    return this.changeMembers([{ kind: "promote", id }], options);
  }

  /** A voter becomes a learner. */
  demoteMember(id: number, options: ChangeOptions = {}): Promise<ChangeApplied> {
    return this.changeMembers([{ kind: "demote", id }], options);
  }

  /**
   * For good. A leader that is removed hands over first. Whoever is removed is told so and stops; one that was away finds it
   * out from any member at the addresses that it knows. Where none is left there it asks for votes in vain until it is ended.
   * Once it resolves nobody needs the removed one any more, even if the leader is lost (unless with `force`, or where the leader
   * removed itself without having handed over). `unknown`, code `not-leader`: made, and another member leads before that is sure.
   */
  removeMember(id: number, options: ChangeOptions = {}): Promise<ChangeApplied> {
    return this.changeMembers([{ kind: "remove", id }], options);
  }

  /** The member is reached elsewhere from now on. */
  updateMember(id: number, address: string, options: ChangeOptions = {}): Promise<ChangeApplied> {
    return this.changeMembers([{ kind: "update", id, address }], options);
  }

  async changeMembers(changes: readonly MemberChange[], options: ChangeOptions = {}): Promise<ChangeApplied> {
    requireChanges(changes);
    if (this.phase.kind === "active") return this.phase.member.changeMembers(changes, options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.changeMembers(changes, { ...options, timeoutMs: leftMs });
  }

  /** This member leaves the cluster, and stops. */
  async leave(options: ChangeOptions = {}): Promise<void> {
    await this.removeMember(this.status().memberId, options);
  }

  /**
   * Another voter is to lead: `to`, or else the one whose log is furthest. Resolves once it does.
   * @throws BalsaError `membership-refused`; `not-leader`: who leads is as it was, or another again; `timeout`, `aborted`: it
   * may come about yet, within an election timeout, and until then proposals wait
   */
  async transferLeadership(to = 0, options: CallOptions = {}): Promise<void> {
    if (to !== 0) requireMemberId(to);
    if (this.phase.kind === "active") return this.phase.member.transferLeadership(to, options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.transferLeadership(to, { ...options, timeoutMs: leftMs });
  }

  status(): RaftNodeStatus {
    return this.phase.member.status();
  }

  /** Takes no more calls, answers those under way (`closed`), and lets go of directory and address. */
  async close(): Promise<void> {
    await this.phase.member.close();
    await this.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private start(): void {
    const { phase } = this;
    if (phase.kind === "active") {
      phase.member.start();
      return;
    }
    phase.member.repaired().then(
      (member) => {
        this.phase = { kind: "active", member };
        member.startLate();
      },
      // Told by event, and to everybody who calls.
      () => {},
    );
  }
}

/** What arrives for a member that takes no part, or not yet, is lost, as on any network. */
function handlersOf(phase: () => Phase | undefined): TransportHandlers {
  const active = (): ActiveMember | undefined => {
    const now = phase();
    return now?.kind === "active" ? now.member : undefined;
  };
  return {
    onMessages: (from, messages) => active()?.receive(messages, from),
    onForward: (from, requestId, commands) => active()?.receiveForward(from, requestId, commands),
    onForwardAnswer: (_from, requestId, answer) => active()?.receiveAnswer(requestId, answer),
    openSnapshot: async (_from, message) => phase()?.member.offeredSnapshot(message),
    onSnapshot: (_from, message) => phase()?.member.receiveSnapshot(message),
    onRequest: async (asker, body) => {
      const now = phase();
      if (now !== undefined && isRepairRequest(body)) return now.member.answerRepair(asker, body);
      if (now?.kind !== "active") throw new BalsaError("closed", "not answered here");
      return now.member.receiveRequest(asker, body);
    },
    onStranger: (id, address) => active()?.strangerDials(id, address),
    isRemoved: (id) => active()?.isRemoved(id) ?? false,
    onRefused: (id, code, reason) => phase()?.member.refused(id, code, reason),
    onPeerUp: () => active()?.peerUp(),
    onPeerDown: (id) => active()?.peerDown(id),
  };
}
