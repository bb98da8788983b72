import type { PeerMessage } from "../core/index.js";
import type { AcceptedLink, EstablishedHandlers } from "./accepted-link.js";
import type { Forward, ForwardAnswered } from "./forward.js";
import { FORWARDS_PENDING_MAX, SILENT_INTERVALS_MAX } from "./limits.js";
import { Liveness } from "./liveness.js";
import type { PeerFrame, Ping } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

export interface InboundHandlers {
  onMessages(messages: readonly PeerMessage[]): void;
  onForward(forward: Forward): void;
  onForwardAnswer(answer: ForwardAnswered): void;
  /** The last call. */
  onEnd(reason: string): void;
}

/** The connection that a peer dialled: it carries what the peer says. */
export class Inbound implements EstablishedHandlers {
  /** Of the peer, as its hello said. */
  readonly incarnation: number;
  readonly #context: TransportContext;
  readonly #accepted: AcceptedLink;
  readonly #from: number;
  readonly #handlers: InboundHandlers;
  readonly #liveness: Liveness;
  /** Forwards that are not answered yet. */
  #forwardsOpen = 0;

  constructor(
    context: TransportContext,
    accepted: AcceptedLink,
    peer: { readonly from: number; readonly incarnation: number },
    handlers: InboundHandlers,
  ) {
    this.#context = context;
    this.#accepted = accepted;
    this.#from = peer.from;
    this.incarnation = peer.incarnation;
    this.#handlers = handlers;
    // The peer pings every other interval at least.
    this.#liveness = new Liveness(context.pulse, accepted.link, SILENT_INTERVALS_MAX);
  }

  onFrame(frame: PeerFrame): void {
    const { link } = this.#accepted;
    switch (frame.kind) {
      case "messages":
        this.#receive(frame.messages);
        return;
      case "ping":
        this.writeAnswer({ kind: "pong", sequence: frame.sequence });
        return;
      case "forward":
        // The peer may have lost some of which the owner here has not heard.
        if (++this.#forwardsOpen > 2 * FORWARDS_PENDING_MAX) link.fail("more forwards than the limit");
        else this.#handlers.onForward(frame);
        return;
      case "forward-answer":
        this.#handlers.onForwardAnswer(frame);
        return;
      default:
        link.fail(`a ${frame.kind} frame on a connection for messages`);
    }
  }

  onEnd(reason: string): void {
    this.#liveness.stop();
    this.#handlers.onEnd(reason);
  }

  /** One of its forwards is answered, whichever way the answer goes. */
  forwardAnswered(): void {
    this.#forwardsOpen = Math.max(0, this.#forwardsOpen - 1);
  }

  /** Back on this connection: a pong, or a forward's answer while the connection that should carry it is down. */
  writeAnswer(frame: Ping | ForwardAnswered): void {
    const { link } = this.#accepted;
    if (link.queuedBytes < this.#context.limits.queuedBytesHigh) link.write(frame);
    else link.fail("it does not read the answers to what it asks");
  }

  /** Ends it without a further event. */
  close(): void {
    this.#liveness.stop();
    this.#accepted.close();
  }

  #receive(messages: readonly PeerMessage[]): void {
    const { counters, self } = this.#context;
    for (const { type, from, to } of messages) {
      // A read-index of somebody who took the peer for the leader is passed on as it came.
      const isWelcome = from === this.#from ? type !== "snapshot" : type === "read-index";
      if (!isWelcome || to !== self.memberId) {
        this.#accepted.link.fail("a message that does not belong on this connection");
        return;
      }
    }
    counters.messagesReceived += messages.length;
    this.#handlers.onMessages(messages);
  }
}
