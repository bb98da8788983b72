import type { CloseReason, Connection, ConnectionHandlers } from "../platform/index.js";
import { type Channel, Parcel, type Receiver, type Sender } from "./channel.js";
import { DIAL_TIMEOUT_MS, SOCKET_BUFFER_BYTES } from "./limits.js";
import type { SimEvent } from "./sim-event.js";
import type { SimProcess } from "./sim-process.js";
import type { Wire } from "./wire.js";

function joined(buffers: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}

/** One end of a connection. */
export class SimConnection implements Connection, Receiver, Sender {
  readonly process: SimProcess;
  readonly remoteAddress: string;
  readonly peerIdentity: undefined;
  readonly #wire: Wire;
  readonly #incoming: Channel;
  readonly #outgoing: Channel;
  #handlers: ConnectionHandlers | undefined;
  #open: boolean;
  #closed = false;
  #paused = false;
  /** Arrived while paused. */
  #held: Parcel[] = [];
  #drainIsOwed = false;
  #dialTimeout: SimEvent | undefined;

  /** `isOpen`: an accepted one. */
  constructor(
    wire: Wire,
    process: SimProcess,
    remoteAddress: string,
    channels: { readonly incoming: Channel; readonly outgoing: Channel },
    isOpen: boolean,
  ) {
    this.#wire = wire;
    this.process = process;
    this.remoteAddress = remoteAddress;
    this.#incoming = channels.incoming;
    this.#outgoing = channels.outgoing;
    this.#open = isOpen;
    this.#incoming.deliverTo(this);
    this.#outgoing.reportTo(this);
    if (process.alive) wire.ends.add(this);
  }

  /** The host at the other end. */
  get peer(): string {
    return this.#outgoing.to;
  }

  /** The wire is as good as ever, either way. */
  hasten(): void {
    this.#incoming.hasten();
    this.#outgoing.hasten();
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#held.length > 0) this.#deliverHeld();
  }

