import type { SnapshotMessage } from "../core/index.js";
import type { Timer } from "../platform/index.js";
import type { ByteBudget } from "./byte-budget.js";
import { DialledLink } from "./dialled-link.js";
import { STREAM_SILENT_INTERVALS_MAX } from "./limits.js";
import { Liveness } from "./liveness.js";
import type { PeerFrame, ResumePoint } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

/** A snapshot's file, to be sent. Stays the caller's, to be closed when the outcome is known. */
export interface SnapshotSource {
  readonly fileBytes: number;
  /** That many bytes of the file from `position`, which are there. */
  readRaw(position: number, lengthBytes: number): Promise<Uint8Array>;
  /** Whether the file up to there is what a receiver has from an earlier try. */
  agreesWith(point: ResumePoint): Promise<boolean>;
}

export type SnapshotOutcome = "delivered" | "failed";

type State = { readonly kind: "dialling" } | Streaming | { readonly kind: "ended" };

interface Streaming {
  readonly kind: "streaming";
  readonly liveness: Liveness;
  /** Read and written to the connection. */
  sent: number;
  /** Written by the receiver; −1 = the offer is not accepted yet. */
  acknowledged: number;
  /** A piece is being read, or its time has not come yet. */
  reading: boolean;
  /** Until the next piece may be read. */
  pause: Timer | undefined;
}

/**
 * Sends one snapshot over a connection of its own, so that messages never wait behind it: an offer, then the file in
 * pieces, as far ahead of the receiver's acknowledgements as the window allows and no faster than the budget, then the
 * receiver's word that it has the whole and has checked it. Whatever goes wrong ends it as failed: the core asks for
 * another, and what the receiver has of the same file by then is not sent again.
 */
export class SnapshotSender {
  readonly #context: TransportContext;
  readonly #budget: ByteBudget;
  readonly #message: SnapshotMessage;
  readonly #source: SnapshotSource;
  readonly #done: (outcome: SnapshotOutcome) => void;
  readonly #dialled: DialledLink;
  #state: State = { kind: "dialling" };

  /** @param done called once */
  constructor(
    context: TransportContext,
    budget: ByteBudget,
    address: string,
    message: SnapshotMessage,
    source: SnapshotSource,
    done: (outcome: SnapshotOutcome) => void,
  ) {
    this.#context = context;
    this.#budget = budget;
    this.#message = message;
    this.#source = source;
    this.#done = done;
    this.#dialled = new DialledLink(context, { id: message.to, address, incarnation: 0 }, "snapshot", {
      onAccepted: () => this.#offer(),
      onFailed: (reason) => this.#end("failed", reason),
      onFrame: (frame) => this.#receive(frame),
      onDrain: () => this.#pump(),
      onEnd: (reason) => this.#end("failed", reason),
    });
  }

  abort(reason: string): void {
    this.#end("failed", reason);
  }

  #offer(): void {
    const { link } = this.#dialled;
    const liveness = new Liveness(this.#context.pulse, link, STREAM_SILENT_INTERVALS_MAX);
    this.#state = { kind: "streaming", liveness, sent: 0, acknowledged: -1, reading: false, pause: undefined };
    link.write({ kind: "snapshot-offer", message: this.#message, fileBytes: this.#source.fileBytes });
  }

  #receive(frame: PeerFrame): void {
    const state = this.#state;
    if (state.kind !== "streaming") return;
    switch (frame.kind) {
      case "snapshot-acknowledged":
        if (frame.position > state.sent || frame.position <= state.acknowledged) {
          this.#end("failed", "an acknowledgement of what was not sent, or was acknowledged before");
          return;
        }
        state.acknowledged = frame.position;
        this.#pump();
        return;
      case "snapshot-resumed":
        if (state.acknowledged >= 0 || frame.position >= this.#source.fileBytes) {
          this.#end("failed", "what was received before comes too late, or is too much");
          return;
        }
        this.#resume(state, frame);
        return;
      case "snapshot-done":
        if (state.sent < this.#source.fileBytes) this.#end("failed", "done before all was sent");
        else this.#end("delivered", "");
        return;
      case "snapshot-failed":
        this.#end("failed", frame.reason);
        return;
      default:
        this.#end("failed", `a ${frame.kind} frame on a connection for a snapshot`);
    }
  }

  /** From where the receiver's part of an earlier try ends; from the beginning, if that is another file's. */
  #resume(state: Streaming, point: ResumePoint): void {
    state.acknowledged = 0;
    state.reading = true;
    this.#source.agreesWith({ position: point.position, checksum: point.checksum }).then(
      (agrees) => {
        if (this.#state !== state) return;
        state.reading = false;
        state.sent = state.acknowledged = agrees ? point.position : 0;
        this.#pump();
      },
      (cause: unknown) => this.#end("failed", "the snapshot's file can't be read", cause),
    );
  }

  /** Reads and writes the next piece, if the window and the connection have room for it; one at a time. */
  #pump(): void {
    const state = this.#state;
    if (state.kind !== "streaming" || state.reading || state.acknowledged < 0) return;
    const { limits } = this.#context;
    const { fileBytes } = this.#source;
    const pieceBytes = Math.min(limits.snapshotPieceBytes, fileBytes - state.sent);
    if (pieceBytes === 0 || state.sent + pieceBytes - state.acknowledged > limits.snapshotWindowBytes) return;
    if (this.#dialled.link.queuedBytes >= limits.queuedBytesHigh) return;
    state.reading = true;
    const waitMs = this.#budget.take(pieceBytes);
    if (waitMs === 0) this.#sendPiece(state, pieceBytes);
    else state.pause = this.#context.platform.clock.setTimer(waitMs, () => this.#sendPiece(state, pieceBytes));
  }

  #sendPiece(state: Streaming, pieceBytes: number): void {
    this.#source.readRaw(state.sent, pieceBytes).then(
      (bytes) => {
        if (this.#state !== state) return;
        state.reading = false;
        if (bytes.length !== pieceBytes) {
          this.#end("failed", "the snapshot's file is shorter than it was");
          return;
        }
        this.#dialled.link.write({ kind: "snapshot-piece", position: state.sent, bytes });
        state.sent += pieceBytes;
        this.#pump();
      },
      (cause: unknown) => this.#end("failed", "the snapshot's file can't be read", cause),
    );
  }

  #end(outcome: SnapshotOutcome, reason: string, cause?: unknown): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    if (state.kind === "streaming") {
      state.liveness.stop();
      state.pause?.cancel();
    }
    this.#state = { kind: "ended" };
    this.#dialled.close();
    const { index, term } = this.#message.snapshot.meta;
    const fields = { peer: this.#message.to, index, term, bytes: this.#source.fileBytes };
    const { logger } = this.#context.platform;
    if (outcome === "delivered") logger.log("info", "snapshot sent", fields);
    else logger.log("warn", "snapshot not sent", { ...fields, reason, ...(cause === undefined ? {} : { cause }) });
    this.#done(outcome);
  }
}
