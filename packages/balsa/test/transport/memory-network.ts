import type { CloseReason, Connection, ConnectionHandlers, Listener, Network } from "../../src/platform/index.js";
import { NetworkError } from "../../src/platform/index.js";
import { concat } from "../codec/concat.js";
import type { VirtualClock } from "./virtual-clock.js";

const LATENCY_MS = 1;

/** A generator of small integers under a seed (xorshift32). */
export function seededBelow(seed: number): (bound: number) => number {
  let state = seed | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

interface Write {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

/** One life of a host's process. */
interface Process {
  readonly host: string;
  dead: boolean;
}

/** What an end of a connection reads, as the other end sees it. */
type Arrival = Uint8Array | "open" | { readonly close: CloseReason };

interface Listening {
  readonly process: Process;
  readonly accept: (connection: Connection) => ConnectionHandlers;
}

/** One end of a connection. */
class End implements Connection {
  readonly process: Process;
  readonly remoteAddress: string;
  readonly peerIdentity = undefined;
  readonly #network: MemoryNetwork;
  handlers: ConnectionHandlers | undefined;
  peer: End | undefined;
  closed = false;
  /** Bytes that this end has written and the other has not read. */
  unread = 0;
  readonly #arrivals: Arrival[] = [];
  #scheduled = false;

  constructor(network: MemoryNetwork, process: Process, remoteAddress: string) {
    this.#network = network;
    this.process = process;
    this.remoteAddress = remoteAddress;
  }

  /** A socket's buffer takes some; the rest is queued here. */
  get queuedBytes(): number {
    return Math.max(0, this.unread - this.#network.socketBytes);
  }

  write(buffers: readonly Uint8Array[]): void {
    if (this.closed || buffers.length === 0) return;
    const whole = concat(buffers);
    this.#network.writes.push({ from: this.process.host, to: this.remoteAddress, bytes: whole.length });
    this.unread += whole.length;
    for (let at = 0; at < whole.length; ) {
      const piece = this.#network.cut(whole.length - at);
      this.peer?.arrive(whole.subarray(at, at + piece));
      at += piece;
    }
  }

  arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.deliver();
  }

  /** Delivers what has arrived, one thing an event, unless this end's host stands still or is cut off. */
  deliver(): void {
    if (this.#scheduled || this.#arrivals.length === 0) return;
    this.#scheduled = true;
    this.#network.clock.setTimer(LATENCY_MS, () => {
      this.#scheduled = false;
      if (this.#network.isHeld(this)) return;
      const arrival = this.#arrivals.shift();
      if (arrival !== undefined) this.#take(arrival);
      this.deliver();
    });
  }

  #take(arrival: Arrival): void {
    if (this.closed) return;
    if (arrival === "open") this.handlers?.onOpen();
    else if (arrival instanceof Uint8Array) {
      this.handlers?.onData(arrival);
      this.peer?.wasRead(arrival.length);
    } else this.finish(arrival.close);
  }

  wasRead(bytes: number): void {
    const before = this.queuedBytes;
    this.unread -= bytes;
    if (before > 0 && this.queuedBytes === 0 && !this.closed) this.handlers?.onDrain();
  }

  pause(): void {
    throw new Error("not needed so far");
  }

  resume(): void {
    throw new Error("not needed so far");
  }

  close(): void {
    if (this.closed) return;
    this.peer?.arrive({ close: { kind: "ended" } });
    this.#leave();
    this.#network.clock.setTimer(0, () => this.handlers?.onClose({ kind: "closed" }));
  }

  /** Ends it from outside. */
  finish(reason: CloseReason): void {
    if (this.closed) return;
    this.#leave();
    this.handlers?.onClose(reason);
  }

  #leave(): void {
    this.closed = true;
    this.#network.ends.delete(this);
  }
}

/** Byte connections in memory, on a virtual clock: cut anywhere, broken and held back at will. */
export class MemoryNetwork {
  readonly clock: VirtualClock;
  /** All ends that are open. */
  readonly ends = new Set<End>();
  /** Every call of `write`, in order. */
  writes: Write[] = [];
  /** What a socket takes without queueing. */
  socketBytes = 64 * 1024;
  readonly #below: (bound: number) => number;
  readonly #listeners = new Map<string, Listening>();
  readonly #processes: Process[] = [];
  readonly #held = new Set<string>();
  /** Length of the next piece of `bytes`: 1 to all of it. */
  cut: (bytes: number) => number;

  constructor(clock: VirtualClock, seed: number) {
    this.clock = clock;
    this.#below = seededBelow(seed);
    this.cut = (bytes) => 1 + this.#below(bytes);
  }

  /** The network as a process on a host sees it. */
  of(host: string): Network {
    const process: Process = { host, dead: false };
    this.#processes.push(process);
    return {
      listen: (address, accept) => this.#listen(process, address, accept),
      connect: (address, handlers) => this.#connect(process, address, handlers),
    };
  }

  /** Nothing reaches the host any more, and nothing is lost: it stands still, or its link does. */
  hold(host: string): void {
    this.#held.add(host);
  }

  release(host: string): void {
    this.#held.delete(host);
    for (const end of this.ends) end.deliver();
  }

  isHeld(end: End): boolean {
    return this.#held.has(end.process.host);
  }

  /** The process on the host dies: every connection with it breaks, nobody listens there, and it says nothing more. */
  kill(host: string): void {
    for (const process of this.#processes) if (process.host === host) process.dead = true;
    for (const [address, { process }] of this.#listeners) if (process.dead) this.#listeners.delete(address);
    for (const end of this.ends) {
      if (!end.process.dead) continue;
      end.peer?.arrive({ close: { kind: "reset", message: "connection reset by peer" } });
      end.handlers = undefined;
      end.finish({ kind: "closed" });
    }
  }

  /** Breaks the connections that `from` dialled to `to`'s address. */
  break(from: string, address: string): void {
    for (const end of this.ends) {
      if (end.process.host !== from || end.remoteAddress !== address) continue;
      end.peer?.arrive({ close: { kind: "reset", message: "broken" } });
      end.finish({ kind: "reset", message: "broken" });
    }
  }

  #listen(process: Process, address: string, accept: Listening["accept"]): Promise<Listener> {
    if (this.#listeners.has(address)) {
      return Promise.reject(new NetworkError("address-in-use", `${address} is in use`));
    }
    const listening = { process, accept };
    this.#listeners.set(address, listening);
    return Promise.resolve({
      address,
      close: () => {
        if (this.#listeners.get(address) === listening) this.#listeners.delete(address);
        return Promise.resolve();
      },
    });
  }

  #connect(process: Process, address: string, handlers: ConnectionHandlers): Connection {
    const near = new End(this, process, address);
    if (process.dead) return near;
    near.handlers = handlers;
    this.ends.add(near);
    this.clock.setTimer(LATENCY_MS, () => {
      const listening = this.#listeners.get(address);
      if (near.closed) return;
      if (listening === undefined) {
        near.finish({ kind: "unreachable", message: `connection refused: ${address}` });
        return;
      }
      // A host that stands still accepts (its system does), and says nothing.
      const far = new End(this, listening.process, `${process.host}:client`);
      near.peer = far;
      far.peer = near;
      this.ends.add(far);
      far.handlers = listening.accept(far);
      near.arrive("open");
    });
    return near;
  }
}
