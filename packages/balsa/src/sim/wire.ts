import type { Connection, ConnectionHandlers } from "../platform/index.js";
import { Channel } from "./channel.js";
import { EPHEMERAL_PORT_FIRST, RETRANSMIT_MS_MAX } from "./limits.js";
import type { Prng } from "./prng.js";
import { SimConnection } from "./sim-connection.js";
import type { SimProcess } from "./sim-process.js";
import type { Timeline } from "./timeline.js";

export interface WireOptions {
  /** How long a piece takes from one node to another, whole µs. */
  readonly delayUs: (prng: Prng, from: string, to: string) => number;
  /** How often one write arrives in two pieces. */
  readonly splitChance: number;
  /** How often a piece arrives together with the one before, where that is still on its way. */
  readonly joinChance: number;
  /** How often a connection that stalled is broken, rather than carrying on, when the wire carries again. */
  readonly resetChance: number;
}

/** A local network: 50–500 µs, and one piece in a hundred up to 5 ms. */
export const WIRE_OPTIONS: WireOptions = {
  delayUs: (prng) => (prng.chance(0.01) ? prng.between(500, 5_000) : prng.between(50, 500)),
  splitChance: 0.125,
  joinChance: 0.25,
  resetChance: 0.25,
};

interface SimListener {
  readonly process: SimProcess;
  readonly accept: (connection: Connection) => ConnectionHandlers;
}

/**
 * What can be done to a world's network. A block stops what is on its way too; nobody is told. Connections stall, and
 * carry on or break once the wire carries again.
 */
export interface NetworkFaults {
  /** Nothing gets from one node to the other; the way back stays as it is. */
  block(from: string, to: string): void;
  unblock(from: string, to: string): void;
  /** Nothing gets from any node of one side to any of the other, either way. */
  partition(side: readonly string[], otherSide: readonly string[]): void;
  /** Takes all blocks away. */
  heal(): void;
  /** Breaks the connections between two nodes; both ends hear of it, where the wire carries. */
  reset(a: string, b: string): void;
  isBlocked(from: string, to: string): boolean;
}

/** The network between the nodes of a world. */
export class Wire implements NetworkFaults {
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly options: WireOptions;
  /** Of all connections: the ends that are not closed. */
  readonly ends: Set<SimConnection> = new Set();
  readonly stalled: Set<Channel> = new Set();
  readonly #listeners = new Map<string, SimListener>();
  readonly #blocked = new Map<string, Set<string>>();
  #connections = 0;
  #nextPort = EPHEMERAL_PORT_FIRST;

  constructor(timeline: Timeline, prng: Prng, options: WireOptions) {
    this.timeline = timeline;
    this.prng = prng;
    this.options = options;
  }

  block(from: string, to: string): void {
    this.timeline.note(from, "block", to);
    this.#block(from, to);
  }

  unblock(from: string, to: string): void {
    this.timeline.note(from, "unblock", to);
    this.#blocked.get(from)?.delete(to);
    this.#resumeStalled();
  }

  partition(side: readonly string[], otherSide: readonly string[]): void {
    this.timeline.note("*", "partition", `${side.join(",")} | ${otherSide.join(",")}`);
    for (const a of side) {
      for (const b of otherSide) {
        this.#block(a, b);
        this.#block(b, a);
      }
    }
  }

  heal(): void {
    this.timeline.note("*", "heal", "");
    this.#blocked.clear();
    this.#resumeStalled();
  }

  reset(a: string, b: string): void {
    this.timeline.note(a, "reset", b);
    for (const end of [...this.ends]) {
      const { node } = end.process;
      if ((node === a && end.peer === b) || (node === b && end.peer === a)) end.breakOff("connection reset");
    }
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.get(from)?.has(to) === true;
  }

  delayUs(from: string, to: string): number {
    return this.options.delayUs(this.prng, from, to);
  }

  /** How long it takes to notice that a wire carries again: the longer it did not, the longer. */
  retransmitUs(stalledUs: number): number {
    return this.prng.below(Math.min(stalledUs, RETRANSMIT_MS_MAX * 1000) + 1);
  }

  freePort(): number {
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }

  /** False if the address is in use. */
  listen(address: string, listener: SimListener): boolean {
    if (this.#listeners.has(address)) return false;
    this.#listeners.set(address, listener);
    return true;
  }

  stopListening(address: string, process: SimProcess): void {
    if (this.#listeners.get(address)?.process === process) this.#listeners.delete(address);
  }

  /** A connection from a process to an address at a host; not dialled yet. */
  connect(process: SimProcess, host: string, address: string): SimConnection {
    this.#connections += 1;
    const label = `c${this.#connections}:${process.node}>${address}`;
    const there = new Channel(this, process.node, host, label);
    const back = new Channel(this, host, process.node, label);
    const port = EPHEMERAL_PORT_FIRST + (this.#connections & 0x3fff);
    there.deliverTo((parcel) => {
      if (parcel.kind === "dial") this.#dialled(address, `${process.node}:${port}`, there, back);
    });
    return new SimConnection(this, process, address, { incoming: back, outgoing: there }, false);
  }

  /** What a process' end means to the others. */
  processDied(process: SimProcess): void {
    for (const [address, listener] of [...this.#listeners]) {
      if (listener.process === process) this.#listeners.delete(address);
    }
    for (const end of [...this.ends]) if (end.process === process) end.abandon();
  }

  #dialled(address: string, from: string, there: Channel, back: Channel): void {
    const listener = this.#listeners.get(address);
    if (listener === undefined) {
      there.cut();
      back.send({ kind: "refused", message: `connection to ${address} refused` });
      return;
    }
    const channels = { incoming: there, outgoing: back };
    const connection = new SimConnection(this, listener.process, from, channels, true);
    back.send({ kind: "accepted" });
    connection.attach(listener.accept(connection));
  }

  #block(from: string, to: string): void {
    const blocked = this.#blocked.get(from);
    if (blocked === undefined) this.#blocked.set(from, new Set([to]));
    else blocked.add(to);
  }

  #resumeStalled(): void {
    for (const channel of [...this.stalled]) {
      if (this.isBlocked(channel.from, channel.to)) continue;
      this.stalled.delete(channel);
      const isBroken = this.prng.chance(this.options.resetChance);
      if (isBroken) channel.breakOff("connection reset after an interruption");
      channel.resume();
    }
  }
}
