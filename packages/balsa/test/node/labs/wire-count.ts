import type { Connection, Network } from "../../../src/platform/index.js";

export interface WireCount {
  bytes: number;
  messages: number;
}

/** A network that counts the bytes that are written to its connections. */
export function countWrites(network: Network, count: WireCount): Network {
  return {
    listen: (address, accept) => network.listen(address, (connection) => accept(counted(connection, count))),
    connect: (address, handlers) => counted(network.connect(address, handlers), count),
  };
}

function counted(connection: Connection, count: WireCount): Connection {
  return {
    get remoteAddress() {
      return connection.remoteAddress;
    },
    get peerIdentity() {
      return connection.peerIdentity;
    },
    get queuedBytes() {
      return connection.queuedBytes;
    },
    write(buffers) {
      for (const { length } of buffers) count.bytes += length;
      connection.write(buffers);
    },
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: () => connection.close(),
  };
}
