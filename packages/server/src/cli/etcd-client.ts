import * as grpc from "@grpc/grpc-js";
import { ServerError } from "../server-error.js";

/** A call that a server answered with an error. */
export class CallError extends Error {
  /** gRPC's number. */
  readonly code: number;
  constructor(code: number, details: string) {
    super(details);
    this.name = "CallError";
    this.code = code;
  }
}

const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  "grpc.max_receive_message_length": -1,
  // Whoever asks a server that is just starting wants to know soon.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 500,
};

/**
 * The command's own client: unary calls, in bytes, to the first endpoint that can be reached. A call that was sent is
 * never sent again.
 */
export class EtcdClient {
  private readonly endpoints: readonly string[];
  private readonly timeoutMs: number;
  private readonly clients: Map<string, grpc.Client> = new Map();

  /** @param endpoints `host:port` each, `http://` before it allowed */
  constructor(endpoints: readonly string[], timeoutMs: number) {
    this.endpoints = endpoints.map((endpoint) => endpoint.replace(/^http:\/\//, ""));
    this.timeoutMs = timeoutMs;
  }

  /** @throws CallError; ServerError `unreachable` */
  async call(method: string, request: Uint8Array): Promise<Uint8Array> {
    for (const endpoint of this.endpoints) {
      try {
        return await this.callAt(endpoint, method, request);
      } catch (cause) {
        if (!(cause instanceof ServerError && cause.code === "unreachable")) throw cause;
      }
    }
    throw new ServerError("unreachable", `no endpoint can be reached: ${this.endpoints.join(", ")}`);
  }

  /** @throws CallError; ServerError `unreachable`: it was not sent */
  callAt(endpoint: string, method: string, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.timeoutMs;
      this.clientOf(endpoint).makeUnaryRequest(
        `/${method}`,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer): Uint8Array => bytes,
        request,
        { deadline },
        (error, response) => {
          if (error === null && response !== undefined) resolve(response);
          else reject(errorOf(endpoint, error));
        },
      );
    });
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private clientOf(endpoint: string): grpc.Client {
    let client = this.clients.get(endpoint);
    if (client === undefined) {
      client = new grpc.Client(endpoint, grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
      this.clients.set(endpoint, client);
    }
    return client;
  }
}

function errorOf(endpoint: string, error: grpc.ServiceError | null): Error {
  if (error === null) return new ServerError("internal", "an answer without content");
  // In grpc-js's words: the call never left.
  if (error.code === grpc.status.UNAVAILABLE && error.details.startsWith("No connection established")) {
    return new ServerError("unreachable", `${endpoint} can't be reached`, error);
  }
  return new CallError(error.code, error.details);
}
