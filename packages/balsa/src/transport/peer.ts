import { ENTRY_HEADER_BYTES } from "../codec/index.js";
import type { PeerMessage } from "../core/index.js";
import type { Timer } from "../platform/index.js";
import { DialledLink } from "./dialled-link.js";
import type { ForwardAnswer, ForwardAnswered } from "./forward.js";
import type { HelloAccepted, RefusalCode } from "./hello.js";
import {
  BACKOFF_DOUBLINGS_MAX,
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  FORWARD_BYTES_MAX,
  FORWARD_COMMANDS_MAX,
  FORWARDS_PENDING_MAX,
  MESSAGE_BYTES_MAX,
  SILENT_INTERVALS_MAX,
  STABLE_MS,
} from "./limits.js";
import { Liveness } from "./liveness.js";
import { messageBytes, Outbox } from "./outbox.js";
import type { PeerFrame } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

export interface PeerHandlers {
  onConnected(): void;
  onDisconnected(reason: string): void;
  /** The other side would not have the connection; it will be dialled again. */
  onRefused(code: RefusalCode, reason: string): void;
  /** The process at the other end answered `probe`. */
  onAlive(): void;
  onForwardAnswer(requestId: number, answer: ForwardAnswer | { readonly kind: "lost" }): void;
}

type State =
  /** Not before the timer. What is sent is dropped: it would be stale. */
  | { readonly kind: "waiting"; readonly timer: Timer }
  /** Or connected, and the hello not answered. What is sent waits. */
  | { readonly kind: "dialling"; readonly dialled: DialledLink }
  | {
      readonly kind: "connected";
      readonly dialled: DialledLink;
      readonly liveness: Liveness;
      readonly sinceMs: number;
      readonly answer: HelloAccepted;
    }
  | { readonly kind: "closed" };

/** The connection to one peer: it carries what this member says, and is dialled again whenever it is lost. */
export class Peer {
  readonly id: number;
  readonly address: string;
  /** The one that is let in; 0 = any. */
  incarnation: number;
  /** For the transport: something was queued since the last flush. */
  awaitsFlush = false;
  readonly #context: TransportContext;
  readonly #handlers: PeerHandlers;
  readonly #outbox: Outbox;
  readonly #forwards = new Set<number>();
  #state: State;
  /** Dials in a row that led to no stable connection. */
  #attempts = 0;
  /** What was logged about failing, since it was last connected: once each, however often it is tried. */
  readonly #logged = new Set<"unreachable" | "refused">();
  /** Of the last ping, and of the ping whose pong is waited for; 0 = none. */
  #pings = 0;
  #probe = 0;

  constructor(
    context: TransportContext,
    { id, address, incarnation }: { readonly id: number; readonly address: string; readonly incarnation: number },
    handlers: PeerHandlers,
  ) {
    this.#context = context;
    this.id = id;
    this.address = address;
    this.incarnation = incarnation;
    this.#handlers = handlers;
    this.#outbox = new Outbox(context.limits.outboxBytes);
    this.#state = this.#dial();
  }

  get isConnected(): boolean {
    return this.#state.kind === "connected";
  }

  /** What the other side said about itself; undefined while not connected. */
  get answer(): HelloAccepted | undefined {
    return this.#state.kind === "connected" ? this.#state.answer : undefined;
  }

  /** Queues. */
  send(message: PeerMessage): void {
    const { kind } = this.#state;
    const { counters, throttledLog } = this.#context;
    const bytes = messageBytes(message);
    if (bytes > MESSAGE_BYTES_MAX) {
      throttledLog.log("error", `too-large ${this.id}`, "message not sent: it is over the limits of a frame", {
        peer: this.id,
        type: message.type,
      });
      counters.messagesDropped++;
    } else if (kind === "dialling" || kind === "connected") {
      counters.messagesDropped += this.#outbox.pushMessage(message, bytes);
    } else {
      counters.messagesDropped++;
    }
  }

