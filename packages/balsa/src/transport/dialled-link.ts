import type { Timer } from "../platform/index.js";
import {
  checkAccepted,
  endsOf,
  type Hello,
  type HelloAccepted,
  helloOf,
  type Purpose,
  type RefusalCode,
} from "./hello.js";
import { GREETING_TIMEOUT_MS } from "./limits.js";
import { Link } from "./link.js";
import type { PeerFrame } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

export interface DialledLinkHandlers {
  /** The other side took the hello. */
  onAccepted(answer: HelloAccepted): void;
  /** It did not come to that; the last call then. `refusal`: the other side's, if it refused. */
  onFailed(reason: string, refusal: RefusalCode | undefined): void;
  onFrame(frame: PeerFrame): void;
  onDrain(): void;
  /** It was lost after it had been accepted; the last call then. */
  onEnd(reason: string): void;
}

/** Who is dialled. */
export interface Callee {
  readonly id: number;
  readonly address: string;
  /** Of the member that must answer, when it answers; 0 = any. */
  readonly incarnation: number;
}

type State =
  | { readonly kind: "greeting"; readonly timer: Timer }
  | { readonly kind: "accepted" }
  | { readonly kind: "ended" };

/** A link that this side dials: it says hello, and is of use once the hello is answered. */
export class DialledLink {
  readonly link: Link;
  readonly #hello: Hello;
  readonly #to: Callee;
  readonly #handlers: DialledLinkHandlers;
  #state: State;

  constructor(context: TransportContext, to: Callee, purpose: Purpose, handlers: DialledLinkHandlers) {
    this.#hello = helloOf(context.self, to.id, purpose, context.spoken);
    this.#to = to;
    this.#handlers = handlers;
    const timer = context.platform.clock.setTimer(GREETING_TIMEOUT_MS, () =>
      this.link.fail(`no answer within ${GREETING_TIMEOUT_MS} ms`),
    );
    this.#state = { kind: "greeting", timer };
    this.link = Link.dial(context, to.address, {
      onOpen: () => this.link.write(this.#hello),
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => this.#handlers.onDrain(),
      onEnd: (reason) => this.#end(reason, undefined),
    });
  }

  /** Ends it without a further event. */
  close(): void {
    this.#leave({ kind: "ended" });
    this.link.close();
  }

  #receive(frame: PeerFrame): void {
    if (this.#state.kind === "accepted") {
      this.#handlers.onFrame(frame);
      return;
    }
    switch (frame.kind) {
      case "hello-accepted": {
        const objection = checkAccepted(this.#hello, frame, this.#to.incarnation);
        if (objection !== undefined) this.#refuse(objection, "other");
        else {
          this.link.ends = endsOf(this.#hello, frame.protocol);
          this.#leave({ kind: "accepted" });
          this.#handlers.onAccepted(frame);
        }
        return;
      }
      case "hello-refused":
        this.#refuse(frame.reason, frame.code);
        return;
      default:
        this.link.fail(`a ${frame.kind} frame instead of an answer to the hello`);
    }
  }

  #refuse(reason: string, refusal: RefusalCode): void {
    this.link.close();
    this.#end(reason, refusal);
  }

  #end(reason: string, refusal: RefusalCode | undefined): void {
    const { kind } = this.#state;
    this.#leave({ kind: "ended" });
    if (kind === "greeting") this.#handlers.onFailed(reason, refusal);
    else if (kind === "accepted") this.#handlers.onEnd(reason);
  }

  #leave(next: State): void {
    if (this.#state.kind === "greeting") this.#state.timer.cancel();
    this.#state = next;
  }
}
