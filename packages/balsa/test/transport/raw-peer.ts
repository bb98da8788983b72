import type { Connection, Network } from "../../src/platform/index.js";
import { FrameDecoder } from "../../src/transport/frame.js";
import { FRAME_BYTES_MAX } from "../../src/transport/limits.js";
import { type PeerFrame, readPeerFrame } from "../../src/transport/peer-frame.js";

/** A connection to a member with nothing behind it: it says whatever a test makes it say. */
export class RawPeer {
  readonly frames: PeerFrame[] = [];
  closed = false;
  readonly #connection: Connection;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX);
  /** Written before the connection was up. */
  #early: Uint8Array[] | undefined = [];

  constructor(network: Network, address: string) {
    this.#connection = network.connect(address, {
      onOpen: () => {
        this.#connection.write(this.#early ?? []);
        this.#early = undefined;
      },
      onData: (bytes) => {
        this.#decoder.push(bytes);
        for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
          this.frames.push(readPeerFrame(frame));
        }
      },
      onDrain: () => {},
      onClose: () => {
        this.closed = true;
      },
    });
  }

  write(...frames: readonly Uint8Array[]): void {
    if (this.#early !== undefined) this.#early.push(...frames);
    else this.#connection.write(frames);
  }

  close(): void {
    this.#connection.close();
  }
}
