import { crc32c } from "../codec/index.js";
import { invariant } from "../core/index.js";
import { RETRANSMIT_MS_MAX } from "./limits.js";
import type { Link } from "./link.js";
import { SimEvent } from "./sim-event.js";
import type { Word } from "./trace.js";
import type { Wire } from "./wire.js";

/** What travels in one direction of a connection, in order. */
export type Parcel =
  /** The dialler asks for a connection; the acceptor's answers. */
  | { readonly kind: "dial" }
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly message: string }
  /** `pieceBytes`: how it comes to the receiver, one piece after the other. */
  | { readonly kind: "data"; readonly bytes: Uint8Array; readonly checksum: number; readonly pieceBytes: number }
  | { readonly kind: "end" }
  | { readonly kind: "reset"; readonly message: string };

interface Travelling {
  parcel: Parcel;
  dueUs: number;
}

function checksumOf(bytes: Uint8Array): number {
  return crc32c(bytes, 0, bytes.length, 0);
}

function data(bytes: Uint8Array, pieceBytes: number): Parcel {
  return { kind: "data", bytes, checksum: checksumOf(bytes), pieceBytes };
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a, 0);
  joined.set(b, a.length);
  return joined;
}

/**
 * One direction of a connection: what is sent arrives later, in order, bytes cut and joined anywhere. While the wire is
 * blocked between the two nodes it stalls, and goes on some time after.
 */
export class Channel {
  readonly from: string;
  readonly to: string;
  /** Which connection, for the trace. */
  readonly label: string;
  /** Sent, and not yet consumed by the receiver. */
  bytesUnderWay = 0;
  readonly #wire: Wire;
  readonly #link: Link;
  /** In the trace. */
  readonly #receiver: Word;
  readonly #kind: Word;
  readonly #data: Word;
  readonly #onArrival = (): void => this.#arrived();
  #travelling: Travelling[] = [];
  /** The arrival of the first of them. */
  #arrival: SimEvent | undefined;
  #stalledSinceUs: number | undefined;
  /** The receiver's end is gone. */
  #isCut = false;
  /** The sender's machine is: what gets stuck is not sent again. */
  #isOrphaned = false;
  #receive: ((parcel: Parcel) => void) | undefined;
  #onConsumed: (() => void) | undefined;

  constructor(wire: Wire, from: string, to: string, label: string) {
    this.#wire = wire;
    this.from = from;
    this.to = to;
    this.label = label;
    this.#link = wire.link(from, to);
    const { trace } = wire.timeline;
    this.#receiver = trace.word(to);
    this.#kind = trace.word("arrive");
    this.#data = trace.word(`${label} data`);
  }

  /** Nothing gets to the other end as things are. */
  get isStopped(): boolean {
    return this.#link.isBlocked || this.#wire.isDark(this.to);
  }

  /** Nobody at the other end knows of the connection yet: the dialler's system asks until it is heard. */
  get isDialling(): boolean {
    return this.#travelling[0]?.parcel.kind === "dial";
  }

  /** Who gets what arrives. */
  deliverTo(receive: (parcel: Parcel) => void): void {
    this.#receive = receive;
  }

  /** Tells the sender whenever the receiver has consumed something. */
  reportTo(onConsumed: () => void): void {
    this.#onConsumed = onConsumed;
  }

