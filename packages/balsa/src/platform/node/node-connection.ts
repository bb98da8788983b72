import type { Socket } from "node:net";
import type { CloseReason, Connection, ConnectionHandlers } from "../index.js";

/** A TCP connection. Every "error" of the socket ends in `onClose`; none goes unhandled. */
export class NodeConnection implements Connection {
  readonly remoteAddress: string;
  readonly peerIdentity: undefined;
  readonly #socket: Socket;
  #handlers: ConnectionHandlers | undefined;
  #open: boolean;
  /** Why it ends, from the first sign of it on. */
  #closing: CloseReason | undefined;

  constructor(socket: Socket, remoteAddress: string) {
    this.#socket = socket;
    this.#open = !socket.connecting;
    this.remoteAddress = remoteAddress;
  }

  /** Starts the events. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    if (!this.#open) {
      socket.on("connect", () => {
        if (this.#closing !== undefined) return;
        this.#open = true;
        handlers.onOpen();
      });
    }
    socket.on("data", (chunk: Uint8Array) => {
      // A plain view: Buffer's own methods differ from Uint8Array's (slice doesn't copy).
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (this.#closing === undefined) handlers.onData(bytes);
    });
    socket.on("end", () => this.#end({ kind: "ended" }));
    socket.on("error", (error) => {
      this.#end({ kind: this.#open ? "reset" : "unreachable", message: error.message });
    });
    socket.on("close", () => handlers.onClose(this.#closing ?? { kind: "ended" }));
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  write(buffers: readonly Uint8Array[]): void {
    const last = buffers.length - 1;
    if (this.#closing !== undefined || last < 0) return;
    const socket = this.#socket;
    // Corked, the buffers reach the system in one call.
    if (last > 0) socket.cork();
    for (let i = 0; i <= last; i += 1) {
      const buffer = buffers[i];
      if (buffer !== undefined) socket.write(buffer, i === last ? this.#onWritten : undefined);
    }
    if (last > 0) socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#end({ kind: "closed" });
  }

  /** Ends what never began, in a later turn. */
  fail(message: string): void {
    setImmediate(() => this.#end({ kind: "unreachable", message }));
  }

  #end(reason: CloseReason): void {
    this.#closing ??= reason;
    this.#socket.destroy();
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (!error && this.#closing === undefined && this.#socket.writableLength === 0) this.#handlers?.onDrain();
  };
}
