import { Transport, type TransportHandlers } from "../transport/index.js";
import type { CallOptions } from "./abort.js";
import { ActiveMember, restoreState } from "./active-member.js";
import { GROUP, openStorage } from "./open-storage.js";
import { checkOptions, type RaftNodeOptions } from "./options.js";
import type { Applied } from "./proposals.js";
import type { RaftNodeStatus } from "./status.js";

/**
 * One member of a Raft group: a replicated log of the application's commands, in bytes.
 *
 * Open one on each of a cluster's machines with the same bootstrap; propose on any of them; read on any of them.
 */
export class RaftNode {
  private readonly transport: Transport;
  private readonly active: ActiveMember;

  /**
   * Opens the data directory (or makes it, given a bootstrap), restores the state machine, and takes part in the group.
   * @throws BalsaError `invalid-argument`, `locked`, `identity-mismatch`, `corrupt`, `address-in-use`, `storage-failed`
   */
  static async open(options: RaftNodeOptions): Promise<RaftNode> {
    const settings = checkOptions(options);
    const storage = await openStorage(options, settings);
    try {
      const members = await restoreState(storage, options.stateMachine);
      let active: ActiveMember | undefined;
      const { clusterId, memberId, incarnation } = storage.identity;
      const transport = await Transport.open({
        platform: options.platform,
        self: { clusterId, memberId, incarnation, group: GROUP, name: options.name },
        listen: options.listen,
        handlers: handlersOf(() => active),
      });
      active = new ActiveMember({ options, settings, storage, transport, members });
      active.start();
      return new RaftNode(transport, active);
    } catch (cause) {
      await storage.close();
      throw cause;
    }
  }

  private constructor(transport: Transport, active: ActiveMember) {
    this.transport = transport;
    this.active = active;
  }

  /** The peers' address in use, with the port that was given for port 0. */
  get address(): string {
    return this.transport.address;
  }

  get term(): number {
    return this.active.term;
  }

  /** Who leads, as far as this member knows; 0 = none known. */
  get leader(): number {
    return this.active.leader;
  }

  /**
   * Replicates a command and gives what this member's state machine answered when it applied it. With no leader known
   * it waits for one.
   * @throws BalsaError with `applied`: `not-applied` (surely) or `unknown`; codes `timeout`, `overloaded`, `too-large`,
   * `not-leader` (the leader was lost on the way), `disk-full` (the leader's), `superseded`, `aborted`, `closed`, `storage-failed`
   */
  async propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    return this.active.propose(data, options);
  }

  /**
   * Resolves once this member's state machine has applied all that was committed when the call was made: what is read
   * from it then is linearizable (thesis §6.4). Costs a round of heartbeats, shared by all reads of a turn; no write.
   * @throws BalsaError `timeout`, `overloaded`, `aborted`, `closed`, `storage-failed`
   */
  async read(options: CallOptions = {}): Promise<{ readonly index: number }> {
    return this.active.read(options);
  }

  status(): RaftNodeStatus {
    return this.active.status();
  }

  /** Takes no more calls, answers those under way (`closed`), and lets go of directory and address. */
  close(): Promise<void> {
    return this.active.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What arrives before the member takes part is lost, as on any network. */
function handlersOf(active: () => ActiveMember | undefined): TransportHandlers {
  return {
    onMessages: (_from, messages) => active()?.receive(messages),
    onForward: (from, requestId, commands) => active()?.receiveForward(from, requestId, commands),
    onForwardAnswer: (_from, requestId, answer) => active()?.receiveAnswer(requestId, answer),
    openSnapshot: async (_from, message) => active()?.snapshotTransfer.offered(message),
    onSnapshot: (_from, message) => active()?.receive([message]),
    onPeerUp: () => {},
    onPeerDown: (id) => active()?.peerDown(id),
  };
}
