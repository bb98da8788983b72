import { BalsaError } from "../core/index.js";
import { Transport, type TransportHandlers } from "../transport/index.js";
import type { CallOptions } from "./abort.js";
import { ActiveMember } from "./active-member.js";
import { openMember } from "./open-member.js";
import { GROUP } from "./open-storage.js";
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
  private readonly transport: Transport;
  private phase: Phase;

  /**
   * Opens the data directory (or makes it, given a bootstrap), restores the state machine, and takes part in the group.
   * If the log is damaged, and there are others, it resolves all the same: `status().repair` says what is being done,
   * and calls wait for the end of it.
   * @throws BalsaError `invalid-argument`, `locked`, `identity-mismatch`, `corrupt`, `address-in-use`, `storage-failed`
   */
  static async open(options: RaftNodeOptions): Promise<RaftNode> {
    const settings = checkOptions(options);
    const opened = await openMember(options, settings);
    const owner = opened.kind === "whole" ? opened.storage : opened.directory;
    try {
      let node: RaftNode | undefined;
      const { clusterId, memberId, incarnation } = owner.identity;
      const transport = await Transport.open({
        platform: options.platform,
        self: { clusterId, memberId, incarnation, group: GROUP, name: options.name },
        listen: options.listen,
        handlers: handlersOf(() => node?.phase),
      });
      const parts = { options, settings, transport };
      node = new RaftNode(
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

  private constructor(transport: Transport, phase: Phase) {
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
   * `not-leader` (the leader was lost on the way), `disk-full` (the leader's), `superseded`, `aborted`, `closed`, `storage-failed`
   */
  async propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    if (this.phase.kind === "active") return this.phase.member.propose(data, options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.propose(data, { ...options, timeoutMs: leftMs });
  }

  /**
   * Resolves once this member's state machine has applied all that was committed when the call was made: what is read
   * from it then is linearizable (thesis §6.4). Costs a round of heartbeats, shared by all reads of a turn; no write.
   * @throws BalsaError `timeout`, `overloaded`, `aborted`, `closed`, `storage-failed`
   */
  async read(options: CallOptions = {}): Promise<{ readonly index: number }> {
    if (this.phase.kind === "active") return this.phase.member.read(options);
    const { member, leftMs } = await this.phase.member.call(options);
    return member.read({ ...options, timeoutMs: leftMs });
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
        member.start();
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
    onMessages: (_from, messages) => active()?.receive(messages),
    onForward: (from, requestId, commands) => active()?.receiveForward(from, requestId, commands),
    onForwardAnswer: (_from, requestId, answer) => active()?.receiveAnswer(requestId, answer),
    openSnapshot: async (_from, message) => phase()?.member.offeredSnapshot(message),
    onSnapshot: (_from, message) => phase()?.member.receiveSnapshot(message),
    onRequest: async (asker, body) => {
      const now = phase();
      if (now === undefined || !isRepairRequest(body)) throw new BalsaError("closed", "not answered here");
      return now.member.answerRepair(asker, body);
    },
    onPeerUp: () => {},
    onPeerDown: (id) => active()?.peerDown(id),
  };
}
