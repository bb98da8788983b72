import { BalsaError, type SnapshotMessage } from "../core/index.js";
import type { LogLevel, Timer } from "../platform/index.js";
import type { AcceptedLink, EstablishedHandlers } from "./accepted-link.js";
import {
  LINGER_MS,
  REASON_CHARS_MAX,
  SNAPSHOT_WINDOW_BYTES_MAX,
  SNAPSHOT_WINDOW_PIECES_MAX,
  STREAM_SILENT_INTERVALS_MAX,
} from "./limits.js";
import { Liveness } from "./liveness.js";
import type { PeerFrame, ResumePoint, SnapshotOffer } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

/** Where a snapshot's file goes, piece by piece, one call at a time. */
export interface SnapshotSink {
  /** What is there from an earlier try, checked; undefined = nothing. */
  readonly resumed: ResumePoint | undefined;
  /** What was there is of no use: it begins anew. */
  restart(): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  /** All is written. Rejects if it is not a whole and sound snapshot. */
  finish(): Promise<void>;
  /** The connection broke: the last call for now. What is there may be kept, for another try. */
  suspend(): Promise<void>;
  /** Nothing comes of it: the last call, after whatever failed. */
  abort(): Promise<void>;
}

export interface SnapshotReceiverHandlers {
  /** undefined refuses it. */
  open(message: SnapshotMessage, fileBytes: number): Promise<SnapshotSink | undefined>;
  /** The file is there, whole and sound. */
  onReceived(message: SnapshotMessage): void;
}

/** Takes one snapshot from a peer's connection, and tells the peer what became of it. */
export class SnapshotReceiver implements EstablishedHandlers {
  /** Resolves once nothing of it is under way any more. */
  readonly released: Promise<void>;
  readonly #context: TransportContext;
  readonly #accepted: AcceptedLink;
  readonly #from: number;
  readonly #handlers: SnapshotReceiverHandlers;
  readonly #liveness: Liveness;
  /** Frames that came and are not dealt with yet; `#waitingBytes` of pieces among them. */
  readonly #frames: PeerFrame[] = [];
  #waitingBytes = 0;
  /** Continues what waits for a frame. */
  #wake: (() => void) | undefined;
  /** Why it is to end early. */
  #aborted: string | undefined;
  /** Whether the connection is still there. */
  #connected = true;
  /** It is to end early since the connection was lost, or another one came: nothing is wrong with what is here. */
  #isBroken = false;
  /** How much was there from an earlier try. */
  #resumedAt = 0;
  /** Whether the last word is said; the timer closes the connection if the other side does not. */
  #over = false;
  #linger: Timer | undefined;

  /** @param before resolves when an earlier stream of this peer has let go of what it had opened */
  constructor(
    context: TransportContext,
    accepted: AcceptedLink,
    from: number,
    before: Promise<void>,
    handlers: SnapshotReceiverHandlers,
  ) {
    this.#context = context;
    this.#accepted = accepted;
    this.#from = from;
    this.#handlers = handlers;
    this.#liveness = new Liveness(context.pulse, accepted.link, STREAM_SILENT_INTERVALS_MAX);
    this.released = this.#run(before);
  }

  onFrame(frame: PeerFrame): void {
    if (this.#over) return;
    if (frame.kind === "snapshot-piece") this.#waitingBytes += frame.bytes.length;
    if (this.#waitingBytes > SNAPSHOT_WINDOW_BYTES_MAX || this.#frames.length >= SNAPSHOT_WINDOW_PIECES_MAX) {
      this.abort("more came than the window allows");
      return;
    }
    this.#frames.push(frame);
    this.#wake?.();
  }

  onEnd(reason: string): void {
    this.#disconnected();
    this.#break(reason);
  }

  /** Gives up, if it is not over. */
  abort(reason: string): void {
    this.#aborted ??= reason;
    this.#wake?.();
  }

  /** As `abort`, and closes the connection. */
  close(reason: string): void {
    this.#accepted.close();
    this.#disconnected();
    this.#break(reason);
  }

  #break(reason: string): void {
    this.#isBroken = this.#aborted === undefined;
    this.abort(reason);
  }

