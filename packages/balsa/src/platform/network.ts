export type CloseReason =
  /** This side called `close`. */
  | { readonly kind: "closed" }
  /** The other side ended it. */
  | { readonly kind: "ended" }
  /** It could not be established. */
  | { readonly kind: "unreachable"; readonly message: string }
  /** It broke. */
  | { readonly kind: "reset"; readonly message: string };

export class NetworkError extends Error {
  readonly code: "address-in-use" | "bad-address" | "io";
  constructor(code: "address-in-use" | "bad-address" | "io", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "NetworkError";
    this.code = code;
  }
}

export interface ConnectionHandlers {
  /** A dialled connection is up. Not called for accepted ones. */
  onOpen(): void;
  /** Bytes, cut anywhere. They stay valid and unchanged for as long as the receiver holds them. */
  onData(bytes: Uint8Array): void;
  /** All that was written has been handed to the system after `queuedBytes` had been above 0. */
  onDrain(): void;
  /** The last call; exactly once. */
  onClose(reason: CloseReason): void;
}

/** A reliable, ordered stream of bytes, both ways. */
export interface Connection {
  /** For messages to people. */
  readonly remoteAddress: string;
  /** Who the other side has proved to be (TLS ends below); undefined where nothing was proved. */
  readonly peerIdentity: string | undefined;
  /** Written, and not yet handed to the system. */
  readonly queuedBytes: number;
  /** Queues the buffers as one write; they must not change afterwards. No effect once closed. */
  write(buffers: readonly Uint8Array[]): void;
  /** Stops and resumes `onData`. */
  pause(): void;
  resume(): void;
  /** Ends it at once; what is queued may be lost. `onClose` follows in a later turn. */
  close(): void;
}

export interface Listener {
  /** The address in use, with the port that was given for port 0. */
  readonly address: string;
  /** Accepts no more; connections live on. */
  close(): Promise<void>;
}

/** Byte connections, as everything above the platform sees them. Addresses are `host:port`. */
export interface Network {
  /** `accept` gives the handlers of each new connection. @throws NetworkError (rejects) */
  listen(address: string, accept: (connection: Connection) => ConnectionHandlers): Promise<Listener>;
  /** Returns at once; `onOpen` or `onClose` follows in a later turn. */
  connect(address: string, handlers: ConnectionHandlers): Connection;
}
