import type { Connection, ConnectionHandlers, Listener, Network } from "../platform/index.js";
import { formatAddress, NetworkError, parseAddress } from "../platform/index.js";
import type { SimProcess } from "./sim-process.js";
import type { Wire } from "./wire.js";

/** What opening or closing a listener takes, µs. */
const LISTEN_US = 20;

/** A process' network. A node's name is its host name. */
export class SimNetwork implements Network {
  readonly #process: SimProcess;
  readonly #wire: Wire;

  constructor(process: SimProcess, wire: Wire) {
    this.#process = process;
    this.#wire = wire;
  }

  listen(address: string, accept: (connection: Connection) => ConnectionHandlers): Promise<Listener> {
    const process = this.#process;
    return process.after(LISTEN_US, "listen", address, () => {
      const parsed = parseAddress(address);
      if (parsed === undefined) throw new NetworkError("bad-address", `${address} is not of the form host:port`);
      if (parsed.host !== process.node) {
        throw new NetworkError("bad-address", `${address} is no address of ${process.node}`);
      }
      const bound = formatAddress(parsed.host, parsed.port === 0 ? this.#wire.freePort() : parsed.port);
      if (!this.#wire.listen(bound, { process, accept })) {
        throw new NetworkError("address-in-use", `${address} is in use`);
      }
      return { address: bound, close: () => this.#close(bound) };
    });
  }

  connect(address: string, handlers: ConnectionHandlers): Connection {
    const parsed = parseAddress(address);
    const connection = this.#wire.connect(this.#process, parsed?.host ?? "", address);
    connection.attach(handlers);
    if (parsed === undefined) connection.fail(`${address} is not of the form host:port`);
    else if (this.#process.alive) connection.dial();
    return connection;
  }

  #close(address: string): Promise<void> {
    this.#wire.stopListening(address, this.#process);
    return this.#process.after(LISTEN_US, "unlisten", address, () => {});
  }
}
