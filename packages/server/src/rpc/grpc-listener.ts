import * as grpc from "@grpc/grpc-js";
import { ConnectionListener } from "../http2/connection-listener.js";
import { GRPC_RECEIVE_BYTES_MAX } from "../limits.js";
import { ServerError } from "../server-error.js";
import { type MethodSchema, type ServiceSchema, services } from "../wire/schema.js";
import type { CallContext, Handlers, UnaryHandler } from "./handler.js";
import { type GrpcStatus, statusOf } from "./status.js";

// What goes wrong comes back as an error; the library need not write it to standard error as well.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** What every call would otherwise be entered in, for a debugging service that is not offered: a fifth of its cost. */
const SERVER_OPTIONS: grpc.ServerOptions = {
  "grpc.enable_channelz": 0,
  "grpc.max_receive_message_length": GRPC_RECEIVE_BYTES_MAX,
};

/** Serves handlers to gRPC clients by @grpc/grpc-js. What is declared and has no handler says that it is not there yet. */
export class GrpcListener {
  private readonly listeners: readonly ConnectionListener[];
  private readonly server: grpc.Server;

  /**
   * Listens on each address, `host:port`.
   * @throws ServerError `address-in-use`, `invalid-option`
   */
  static async open(addresses: readonly string[], handlers: Handlers): Promise<GrpcListener> {
    const server = new grpc.Server(SERVER_OPTIONS);
    for (const service of services()) {
      server.addService(definitionOf(service), implementationOf(service, handlers));
    }
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    const listeners: ConnectionListener[] = [];
    try {
      for (const address of addresses) {
        listeners.push(await ConnectionListener.open(address, (connection) => injector.injectConnection(connection)));
      }
    } catch (cause) {
      for (const listener of listeners) listener.close();
      server.forceShutdown();
      throw cause;
    }
    return new GrpcListener(server, listeners);
  }

  private constructor(server: grpc.Server, listeners: readonly ConnectionListener[]) {
    this.server = server;
    this.listeners = listeners;
  }

  /** Where it listens, `host:port`, with the ports that were given for port 0. */
  get addresses(): readonly string[] {
    return this.listeners.map((listener) => listener.address);
  }

  /** Takes no more calls; those under way have this long to finish. */
  async close(graceMs: number): Promise<void> {
    for (const listener of this.listeners) listener.close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, graceMs);
      this.server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Requests and responses pass as bytes: decoding is the handlers' business. */
function definitionOf(service: ServiceSchema): grpc.ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [
      method.name,
      {
        path: `/${service.name}/${method.name}`,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        requestSerialize: toBuffer,
        requestDeserialize: asItIs,
        responseSerialize: toBuffer,
        responseDeserialize: asItIs,
      },
    ]),
  );
}

function implementationOf(service: ServiceSchema, handlers: Handlers): grpc.UntypedServiceImplementation {
  return Object.fromEntries(
    service.methods.map((method) => {
      const handler = handlers.get(`${service.name}/${method.name}`);
      return [method.name, handler === undefined ? notThereYet(method) : unary(handler)];
    }),
  );
}

function unary(handler: UnaryHandler): grpc.handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, callback) => {
    handler(call.request, contextOf(call.metadata)).then(
      (response) => callback(null, response),
      (cause: unknown) => callback(statusOf(cause)),
    );
  };
}

/** etcd's clients ask for a member with a leader by this metadata. */
function contextOf(metadata: grpc.Metadata): CallContext {
  return { requireLeader: metadata.get("hasleader")[0] === "true" };
}

function notThereYet(method: MethodSchema): grpc.UntypedHandleCall {
  const status: GrpcStatus = statusOf(new ServerError("not-there-yet", `balsa: ${method.name} is not there yet`));
  if (method.responseStream) {
    return (call: grpc.ServerWritableStream<Uint8Array, Uint8Array>) => {
      call.emit("error", status);
    };
  }
  return (_call: grpc.ServerUnaryCall<Uint8Array, Uint8Array>, callback: grpc.sendUnaryData<Uint8Array>) => {
    callback(status);
  };
}

function asItIs(bytes: Buffer): Uint8Array {
  return bytes;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
