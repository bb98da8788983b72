import type { PeerMessage } from "../core/index.js";
import type { AcceptedLink, EstablishedHandlers } from "./accepted-link.js";
import type { Forward, ForwardAnswered } from "./forward.js";
import { SILENT_INTERVALS_MAX } from "./limits.js";
import { Liveness } from "./liveness.js";
import type { PeerFrame } from "./peer-frame.js";
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
  readonly #context: TransportContext;
  readonly #accepted: AcceptedLink;
  readonly #from: number;
  readonly #handlers: InboundHandlers;
  readonly #liveness: Liveness;

  constructor(context: TransportContext, accepted: AcceptedLink, from: number, handlers: InboundHandlers) {
    this.#context = context;
    this.#accepted = accepted;
    this.#from = from;
    this.#handlers = handlers;
    // The peer pings once an interval.
    this.#liveness = new Liveness(context.platform.clock, accepted.link, SILENT_INTERVALS_MAX);
  }

  onFrame(frame: PeerFrame): void {
    const { link } = this.#accepted;
    switch (frame.kind) {
      case "messages":
        this.#receive(frame.messages);
        return;
      case "ping":
        link.write({ kind: "pong", sequence: frame.sequence });
        return;
      case "forward":
        this.#handlers.onForward(frame);
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

  /** Where the connection that would carry an answer in its place is down: on this one, which has no order to keep. */
  writeForwardAnswer(answer: ForwardAnswered): void {
    this.#accepted.link.write(answer);
  }

  /** Ends it without a further event. */
  close(): void {
    this.#liveness.stop();
    this.#accepted.close();
  }

  #receive(messages: readonly PeerMessage[]): void {
    const { counters, self } = this.#context;
    for (const { type, from, to } of messages) {
      if (from !== this.#from || to !== self.memberId || type === "snapshot") {
        this.#accepted.link.fail("a message that does not belong on this connection");
        return;
      }
    }
    counters.messagesReceived += messages.length;
    this.#handlers.onMessages(messages);
  }
}