  dial(): void {
    this.#outgoing.send(Parcel.of("dial"));
    this.#dialTimeout = this.process.schedule(DIAL_TIMEOUT_MS * 1000, "dial-timeout", this.#outgoing.label, () => {
      this.#finish({ kind: "unreachable", message: "connection timed out" });
    });
  }

  /** Ends what never began, in a later turn. */
  fail(message: string): void {
    this.process.schedule(0, "unreachable", this.#outgoing.label, () => {
      this.#finish({ kind: "unreachable", message });
    });
  }

  get queuedBytes(): number {
    const room = this.#open ? SOCKET_BUFFER_BYTES : 0;
    return Math.max(0, this.#outgoing.bytesUnderWay - room);
  }

  write(buffers: readonly Uint8Array[]): void {
    if (this.#closed || !this.process.alive) return;
    let lengthBytes = 0;
    for (const buffer of buffers) lengthBytes += buffer.length;
    if (lengthBytes === 0) return;
    const [only] = buffers;
    // Not copied: they must not change afterwards, and would be found out when they arrive.
    this.#outgoing.sendBytes(only?.length === lengthBytes ? only : joined(buffers, lengthBytes));
    if (this.queuedBytes > 0) this.#drainIsOwed = true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held.length > 0) this.process.schedule(0, "resume", this.#incoming.label, () => this.#deliverHeld());
  }

  close(): void {
    if (this.#closed || !this.process.alive) return;
    this.#leave();
    this.#outgoing.finish("end");
    this.process.schedule(0, "close", this.#outgoing.label, () => this.#handlers?.onClose({ kind: "closed" }));
  }

  /** The process died: its handlers hear nothing; the other end gets a reset, once the wire carries it there. */
  abandon(): void {
    this.#leave();
    this.#outgoing.finish("reset");
  }

  /** The machine is gone, and with it this end, without a word: the other end is half-open. */
  vanish(): void {
    this.#closed = true;
    this.#held = [];
    this.#cancelDialTimeout();
    this.#wire.ends.delete(this);
    this.#outgoing.fallSilent();
    // Whatever still comes for it meets a machine that knows of no such connection.
    this.#incoming.deliverTo({
      arrived: () => {
        this.#incoming.cut();
        this.#outgoing.breakOff("connection reset by peer");
      },
    });
  }

  /** The connection breaks for this end alone; the other is half-open, until it sends something. */
  sever(message: string): void {
    this.process.schedule(0, "severed", this.#outgoing.label, () => {
      if (this.#closed) return;
      this.vanish();
      this.#handlers?.onClose({ kind: this.#open ? "reset" : "unreachable", message });
    });
  }

  /** This end hears that the connection broke. */
  breakOff(message: string): void {
    this.#incoming.breakOff(message);
  }

  arrived(parcel: Parcel): void {
    if (this.process.paused && this.#held.length === 0) {
      this.process.onceResumed("deliver", this.#incoming.label, () => this.#deliverHeld());
    }
    if (this.process.paused || this.#held.length > 0 || !this.#takes(parcel)) this.#held.push(parcel);
    else this.#deliver(parcel);
  }

  #takes(parcel: Parcel): boolean {
    return this.#handlers !== undefined && (!this.#paused || parcel.kind === "accepted");
  }

  #deliverHeld(): void {
    while (!this.#closed) {
      const parcel = this.#held[0];
      if (parcel === undefined || !this.#takes(parcel)) return;
      this.#held.shift();
      this.#deliver(parcel);
    }
  }

  #deliver(parcel: Parcel): void {
    switch (parcel.kind) {
      case "dial":
        throw new Error("a connection is dialled once");
      case "accepted":
        this.#open = true;
        this.#cancelDialTimeout();
        this.#handlers?.onOpen();
        this.peerConsumed();
        return;
      case "refused":
        this.#finish({ kind: "unreachable", message: parcel.message });
        return;
      case "data":
        this.#deliverData(parcel);
        return;
      case "end":
        this.#finish({ kind: "ended" });
        return;
      case "reset":
        this.#finish({ kind: this.#open ? "reset" : "unreachable", message: parcel.message });
        return;
      default:
        parcel.kind satisfies never;
        throw new Error("unknown parcel");
    }
  }

  #deliverData(parcel: Parcel): void {
    const { bytes, pieceBytes } = parcel;
    if (bytes.length <= pieceBytes) {
      this.#incoming.consumed(bytes.length);
      this.#handlers?.onData(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !this.#closed; at += pieceBytes) {
      if (this.#paused) {
        this.#held.unshift(parcel.after(at));
        return;
      }
      const piece = bytes.subarray(at, at + pieceBytes);
      this.#incoming.consumed(piece.length);
      this.#handlers?.onData(piece);
    }
  }

  /** The other end has taken bytes: the queue may have drained. */
  peerConsumed(): void {
    if (!this.#drainIsOwed || !this.#open || this.#closed || this.queuedBytes > 0) return;
    this.#drainIsOwed = false;
    this.process.schedule(0, "drain", this.#outgoing.label, () => {
      if (!this.#closed) this.#handlers?.onDrain();
    });
  }

  #finish(reason: CloseReason): void {
    if (this.#closed) return;
    this.#leave();
    // If the other end is still there it hears of it too.
    this.#outgoing.breakOff("connection reset by peer");
    this.#handlers?.onClose(reason);
  }

  /** This end is out of the game. */
  #leave(): void {
    this.#closed = true;
    this.#held = [];
    this.#cancelDialTimeout();
    this.#incoming.cut();
    this.#wire.ends.delete(this);
  }

  #cancelDialTimeout(): void {
    if (this.#dialTimeout !== undefined) this.process.timeline.cancel(this.#dialTimeout);
    this.#dialTimeout = undefined;
  }
}
