import type { SnapshotMessage } from "../core/index.js";
import { DialledLink } from "./dialled-link.js";
import { STREAM_SILENT_INTERVALS_MAX } from "./limits.js";
import { Liveness } from "./liveness.js";
import type { PeerFrame } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

/** A snapshot's file, to be sent. Stays the caller's, to be closed when the outcome is known. */
export interface SnapshotSource {
  readonly fileBytes: number;
  /** That many bytes of the file from `position`, which are there. */
  readRaw(position: number, lengthBytes: number): Promise<Uint8Array>;
}

export type SnapshotOutcome = "delivered" | "failed";

type State =
  | { readonly kind: "dialling" }
  /** `sent`: read and written to the connection. `acknowledged`: written by the receiver; −1 = offer not accepted yet. */
  | { readonly kind: "streaming"; readonly liveness: Liveness; sent: number; acknowledged: number; reading: boolean }
  | { readonly kind: "ended" };

/**
 * Sends one snapshot over a connection of its own, so that messages never wait behind it: an offer, then the file in
 * pieces, as far ahead of the receiver's acknowledgements as the window allows, then the receiver's word that it has
 * the whole and has checked it. Whatever goes wrong ends it as failed: the core asks for another.
 */
export class SnapshotSender {
  readonly #context: TransportContext;
  readonly #message: SnapshotMessage;
  readonly #source: SnapshotSource;
  readonly #done: (outcome: SnapshotOutcome) => void;
  readonly #dialled: DialledLink;
  #state: State = { kind: "dialling" };

  /** @param done called once */
  constructor(
    context: TransportContext,
    address: string,
    message: SnapshotMessage,
    source: SnapshotSource,
    done: (outcome: SnapshotOutcome) => void,
  ) {
    this.#context = context;
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
    const liveness = new Liveness(this.#context.platform.clock, link, STREAM_SILENT_INTERVALS_MAX);
    this.#state = { kind: "streaming", liveness, sent: 0, acknowledged: -1, reading: false };
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
    if (state.kind === "streaming") state.liveness.stop();
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
