import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CONNECTION_OPENING_MS, CONNECTIONS_MAX } from "../limits.js";
import { FilteredSocket } from "./filtered-socket.js";
import { listen } from "./listen.js";
import { Opening } from "./opening.js";

/** Accepts connections, and hands each over to the HTTP/2 library when its first request arrives. */
export class ConnectionListener {
  /** `host:port`, with the port that was given for port 0. */
  readonly address: string;
  private readonly server: Server;
  /** Connections that have not asked for anything yet. */
  private readonly opening: Set<Socket>;

  /** @throws ServerError `address-in-use`, `invalid-option` */
  static async open(address: string, handOver: (connection: Duplex) => void): Promise<ConnectionListener> {
    const opening = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      opening.add(socket);
      socket.once("close", () => opening.delete(socket));
      awaitRequest(socket, (connection) => {
        opening.delete(socket);
        handOver(connection);
      });
    });
    server.maxConnections = CONNECTIONS_MAX;
    return new ConnectionListener(server, await listen(server, "client address", address), opening);
  }

  private constructor(server: Server, address: string, opening: Set<Socket>) {
    this.server = server;
    this.address = address;
    this.opening = opening;
  }

  /** Accepts no more. Connections that were handed over are whoever's has them now. */
  close(): void {
    this.server.close();
    for (const socket of this.opening) socket.destroy();
  }
}

function awaitRequest(socket: Socket, handOver: (connection: Duplex) => void): void {
  const opening = new Opening();
  // A client that has said that it is one may wait as long as it likes with its first request.
  const timer = setTimeout(() => socket.destroy(), CONNECTION_OPENING_MS);
  const onEnd = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    const step = opening.receive(chunk);
    switch (step.kind) {
      case "continue":
        if (opening.hasBegun) clearTimeout(timer);
        if (step.reply.length > 0) socket.write(step.reply);
        return;
      case "refused":
        onEnd();
        return;
      case "request":
        clearTimeout(timer);
        socket.off("data", onData).off("error", onEnd).off("close", onEnd);
        handOver(step.urlAuthority ? new FilteredSocket(socket, step.bytes) : giveBack(socket, step.bytes));
        return;
      default:
        step satisfies never;
    }
  };
  socket.on("data", onData).on("error", onEnd).on("close", onEnd);
  socket.write(opening.greeting);
}

/** The socket as if nothing had been read from it: the HTTP/2 library takes it over with all that is native in it. */
function giveBack(socket: Socket, bytes: Uint8Array): Socket {
  socket.pause();
  socket.unshift(bytes);
  return socket;
}