  /** Takes the bytes over. */
  sendBytes(bytes: Uint8Array): void {
    if (this.#isCut) return;
    this.bytesUnderWay += bytes.length;
    const { prng, options } = this.#wire;
    let rest = bytes;
    const cut = prng.chance(options.splitChance) ? prng.below(rest.length + 1) : 0;
    if (cut > 0 && cut < rest.length) {
      this.#sendPiece(rest.subarray(0, cut));
      rest = rest.subarray(cut);
    }
    this.#sendPiece(rest);
  }

  send(parcel: Parcel): void {
    if (this.#isCut) return;
    const last = this.#travelling.at(-1);
    const { nowUs } = this.#wire.timeline;
    const lengthBytes = parcel.kind === "data" ? parcel.bytes.length : 0;
    const travelUs = this.#link.travelUs(this.#wire.prng, nowUs, lengthBytes);
    const dueUs = Math.max(last?.dueUs ?? 0, nowUs + travelUs);
    this.#travelling.push({ parcel, dueUs });
    this.#schedule();
  }

  /** The sender's end is gone: some of the last that it sent may be lost with it, and `last` follows. */
  finish(last: "end" | "reset"): void {
    const isWhole = this.#loseSome();
    if (last === "end" && isWhole) this.send({ kind: "end" });
    else this.send({ kind: "reset", message: "connection reset by peer" });
  }

  /** The sender's machine is gone and says nothing: some of the last that it sent may be lost with it. */
  fallSilent(): void {
    this.#isOrphaned = true;
    this.#loseSome();
    if (this.#stalledSinceUs !== undefined) this.#loseStuck();
  }

  /** Nothing that is under way arrives: a reset does instead. */
  breakOff(message: string): void {
    this.#isOrphaned = false;
    this.#cancelArrival();
    this.#travelling = [];
    this.send({ kind: "reset", message });
  }

  /** The receiver's end is gone: nothing arrives any more. */
  cut(): void {
    this.#cancelArrival();
    this.#travelling = [];
    this.#isCut = true;
    this.#wire.stalled.delete(this);
  }

  /** The receiver has taken so many bytes. */
  consumed(lengthBytes: number): void {
    this.bytesUnderWay -= lengthBytes;
    this.#onConsumed?.();
  }

  /** The wire carries again. It takes a sender a while to notice. */
  resume(): void {
    if (this.#stalledSinceUs === undefined) return;
    const stalledUs = this.#wire.timeline.nowUs - this.#stalledSinceUs;
    this.#stalledSinceUs = undefined;
    this.#schedule(this.#wire.retransmitUs(stalledUs));
  }

  /** The wire is as good as ever: what was held up by what it was is sent again, and arrives with that. */
  hasten(): void {
    const latestUs = this.#wire.timeline.nowUs + RETRANSMIT_MS_MAX * 1000;
    if (!this.#travelling.some(({ dueUs }) => dueUs > latestUs)) return;
    for (const travelling of this.#travelling) travelling.dueUs = Math.min(travelling.dueUs, latestUs);
    this.#cancelArrival();
    this.#schedule();
  }

  #sendPiece(bytes: Uint8Array): void {
    const last = this.#travelling.at(-1);
    // Not with the first one: its arrival is in the queue already, as it is.
    const isSecondOrLater = this.#travelling.length > 1;
    if (isSecondOrLater && last?.parcel.kind === "data" && this.#wire.prng.chance(this.#wire.options.joinChance)) {
      last.parcel = data(concatenated(last.parcel.bytes, bytes), last.parcel.pieceBytes);
    } else {
      const { pieceBytesMax } = this.#wire.options;
      const isWhole = bytes.length <= pieceBytesMax;
      this.send(data(bytes, isWhole ? Number.POSITIVE_INFINITY : this.#wire.prng.between(1, pieceBytesMax)));
    }
  }

  #schedule(extraUs: number = 0): void {
    const first = this.#travelling[0];
    if (first === undefined || this.#arrival !== undefined || this.#stalledSinceUs !== undefined) return;
    const delayUs = Math.max(0, first.dueUs - this.#wire.timeline.nowUs) + extraUs;
    const { parcel } = first;
    const isData = parcel.kind === "data";
    const detail = isData ? this.#data : this.#wire.timeline.trace.word(`${this.label} ${parcel.kind}`);
    const arrival = new SimEvent(undefined, this.#receiver, this.#kind, detail, this.#onArrival);
    if (isData) arrival.withNumbers(2, parcel.bytes.length, parcel.checksum, 0);
    this.#arrival = this.#wire.timeline.schedule(delayUs, arrival);
  }

  #arrived(): void {
    this.#arrival = undefined;
    const { nowUs } = this.#wire.timeline;
    if (this.isStopped) {
      if (this.#isOrphaned) {
        this.#loseStuck();
        return;
      }
      this.#stalledSinceUs = nowUs;
      this.#wire.stalled.add(this);
      this.#wire.timeline.note(this.to, "stall", this.label);
      return;
    }
    const first = this.#travelling[0];
    if (first !== undefined && nowUs < this.#link.stalledUntilUs) {
      first.dueUs = this.#link.stalledUntilUs;
      this.#wire.timeline.note(this.to, "stall", this.label);
      this.#schedule();
      return;
    }
    this.#travelling.shift();
    this.#schedule();
    if (first === undefined) return;
    const { parcel } = first;
    if (parcel.kind === "data") {
      invariant(checksumOf(parcel.bytes) === parcel.checksum, "the buffers of a write must not change afterwards");
    }
    this.#receive?.(parcel);
  }

  /** True if nothing is lost. */
  #loseSome(): boolean {
    const count = this.#travelling.length;
    const kept = this.#wire.prng.chance(0.5) ? count : this.#wire.prng.below(count + 1);
    if (kept === 0) this.#cancelArrival();
    this.#travelling.length = kept;
    return kept === count;
  }

  #loseStuck(): void {
    this.#wire.timeline.note(this.to, "lost", this.label);
    this.#cancelArrival();
    this.#travelling = [];
    this.#stalledSinceUs = undefined;
    this.#wire.stalled.delete(this);
  }

  #cancelArrival(): void {
    if (this.#arrival !== undefined) this.#wire.timeline.cancel(this.#arrival);
    this.#arrival = undefined;
  }
}
