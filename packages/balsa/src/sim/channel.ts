import { crc32c } from "../codec/index.js";
import { invariant } from "../core/index.js";
import { RETRANSMIT_MS_MAX } from "./limits.js";
import type { Link } from "./link.js";
import { SimEvent } from "./sim-event.js";
import type { Word } from "./trace.js";
import type { Wire } from "./wire.js";

/** What travels in one direction of a connection, in order. One shape for all of them: there are hundreds a second. */
export class Parcel {
  /** `dial`: somebody asks for a connection; `accepted` or `refused` is the answer. */
  readonly kind: "dial" | "accepted" | "refused" | "data" | "end" | "reset";
  /** Why it is refused or reset. */
  readonly message: string;
  /** Of data, as are the next two. */
  readonly bytes: Uint8Array;
  readonly checksum: number;
  /** How it comes to the receiver, one piece after the other. */
  readonly pieceBytes: number;
  dueUs = 0;
  /** The one sent after it. */
  next: Parcel | undefined = undefined;

  private constructor(kind: Parcel["kind"], message: string, bytes: Uint8Array, checksum: number, pieceBytes: number) {
    this.kind = kind;
    this.message = message;
    this.bytes = bytes;
    this.checksum = checksum;
    this.pieceBytes = pieceBytes;
  }

  static data(bytes: Uint8Array, pieceBytes: number): Parcel {
    return new Parcel("data", "", bytes, crc32c(bytes, 0, bytes.length, 0), pieceBytes);
  }

  static of(kind: Exclude<Parcel["kind"], "data">, message: string = ""): Parcel {
    return new Parcel(kind, message, NO_BYTES, 0, 0);
  }

  /** The same without the first bytes. */
  after(lengthBytes: number): Parcel {
    return Parcel.data(this.bytes.subarray(lengthBytes), this.pieceBytes);
  }
}

/** Who gets what arrives. */
export interface Receiver {
  arrived(parcel: Parcel): void;
}

/** Who wants to know whenever the receiver has consumed something. */
export interface Sender {
  peerConsumed(): void;
}

/** In one piece, however long: not Infinity, which would be boxed in every parcel. */
const WHOLE = 0x3fff_ffff;
/** One arrival in so many is summed again, to find out whoever changes what was written: the sums were 1 % of a run. */
const SUMMED_AGAIN_EVERY = 8;

const NO_BYTES: Uint8Array = new Uint8Array(0);

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a, 0);
  joined.set(b, a.length);
  return joined;
}

