import type { SnapshotMessage } from "../core/index.js";
import type { AcceptedLink, EstablishedHandlers } from "./accepted-link.js";
import { ByteBudget } from "./byte-budget.js";
import { SNAPSHOT_BURST_MS } from "./limits.js";
import { SnapshotReceiver, type SnapshotReceiverHandlers } from "./snapshot-receiver.js";
import { type SnapshotOutcome, SnapshotSender, type SnapshotSource } from "./snapshot-sender.js";
import type { TransportContext } from "./transport-context.js";

/** The snapshots on their way, at most one a peer in each direction. */
export class SnapshotStreams {
  readonly #context: TransportContext;
  readonly #senders = new Map<number, SnapshotSender>();
  readonly #receivers = new Map<number, SnapshotReceiver>();
  readonly #budget: ByteBudget;

  constructor(context: TransportContext) {
    const { platform, limits } = context;
    this.#context = context;
    this.#budget = new ByteBudget(platform.clock, limits.snapshotBytesPerS, SNAPSHOT_BURST_MS);
  }

  /** @param done called once, in a later turn */
  send(
    address: string | undefined,
    message: SnapshotMessage,
    source: SnapshotSource,
    done: (outcome: SnapshotOutcome) => void,
  ): void {
    const { to } = message;
    if (address === undefined || this.#senders.has(to)) {
      const reason = address === undefined ? "no such peer" : "another one is on its way";
      this.#context.platform.logger.log("warn", "snapshot not sent", { peer: to, reason });
      this.#context.platform.clock.nextTurn(() => done("failed"));
      return;
    }
    const sender = new SnapshotSender(this.#context, this.#budget, address, message, source, (outcome) => {
      this.#senders.delete(to);
      done(outcome);
    });
    this.#senders.set(to, sender);
  }

  /** A connection on which a peer offers one. It takes the place of an earlier one, which the peer must have given up. */
  accept(accepted: AcceptedLink, from: number, handlers: SnapshotReceiverHandlers): EstablishedHandlers {
    const earlier = this.#receivers.get(from);
    earlier?.close("the peer began another one");
    const before = earlier?.released ?? Promise.resolve();
    const receiver = new SnapshotReceiver(this.#context, accepted, from, before, handlers);
    this.#receivers.set(from, receiver);
    void receiver.released.then(() => {
      if (this.#receivers.get(from) === receiver) this.#receivers.delete(from);
    });
    return receiver;
  }

  /** Of that peer, in both directions. */
  abort(id: number, reason: string): void {
    this.#senders.get(id)?.abort(reason);
    this.#receivers.get(id)?.close(reason);
  }

  /**
   * The connection to the peer is lost. If its machine is, nobody says so on the stream's own connection, which may be silent
   * for a minute; what has arrived is not sent again.
   */
  lostTouch(id: number): void {
    this.#senders.get(id)?.abort("the connection to the peer is lost");
  }

  async close(): Promise<void> {
    for (const sender of this.#senders.values()) sender.abort("closing");
    const released: Promise<void>[] = [];
    for (const receiver of this.#receivers.values()) {
      receiver.close("closing");
      released.push(receiver.released);
    }
    await Promise.all(released);
  }
}
