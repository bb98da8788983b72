import { isMember, type RawNode, type SnapshotMessage } from "../core/index.js";
import type { Logger } from "../platform/index.js";
import type { DiskStorage, SnapshotReceiver } from "../storage/index.js";
import type { Transport } from "../transport/index.js";
import type { Turn } from "./turn.js";

export interface SnapshotTransferParts {
  readonly raw: RawNode;
  readonly storage: DiskStorage;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly turn: () => Turn;
  /** Sees to it that there is a newer snapshot than the current one soon. */
  readonly renew: () => void;
  /** Brings a message into the core. */
  readonly receive: (message: SnapshotMessage) => void;
}

/** Snapshots from and to other members, as the core asks for them. */
export class SnapshotTransfer {
  private readonly parts: SnapshotTransferParts;

  constructor(parts: SnapshotTransferParts) {
    this.parts = parts;
  }

  /** A peer is about to send a snapshot. undefined: it need not. */
  async offered(message: SnapshotMessage): Promise<SnapshotReceiver | undefined> {
    const { meta } = message.snapshot;
    // One at a time: the state machine may take long to be brought to it. Whoever sends this one tries again.
    if (this.parts.turn().awaitsSnapshot) return undefined;
    if (meta.index > this.parts.raw.commit) return this.parts.storage.receiveSnapshot(meta);
    // The leader takes this member to be further behind than it is: acknowledgements were lost. Its content is not
    // needed for the answer, which is the commit index; without it the leader would offer this snapshot for ever.
    this.parts.receive(message);
    return undefined;
  }

  send(message: SnapshotMessage): void {
    const { storage, transport, logger } = this.parts;
    const { meta } = message.snapshot;
    if (!isMember(meta.confState, message.to)) {
      // Of before it was a member: it would not take it, and the core would go on offering it.
      logger.log("info", "snapshot not sent: the member is newer; another one is made", { to: message.to });
      this.parts.renew();
      this.report(message.to, "failed");
      return;
    }
    storage.openSnapshot(meta).then(
      (reader) =>
        transport.sendSnapshot(message, reader, (outcome) => {
          this.report(message.to, outcome);
          reader.close().catch((cause: unknown) => logger.log("warn", "snapshot file not closed", { cause }));
        }),
      (cause: unknown) => {
        logger.log("warn", "snapshot not sent: it can't be opened", { to: message.to, cause });
        this.report(message.to, "failed");
      },
    );
  }

  private report(to: number, outcome: "delivered" | "failed"): void {
    const turn = this.parts.turn();
    turn.guarded(() => {
      this.parts.raw.reportSnapshot(to, outcome === "delivered" ? "success" : "failure");
      turn.schedule();
    });
  }
}