  async #run(before: Promise<void>): Promise<void> {
    let offer: SnapshotOffer | undefined;
    let sink: SnapshotSink | undefined;
    try {
      offer = await this.#offer();
      await before;
      sink = await this.#open(offer);
      await this.#receive(sink, offer.fileBytes);
      await sink.finish();
    } catch (cause) {
      this.#conclude({ kind: "snapshot-failed", reason: reasonOf(cause) });
      this.#log("warn", "snapshot not received", offer, { cause });
      await this.#letGo(sink, this.#isBroken && cause instanceof BalsaError && cause.code === "aborted");
      return;
    }
    this.#conclude({ kind: "snapshot-done" });
    this.#log("info", "snapshot received", offer, { resumedAt: this.#resumedAt });
    this.#handlers.onReceived(offer.message);
  }

  async #offer(): Promise<SnapshotOffer> {
    const offer = await this.#next();
    if (offer.kind !== "snapshot-offer") throw failure(`a ${offer.kind} frame instead of an offer`);
    const { from, to } = offer.message;
    if (from !== this.#from || to !== this.#context.self.memberId)
      throw failure("a snapshot from or for another member");
    return offer;
  }

  async #open(offer: SnapshotOffer): Promise<SnapshotSink> {
    this.#throwIfAborted();
    const sink = await this.#handlers.open(offer.message, offer.fileBytes);
    if (sink === undefined) throw failure("the receiver refuses it");
    return sink;
  }

  async #receive(sink: SnapshotSink, fileBytes: number): Promise<void> {
    const { link } = this.#accepted;
    this.#throwIfAborted();
    let written = await this.#accept(sink, fileBytes);
    for (let isFirst = true; written < fileBytes; isFirst = false) {
      const piece = await this.#next();
      if (piece.kind !== "snapshot-piece") throw failure(`a ${piece.kind} frame instead of a piece`);
      if (isFirst && piece.position === 0 && written > 0) {
        // The sender's file is another one.
        await sink.restart();
        written = this.#resumedAt = 0;
      }
      if (piece.position !== written || written + piece.bytes.length > fileBytes) throw failure("a piece out of place");
      await sink.write(piece.bytes);
      this.#waitingBytes -= piece.bytes.length;
      written += piece.bytes.length;
      link.write({ kind: "snapshot-acknowledged", position: written });
    }
    this.#throwIfAborted();
    // Nothing more is due but this side's own word.
    this.#liveness.stop();
  }

  /** Takes up what is there from an earlier try, if anything. Gives how much that is. */
  async #accept(sink: SnapshotSink, fileBytes: number): Promise<number> {
    const { link } = this.#accepted;
    const { resumed } = sink;
    if (resumed !== undefined && resumed.position < fileBytes) {
      link.write({ kind: "snapshot-resumed", position: resumed.position, checksum: resumed.checksum });
      this.#resumedAt = resumed.position;
      return resumed.position;
    }
    if (resumed !== undefined) await sink.restart();
    link.write({ kind: "snapshot-acknowledged", position: 0 });
    return 0;
  }

  async #next(): Promise<PeerFrame> {
    while (this.#frames.length === 0) {
      this.#throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#throwIfAborted();
    return this.#frames.shift() as PeerFrame;
  }

  #throwIfAborted(): void {
    if (this.#aborted !== undefined) throw failure(this.#aborted);
  }

  /** The last word. The other side closes when it has read it. */
  #conclude(outcome: PeerFrame): void {
    this.#over = true;
    this.#liveness.stop();
    if (!this.#connected) return;
    this.#accepted.link.write(outcome);
    this.#linger = this.#context.platform.clock.setTimer(LINGER_MS, () => this.#accepted.close());
  }

  #disconnected(): void {
    this.#connected = false;
    this.#liveness.stop();
    this.#linger?.cancel();
  }

  async #letGo(sink: SnapshotSink | undefined, mayResume: boolean): Promise<void> {
    try {
      await (mayResume ? sink?.suspend() : sink?.abort());
    } catch (cause) {
      this.#context.platform.logger.log("warn", "part of a snapshot not removed", { peer: this.#from, cause });
    }
  }

  #log(
    level: LogLevel,
    message: string,
    offer: SnapshotOffer | undefined,
    reason: Readonly<Record<string, unknown>>,
  ): void {
    const meta = offer?.message.snapshot.meta;
    this.#context.platform.logger.log(level, message, {
      peer: this.#from,
      index: meta?.index,
      term: meta?.term,
      bytes: offer?.fileBytes,
      ...reason,
    });
  }
}

function failure(reason: string): BalsaError {
  return new BalsaError("aborted", reason);
}

/** For the other side's log: what is the matter here, without where. */
function reasonOf(cause: unknown): string {
  return cause instanceof BalsaError ? cause.message.slice(0, REASON_CHARS_MAX) : "the receiver can't take it";
}