function arrived(channel: Channel): void {
  channel.arrived();
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
  readonly #node: Word;
  readonly #kind: Word;
  readonly #data: Word;
  /** What is under way, in order: a list, since as a rule there is one or none. */
  #first: Parcel | undefined;
  #last: Parcel | undefined;
  /** The arrival of the first of them. */
  #arrival: SimEvent | undefined;
  /** An arrival that is over, to be used again. */
  #spare: SimEvent | undefined;
  /** Of data. */
  #arrivals = 0;
  #stalledSinceUs: number | undefined;
  /** The receiver's end is gone. */
  #isCut = false;
  /** The sender's machine is: what gets stuck is not sent again. */
  #isOrphaned = false;
  #receiver: Receiver | undefined;
  #sender: Sender | undefined;

  constructor(wire: Wire, from: string, to: string, label: string) {
    this.#wire = wire;
    this.from = from;
    this.to = to;
    this.label = label;
    this.#link = wire.link(from, to);
    const { trace } = wire.timeline;
    this.#node = trace.word(to);
    this.#kind = trace.word("arrive");
    this.#data = trace.passing(`${label} data`);
  }

  /** Nothing gets to the other end as things are. */
  get isStopped(): boolean {
    return this.#link.isBlocked || this.#wire.isDark(this.to);
  }

  /** Nobody at the other end knows of the connection yet: the dialler's system asks until it is heard. */
  get isDialling(): boolean {
    return this.#first?.kind === "dial";
  }

  deliverTo(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  reportTo(sender: Sender): void {
    this.#sender = sender;
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
    const last = this.#last;
    const { nowUs } = this.#wire.timeline;
    const travelUs = this.#link.travelUs(this.#wire.prng, nowUs, parcel.bytes.length);
    parcel.dueUs = Math.max(last === undefined ? 0 : last.dueUs, nowUs + travelUs);
    if (last === undefined) this.#first = parcel;
    else last.next = parcel;
    this.#last = parcel;
    if (this.#arrival === undefined) this.#schedule(0);
  }

  /** The sender's end is gone: some of the last that it sent may be lost with it, and `last` follows. */
  finish(last: "end" | "reset"): void {
    const isWhole = this.#loseSome();
    if (last === "end" && isWhole) this.send(Parcel.of("end"));
    else this.send(Parcel.of("reset", "connection reset by peer"));
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
    this.#drop();
    this.send(Parcel.of("reset", message));
  }

  /** The receiver's end is gone: nothing arrives any more. */
  cut(): void {
    this.#cancelArrival();
    this.#drop();
    this.#isCut = true;
    this.#wire.stalled.delete(this);
  }

  /** The receiver has taken so many bytes. */
  consumed(lengthBytes: number): void {
    this.bytesUnderWay -= lengthBytes;
    this.#sender?.peerConsumed();
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
    let isLate = false;
    for (let parcel = this.#first; parcel !== undefined; parcel = parcel.next) {
      if (parcel.dueUs <= latestUs) continue;
      parcel.dueUs = latestUs;
      isLate = true;
    }
    if (!isLate) return;
    this.#cancelArrival();
    this.#schedule(0);
  }

  #sendPiece(bytes: Uint8Array): void {
    const { prng, options } = this.#wire;
    const last = this.#last;
    // Not with the first one: its arrival is in the queue already, as it is.
    const isSecondOrLater = last !== this.#first;
    if (isSecondOrLater && last?.kind === "data" && prng.chance(options.joinChance)) {
      this.#replaceLast(Parcel.data(concatenated(last.bytes, bytes), last.pieceBytes));
    } else {
      const { pieceBytesMax } = options;
      const isWhole = bytes.length <= pieceBytesMax;
      this.send(Parcel.data(bytes, isWhole ? WHOLE : prng.between(1, pieceBytesMax)));
    }
  }

  #replaceLast(parcel: Parcel): void {
    const last = this.#last;
    let before = this.#first;
    while (before !== undefined && before.next !== last) before = before.next;
    if (last === undefined || before === undefined) return;
    parcel.dueUs = last.dueUs;
    before.next = parcel;
    this.#last = parcel;
  }

  #schedule(extraUs: number): void {
    const first = this.#first;
    if (first === undefined || this.#arrival !== undefined || this.#stalledSinceUs !== undefined) return;
    const { timeline } = this.#wire;
    const delayUs = Math.max(0, first.dueUs - timeline.nowUs) + extraUs;
    const isData = first.kind === "data";
    const detail = isData ? this.#data : timeline.trace.passing(`${this.label} ${first.kind}`);
    const arrival = this.#spare ?? new SimEvent(undefined, this.#node, this.#kind, detail, undefined);
    this.#spare = undefined;
    arrival.detail = detail;
    arrival.happensTo<Channel>(this, arrived);
    arrival.withNumbers(isData ? 2 : 0, first.bytes.length, first.checksum, 0);
    this.#arrival = timeline.schedule(delayUs, arrival);
  }

  /** What is due first, as things are. */
  arrived(): void {
    this.#spare = this.#arrival;
    this.#arrival = undefined;
    const { timeline } = this.#wire;
    if (this.isStopped) {
      if (this.#isOrphaned) {
        this.#loseStuck();
        return;
      }
      this.#stalledSinceUs = timeline.nowUs;
      this.#wire.stalled.add(this);
      timeline.note(this.to, "stall", this.label);
      return;
    }
    const first = this.#first;
    if (first === undefined) return;
    if (timeline.nowUs < this.#link.stalledUntilUs) {
      first.dueUs = this.#link.stalledUntilUs;
      timeline.note(this.to, "stall", this.label);
      this.#schedule(0);
      return;
    }
    this.#first = first.next;
    if (first.next === undefined) this.#last = undefined;
    else this.#schedule(0);
    if (first.kind === "data" && this.#arrivals++ % SUMMED_AGAIN_EVERY === 0) {
      const { bytes, checksum } = first;
      const isSame = crc32c(bytes, 0, bytes.length, 0) === checksum;
      invariant(isSame, "the buffers of a write must not change afterwards");
    }
    this.#receiver?.arrived(first);
  }

  /** True if nothing is lost. */
  #loseSome(): boolean {
    let count = 0;
    for (let parcel = this.#first; parcel !== undefined; parcel = parcel.next) count += 1;
    const kept = this.#wire.prng.chance(0.5) ? count : this.#wire.prng.below(count + 1);
    if (kept === 0) {
      this.#cancelArrival();
      this.#drop();
    } else if (kept < count) {
      let last = this.#first;
      for (let i = 1; i < kept; i += 1) last = last?.next;
      if (last !== undefined) last.next = undefined;
      this.#last = last;
    }
    return kept === count;
  }

  #loseStuck(): void {
    this.#wire.timeline.note(this.to, "lost", this.label);
    this.#cancelArrival();
    this.#drop();
    this.#stalledSinceUs = undefined;
    this.#wire.stalled.delete(this);
  }

  /** Nothing is under way any more. */
  #drop(): void {
    this.#first = undefined;
    this.#last = undefined;
  }

  #cancelArrival(): void {
    if (this.#arrival !== undefined) this.#wire.timeline.cancel(this.#arrival);
    this.#arrival = undefined;
  }
}
