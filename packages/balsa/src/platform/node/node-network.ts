import { createServer, connect as netConnect, Socket } from "node:net";
import type { Connection, ConnectionHandlers, Listener, Logger, Network } from "../index.js";
import { formatAddress, NetworkError, parseAddress, silentLogger } from "../index.js";
import { KEEP_ALIVE_DELAY_MS } from "./limits.js";
import { NodeConnection } from "./node-connection.js";

const SOCKET_OPTIONS = {
  allowHalfOpen: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
} as const;

const BAD_ADDRESS = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "ENOTFOUND", "EAI_AGAIN"]);

function toNetworkError(error: NodeJS.ErrnoException, address: string): NetworkError {
  if (error.code === "EADDRINUSE") return new NetworkError("address-in-use", `${address} is in use`, error);
  if (error.code !== undefined && BAD_ADDRESS.has(error.code)) {
    return new NetworkError("bad-address", `${address} is no address of this machine`, error);
  }
  return new NetworkError("io", `cannot listen on ${address}: ${error.message}`, error);
}

function acceptSocket(socket: Socket, accept: (connection: Connection) => ConnectionHandlers): void {
  const remote = formatAddress(socket.remoteAddress ?? "unknown", socket.remotePort ?? 0);
  const connection = new NodeConnection(socket, remote);
  connection.attach(accept(connection));
}

function listen(
  address: string,
  accept: (connection: Connection) => ConnectionHandlers,
  logger: Logger,
): Promise<Listener> {
  const parsed = parseAddress(address);
  if (parsed === undefined) {
    return Promise.reject(new NetworkError("bad-address", `${address} is not of the form host:port`));
  }
  return new Promise((resolve, reject) => {
    const server = createServer(SOCKET_OPTIONS, (socket) => acceptSocket(socket, accept));
    const refuse = (error: NodeJS.ErrnoException): void => reject(toNetworkError(error, address));
    server.once("error", refuse);
    server.listen({ host: parsed.host, port: parsed.port, exclusive: true }, () => {
      server.off("error", refuse);
      // Out of descriptors, as a rule: the connection is not accepted, the next one may be.
      server.on("error", (error) => logger.log("warn", "a connection could not be accepted", { address, error }));
      const bound = server.address();
      const port = bound !== null && typeof bound === "object" ? bound.port : parsed.port;
      resolve({
        address: formatAddress(parsed.host, port),
        close: () =>
          new Promise((closed) => {
            // The server's own callback would wait for its connections, which live on.
            if (server.listening) server.close();
            setImmediate(closed);
          }),
      });
    });
  });
}

function connect(address: string, handlers: ConnectionHandlers): Connection {
  const parsed = parseAddress(address);
  const socket =
    parsed === undefined ? new Socket() : netConnect({ ...SOCKET_OPTIONS, host: parsed.host, port: parsed.port });
  const connection = new NodeConnection(socket, address);
  connection.attach(handlers);
  if (parsed === undefined) connection.fail(`${address} is not of the form host:port`);
  return connection;
}

/** TCP. `logger` hears of what concerns no single connection. */
export function nodeNetwork(logger: Logger = silentLogger): Network {
  return { listen: (address, accept) => listen(address, accept, logger), connect };
}