  /** Queues. Returns false if it can't be sent now. */
  forward(requestId: number, commands: readonly Uint8Array[]): boolean {
    if (this.#state.kind !== "connected" || this.#forwards.size >= FORWARDS_PENDING_MAX) return false;
    let bytes = ENTRY_HEADER_BYTES;
    for (const command of commands) bytes += command.length + 8;
    if (bytes > FORWARD_BYTES_MAX || commands.length > FORWARD_COMMANDS_MAX) return false;
    if (!this.#outbox.pushForward({ kind: "forward", requestId, commands }, bytes)) return false;
    this.#forwards.add(requestId);
    return true;
  }

  /** Queues, behind what was sent before and before what is sent after. Returns false if it can't be sent now. */
  answerForward(frame: ForwardAnswered): boolean {
    if (this.#state.kind !== "connected") return false;
    this.#outbox.pushForwardAnswer(frame);
    return true;
  }

  /** An answer has come, on whichever connection. */
  forwardAnswered({ requestId, answer }: ForwardAnswered): void {
    if (this.#forwards.delete(requestId)) this.#handlers.onForwardAnswer(requestId, answer);
  }

  /** No answer will come to what has been forwarded so far, or it can't be told from one that won't. */
  loseForwards(): void {
    const lost = [...this.#forwards];
    this.#forwards.clear();
    for (const requestId of lost) this.#handlers.onForwardAnswer(requestId, { kind: "lost" });
  }

  /** Writes what has been queued, as long as the connection takes it; the rest when it has drained. */
  flush(): void {
    if (this.#state.kind !== "connected") return;
    const { link } = this.#state.dialled;
    const { writer, self, counters, limits } = this.#context;
    while (!this.#outbox.isEmpty && link.queuedBytes < limits.queuedBytesHigh) {
      link.writeEncoded(this.#outbox.encode(writer, self.group, link.ends, counters));
    }
  }

  /** Asks whether the process at the other end is still there: `onAlive` once it has answered. */
  probe(): void {
    if (this.#state.kind !== "connected") return;
    this.#ping();
    this.#probe = this.#pings;
  }

  /** There is reason to believe that it can be reached: dials now, if it was waiting to. */
  wake(): void {
    if (this.#state.kind === "waiting") this.#enter(this.#dial());
  }

  /** For good, and without a further event. */
  close(): void {
    this.#enter({ kind: "closed" });
    this.#forwards.clear();
  }

  /** The one place where the state changes: ends what belongs to the old one. */
  #enter(next: State): void {
    const state = this.#state;
    this.#state = next;
    switch (state.kind) {
      case "waiting":
        state.timer.cancel();
        return;
      case "dialling":
        if (next.kind !== "connected") state.dialled.close();
        return;
      case "connected":
        state.liveness.stop();
        state.dialled.close();
        return;
      case "closed":
        return;
      default:
        state satisfies never;
    }
  }

  #dial(): State {
    const dialled = new DialledLink(this.#context, this, "messages", {
      onAccepted: (answer) => this.#connected(dialled, answer),
      onFailed: (reason, refusal) => this.#failed(reason, refusal),
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => this.flush(),
      onEnd: (reason) => this.#lost(reason),
    });
    return { kind: "dialling", dialled };
  }

  #connected(dialled: DialledLink, answer: HelloAccepted): void {
    const { platform, pulse } = this.#context;
    const liveness = new Liveness(pulse, dialled.link, SILENT_INTERVALS_MAX, () => this.#ping());
    this.#enter({ kind: "connected", dialled, liveness, sinceMs: platform.clock.now(), answer });
    this.#logged.clear();
    this.#log("info", "peer connected", { name: answer.name });
    this.#handlers.onConnected();
    this.flush();
  }

  #failed(reason: string, refusal: RefusalCode | undefined): void {
    const how = refusal === undefined ? "unreachable" : "refused";
    if (!this.#logged.has(how)) {
      this.#logged.add(how);
      this.#log("warn", refusal === undefined ? "peer can't be reached" : "peer refuses the connection", { reason });
    }
    this.#wait();
    if (refusal !== undefined) this.#handlers.onRefused(refusal, reason);
  }

  #lost(reason: string): void {
    if (this.#state.kind !== "connected") return;
    if (this.#context.platform.clock.now() - this.#state.sinceMs >= STABLE_MS) this.#attempts = 0;
    this.#log("warn", "peer disconnected", { reason });
    this.#wait();
    this.loseForwards();
    this.#handlers.onDisconnected(reason);
  }

  #wait(): void {
    const { clock, random } = this.#context.platform;
    const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS << Math.min(this.#attempts, BACKOFF_DOUBLINGS_MAX));
    this.#attempts++;
    this.#context.counters.messagesDropped += this.#outbox.clear();
    this.#probe = 0;
    // Half of it by lot, so that members that lost each other do not meet in step.
    const halfMs = fullMs >>> 1;
    const delayMs = halfMs + random.below(halfMs + 1);
    this.#enter({ kind: "waiting", timer: clock.setTimer(delayMs, () => this.#enter(this.#dial())) });
  }

  #ping(): void {
    if (this.#state.kind === "connected") this.#state.dialled.link.write({ kind: "ping", sequence: ++this.#pings });
  }

  #receive(frame: PeerFrame): void {
    if (this.#state.kind !== "connected") return;
    switch (frame.kind) {
      case "pong":
        if (this.#probe === 0 || frame.sequence < this.#probe) return;
        this.#probe = 0;
        this.#handlers.onAlive();
        return;
      case "forward-answer":
        this.forwardAnswered(frame);
        return;
      default:
        this.#state.dialled.link.fail(`a ${frame.kind} frame on a connection that only carries answers`);
    }
  }

  #log(level: "info" | "warn", message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#context.platform.logger.log(level, message, { peer: this.id, address: this.address, ...fields });
  }
}
