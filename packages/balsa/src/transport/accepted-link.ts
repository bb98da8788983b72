import type { Connection, ConnectionHandlers, Timer } from "../platform/index.js";
import { answerHello, endsOf, type Hello, type Objection } from "./hello.js";
import { GREETING_TIMEOUT_MS, LINGER_MS } from "./limits.js";
import { Link } from "./link.js";
import type { PeerFrame } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

export interface AcceptedLinkHandlers {
  /** What is to be said against the sender of a hello that is right otherwise. */
  objection(hello: Hello): Objection | undefined;
  /** Hello and answer are through. What comes goes to the handlers that are given back. */
  onAccepted(link: AcceptedLink, hello: Hello): EstablishedHandlers;
  /** It did not come to that, and is over; the last call then. `hello`: what was refused, undefined if none came. */
  onFailed(link: AcceptedLink, reason: string, hello: Hello | undefined): void;
}

export interface EstablishedHandlers {
  onFrame(frame: PeerFrame): void;
  /** The last call. */
  onEnd(reason: string): void;
}

type State =
  | { readonly kind: "greeting"; readonly timer: Timer }
  /** The other side has the time to read why, and to close. */
  | { readonly kind: "refused"; readonly timer: Timer; readonly hello: Hello; readonly reason: string }
  | { readonly kind: "established"; readonly handlers: EstablishedHandlers }
  | { readonly kind: "ended" };

/** A link that the other side dialled: it is of use once its hello has come and was found right. */
export class AcceptedLink {
  readonly link: Link;
  /** For the network. */
  readonly wire: ConnectionHandlers;
  readonly #context: TransportContext;
  readonly #handlers: AcceptedLinkHandlers;
  #state: State;

  constructor(context: TransportContext, connection: Connection, handlers: AcceptedLinkHandlers) {
    this.#context = context;
    this.#handlers = handlers;
    const timer = context.platform.clock.setTimer(GREETING_TIMEOUT_MS, () =>
      this.link.fail(`no hello within ${GREETING_TIMEOUT_MS} ms`),
    );
    this.#state = { kind: "greeting", timer };
    const { link, wire } = Link.accept(context, connection, {
      onOpen: () => {},
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => {},
      onEnd: (reason) => this.#end(reason),
    });
    this.link = link;
    this.wire = wire;
  }

  /** Ends it without a further event. */
  close(): void {
    this.#leave({ kind: "ended" });
    this.link.close();
  }

  #receive(frame: PeerFrame): void {
    switch (this.#state.kind) {
      case "established":
        this.#state.handlers.onFrame(frame);
        return;
      case "greeting":
        if (frame.kind === "hello") this.#greet(frame);
        else this.link.fail(`a ${frame.kind} frame instead of a hello`);
        return;
      case "refused":
      case "ended":
        return;
      default:
        this.#state satisfies never;
    }
  }

  #greet(hello: Hello): void {
    const { self, spoken } = this.#context;
    const answer = answerHello(self, hello, (from) => this.#handlers.objection(from), spoken);
    this.link.write(answer);
    if (answer.kind === "hello-refused") {
      const timer = this.#context.platform.clock.setTimer(LINGER_MS, () => this.link.fail("refused"));
      this.#leave({ kind: "refused", timer, hello, reason: answer.reason });
      return;
    }
    this.link.trust();
    this.link.ends = endsOf(hello, answer.protocol);
    const handlers = this.#handlers.onAccepted(this, hello);
    // Whoever was told of it may have closed everything by now.
    if (this.#state.kind === "greeting") this.#leave({ kind: "established", handlers });
  }

  #end(reason: string): void {
    const state = this.#state;
    this.#leave({ kind: "ended" });
    switch (state.kind) {
      case "greeting":
        this.#handlers.onFailed(this, reason, undefined);
        return;
      case "refused":
        this.#handlers.onFailed(this, state.reason, state.hello);
        return;
      case "established":
        state.handlers.onEnd(reason);
        return;
      case "ended":
        return;
      default:
        state satisfies never;
    }
  }

  #leave(next: State): void {
    if (this.#state.kind === "greeting" || this.#state.kind === "refused") this.#state.timer.cancel();
    this.#state = next;
  }
}
