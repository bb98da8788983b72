import type { Ends } from "../codec/index.js";
import { BalsaError } from "../core/index.js";
import type { CloseReason, Connection, ConnectionHandlers } from "../platform/index.js";
import { FrameDecoder, type FrameKind } from "./frame.js";
import { FRAME_BYTES_MAX, SMALL_FRAME_BYTES_MAX } from "./limits.js";
import { type PeerFrame, readPeerFrame, writePeerFrame } from "./peer-frame.js";
import type { TransportContext } from "./transport-context.js";

export interface LinkHandlers {
  /** A dialled link is up. */
  onOpen(): void;
  onFrame(frame: PeerFrame): void;
  /** What was queued has gone to the system. */
  onDrain(): void;
  /** The last call, unless `close` was called: it closed, or `fail` was called. `reason` is for people. */
  onEnd(reason: string): void;
}

/**
 * A connection that carries frames. Frames that are not what they should be end it: a stream that is wrong once can't
 * be trusted to be in step again.
 */
export class Link {
  /** For messages to people. */
  readonly remoteAddress: string;
  bytesReceived = 0;
  bytesWritten = 0;
  /** Of messages, whichever side they come from, as the hello has agreed on; undefined: they name them. */
  ends: Ends | undefined;
  readonly #context: TransportContext;
  readonly #handlers: LinkHandlers;
  readonly #decoder = new FrameDecoder(SMALL_FRAME_BYTES_MAX);
  readonly #connection: Connection;
  #ended = false;

  private constructor(
    context: TransportContext,
    handlers: LinkHandlers,
    connect: (handlers: ConnectionHandlers) => Connection,
  ) {
    this.#context = context;
    this.#handlers = handlers;
    this.#connection = connect({
      onOpen: () => {
        if (!this.#ended) this.#handlers.onOpen();
      },
      onData: (bytes) => this.#receive(bytes),
      onDrain: () => {
        if (!this.#ended) this.#handlers.onDrain();
      },
      onClose: (reason) => this.#end(describe(reason)),
    });
    this.remoteAddress = this.#connection.remoteAddress;
  }

  static dial(context: TransportContext, address: string, handlers: LinkHandlers): Link {
    return new Link(context, handlers, (wire) => context.platform.network.connect(address, wire));
  }

  /** The connection's own handlers are for the network. */
  static accept(
    context: TransportContext,
    connection: Connection,
    handlers: LinkHandlers,
  ): { readonly link: Link; readonly wire: ConnectionHandlers } {
    let wire: ConnectionHandlers | undefined;
    const link = new Link(context, handlers, (given) => {
      wire = given;
      return connection;
    });
    return { link, wire: wire as ConnectionHandlers };
  }

  get queuedBytes(): number {
    return this.#connection.queuedBytes;
  }

  /** The other side has said who it is: it may send large frames from now on. */
  trust(): void {
    this.#decoder.frameBytesMax = FRAME_BYTES_MAX;
  }

  /** Writes one frame by itself. */
  write(frame: PeerFrame): void {
    const { writer, self } = this.#context;
    writePeerFrame(writer, self.group, frame);
    this.writeEncoded([writer.finish()]);
  }

  /** Writes whole frames, with one call. */
  writeEncoded(buffers: readonly Uint8Array[]): void {
    if (this.#ended) return;
    const { counters } = this.#context;
    for (const buffer of buffers) {
      this.bytesWritten += buffer.length;
      counters.bytesSent += buffer.length;
    }
    counters.writes++;
    this.#connection.write(buffers);
  }

  /** Ends it without a further event. */
  close(): void {
    this.#ended = true;
    this.#connection.close();
  }

  /** Ends it, with `onEnd`. */
  fail(reason: string): void {
    this.#end(reason);
    this.#connection.close();
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.onEnd(reason);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.bytesReceived += bytes.length;
    this.#context.counters.bytesReceived += bytes.length;
    this.#decoder.push(bytes);
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) return;
      this.#context.counters.framesReceived++;
      this.#handlers.onFrame(frame);
    }
  }

  /** The next frame, if it is there and this link has not been ended by the one before. */
  #next(): PeerFrame | undefined {
    if (this.#ended) return undefined;
    try {
      const frame = this.#decoder.next();
      if (frame === undefined) return undefined;
      // A hello's group is part of what it is judged by, and answers carry the answering side's.
      if (frame.group !== this.#context.self.group && !isGreeting(frame.kind)) {
        throw new BalsaError("corrupt", "a frame is of another group");
      }
      return readPeerFrame(frame, this.ends);
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
      this.fail(`what came is not what peers send: ${cause.message}`);
      return undefined;
    }
  }
}

function isGreeting(kind: FrameKind): boolean {
  return kind === "hello" || kind === "hello-accepted" || kind === "hello-refused";
}

function describe(reason: CloseReason): string {
  switch (reason.kind) {
    case "closed":
      return "closed here";
    case "ended":
      return "closed by the other side";
    case "unreachable":
    case "reset":
      return reason.message;
    default:
      reason satisfies never;
      return "closed";
  }
}
