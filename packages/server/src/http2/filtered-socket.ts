import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { AuthorityFilter } from "./authority-filter.js";

type Callback = (error?: Error | null) => void;

/** A connection whose client needs the filter, as a stream for the HTTP/2 library. */
export class FilteredSocket extends Duplex {
  private readonly socket: Socket;
  private readonly authorities: AuthorityFilter = new AuthorityFilter();
  private onDrain: Callback | undefined;

  /** `first`: what has been read from the socket already. */
  constructor(socket: Socket, first: Uint8Array) {
    super({ allowHalfOpen: false });
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.forward(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
    socket.on("drain", () => {
      const { onDrain } = this;
      this.onDrain = undefined;
      onDrain?.();
    });
    this.forward(first);
  }

  /** For the HTTP/2 library's messages to people. */
  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    if (this.socket.write(chunk)) done();
    else this.onDrain = done;
  }

  override _final(done: Callback): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.socket.destroy();
    done(error);
  }

  private forward(chunk: Uint8Array): void {
    let wantsMore = true;
    for (const piece of this.authorities.filter(chunk)) wantsMore = this.push(piece);
    if (!wantsMore) this.socket.pause();
  }
}
