import type { BalsaErrorCode } from "../core/index.js";
import type { Timer } from "../platform/index.js";
import type { AcceptedLink, EstablishedHandlers } from "./accepted-link.js";
import { DialledLink } from "./dialled-link.js";
import type { Hello, RefusalCode, TransportIdentity } from "./hello.js";
import { EXCHANGES_MAX, LINGER_MS } from "./limits.js";
import type { PeerFrame } from "./peer-frame.js";
import { newContext, type TransportContext } from "./transport-context.js";

/** Asks on behalf of one that has no transport of its own yet. Resolves always. */
export function askMember(
  platform: TransportContext["platform"],
  self: TransportIdentity,
  to: Addressee,
  body: Uint8Array,
  timeoutMs: number,
): Promise<ExchangeOutcome> {
  return new Exchanges(newContext(platform, self, undefined)).ask(to, body, timeoutMs);
}

/** Whom a request is for. `id` 0: whoever listens there. */
export interface Addressee {
  readonly id: number;
  readonly address: string;
}

/** Who asks. `id` 0: one that is no member yet. */
export interface Asker {
  readonly id: number;
  readonly incarnation: number;
  readonly name: string;
}

export type ExchangeOutcome =
  /** `by`: the ID of whoever answers. */
  | { readonly kind: "answered"; readonly body: Uint8Array; readonly by: number }
  /** No answer. `sent`: the request may have been read. `refusal`: why the other side would not hear it. */
  | {
      readonly kind: "failed";
      readonly sent: boolean;
      readonly reason: string;
      readonly refusal: RefusalCode | undefined;
      readonly code: Extract<BalsaErrorCode, "timeout" | "closed" | "not-leader">;
    };

/**
 * Requests of the runtime's own: one request and its answer, on a connection of their own. For what is rare, and for
 * those who are no members yet.
 */
export class Exchanges {
  readonly #context: TransportContext;
  readonly #asking = new Set<Asking>();
  readonly #answering = new Set<Answering>();
  #closed = false;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  /** Resolves always: with the answer, or with why there is none. */
  ask(to: Addressee, body: Uint8Array, timeoutMs: number): Promise<ExchangeOutcome> {
    if (this.#closed) {
      return Promise.resolve({ kind: "failed", sent: false, reason: "closed", refusal: undefined, code: "closed" });
    }
    return new Promise((resolve) => {
      const asking: Asking = new Asking(this.#context, to, body, timeoutMs, (outcome) => {
        this.#asking.delete(asking);
        resolve(outcome);
      });
      this.#asking.add(asking);
    });
  }

  /** A connection on which somebody asks. */
  accept(
    accepted: AcceptedLink,
    hello: Hello,
    answer: (asker: Asker, body: Uint8Array) => Promise<Uint8Array>,
  ): EstablishedHandlers {
    const answering: Answering = new Answering(this.#context, accepted, hello, answer, () => {
      this.#answering.delete(answering);
    });
    if (this.#answering.size >= EXCHANGES_MAX) answering.close();
    else this.#answering.add(answering);
    return answering;
  }

  close(): void {
    this.#closed = true;
    for (const asking of this.#asking) asking.abort();
    for (const answering of this.#answering) answering.close();
    this.#answering.clear();
  }
}

/** The side that asks. */
class Asking {
  readonly #dialled: DialledLink;
  readonly #timer: Timer;
  readonly #done: (outcome: ExchangeOutcome) => void;
  #sent = false;
  #over = false;
  #by = 0;

  constructor(
    context: TransportContext,
    to: Addressee,
    body: Uint8Array,
    timeoutMs: number,
    done: (outcome: ExchangeOutcome) => void,
  ) {
    this.#done = done;
    this.#timer = context.platform.clock.setTimer(timeoutMs, () => this.#fail("timeout", "no answer in time"));
    this.#dialled = new DialledLink(context, { ...to, incarnation: 0 }, "request", {
      onAccepted: ({ memberId }) => {
        this.#sent = true;
        this.#by = memberId;
        this.#dialled.link.trust();
        this.#dialled.link.write({ kind: "request", body });
      },
      onFailed: (reason, refusal) => this.#fail("not-leader", reason, refusal),
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => {},
      onEnd: (reason) => this.#fail("not-leader", reason),
    });
  }

  abort(): void {
    this.#fail("closed", "closed here");
  }

  #receive(frame: PeerFrame): void {
    if (frame.kind === "answer") this.#end({ kind: "answered", body: frame.body, by: this.#by });
    else this.#fail("not-leader", `a ${frame.kind} frame instead of an answer`);
  }

  #fail(code: "timeout" | "closed" | "not-leader", reason: string, refusal?: RefusalCode): void {
    this.#end({ kind: "failed", sent: this.#sent, reason, refusal, code });
  }

  #end(outcome: ExchangeOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#dialled.close();
    this.#done(outcome);
  }
}

/** The side that is asked. */
class Answering implements EstablishedHandlers {
  readonly #context: TransportContext;
  readonly #accepted: AcceptedLink;
  readonly #asker: Asker;
  readonly #answer: (asker: Asker, body: Uint8Array) => Promise<Uint8Array>;
  readonly #done: () => void;
  #asked = false;
  #over = false;
  #linger: Timer | undefined;

  constructor(
    context: TransportContext,
    accepted: AcceptedLink,
    hello: Hello,
    answer: (asker: Asker, body: Uint8Array) => Promise<Uint8Array>,
    done: () => void,
  ) {
    this.#context = context;
    this.#accepted = accepted;
    this.#asker = { id: hello.from, incarnation: hello.incarnation, name: hello.name };
    this.#answer = answer;
    this.#done = done;
  }

  onFrame(frame: PeerFrame): void {
    if (frame.kind !== "request" || this.#asked) {
      this.#accepted.link.fail(`a ${frame.kind} frame on a connection for one request`);
      return;
    }
    this.#asked = true;
    this.#answer(this.#asker, frame.body).then(
      (body) => this.#write(body),
      (cause: unknown) => {
        if (!this.#over) this.#accepted.link.fail(cause instanceof Error ? cause.message : "the request failed");
      },
    );
  }

  onEnd(_reason: string): void {
    this.#end();
  }

  close(): void {
    this.#accepted.close();
    this.#end();
  }

  /** The other side closes when it has read it. */
  #write(body: Uint8Array): void {
    if (this.#over) return;
    this.#accepted.link.write({ kind: "answer", body });
    this.#linger = this.#context.platform.clock.setTimer(LINGER_MS, () => this.close());
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#linger?.cancel();
    this.#done();
  }
}
