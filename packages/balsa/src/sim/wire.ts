import type { Connection, ConnectionHandlers } from "../platform/index.js";
import { Channel, Parcel } from "./channel.js";
import { EPHEMERAL_PORT_FIRST, RETRANSMIT_MS_MAX } from "./limits.js";
import { Link, type LinkOptions } from "./link.js";
import type { Prng } from "./prng.js";
import { SimConnection } from "./sim-connection.js";
import type { SimProcess } from "./sim-process.js";
import type { Timeline } from "./timeline.js";

/** Of every link unless it is set otherwise, and of the connections on them. */
export interface WireOptions extends LinkOptions {
  /** How often one write arrives in two pieces. */
  readonly splitChance: number;
  /**
   * The longest piece that a receiver is handed; longer ones are handed over in several, one right after the other. A
   * small one walks every path of code that puts frames together.
   */
  readonly pieceBytesMax: number;
  /** How often a piece arrives together with the one before, where that is still on its way. */
  readonly joinChance: number;
  /** How often a connection that stalled is broken, rather than carrying on, when the wire carries again. */
  readonly resetChance: number;
}

/** A local network: 50–500 µs, and one piece in a hundred up to 5 ms. */
export const WIRE_OPTIONS: WireOptions = {
  delayUs: (prng) => (prng.chance(0.01) ? prng.between(500, 5_000) : prng.between(50, 500)),
  bytesPerMs: Number.POSITIVE_INFINITY,
  lossChance: 0,
  splitChance: 0.125,
  pieceBytesMax: Number.POSITIVE_INFINITY,
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
  /** Takes all blocks away, and ends all that stalls. What is under way arrives within a retransmission. */
  heal(): void;
  /** Breaks the connections between two nodes; both ends hear of it, where the wire carries. */
  reset(a: string, b: string): void;
  /**
   * Breaks them for the first node alone. The other is told nothing: its ends are half-open, until it sends something
   * and hears that there is no such connection.
   */
  sever(node: string, unaware: string): void;
  /** Nothing from one node reaches the other for so long; then it goes on as if nothing had been. */
  stall(from: string, to: string, forMs: number): void;
  /** Makes the way from one node to the other better or worse. Without options: as it was. */
  setLink(from: string, to: string, options?: Partial<LinkOptions>): void;
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
  readonly #links = new Map<string, Map<string, Link>>();
  /** Hosts without power. */
  readonly #dark = new Set<string>();
  #connections = 0;
  #nextPort = EPHEMERAL_PORT_FIRST;

  constructor(timeline: Timeline, prng: Prng, options: WireOptions) {
    this.timeline = timeline;
    this.prng = prng;
    this.options = options;
  }

  block(from: string, to: string): void {
    this.timeline.note(from, "block", to);
    this.link(from, to).isBlocked = true;
  }

  unblock(from: string, to: string): void {
    this.timeline.note(from, "unblock", to);
    this.link(from, to).isBlocked = false;
    this.#resumeStalled();
  }

  partition(side: readonly string[], otherSide: readonly string[]): void {
    this.timeline.note("*", "partition", `${side.join(",")} | ${otherSide.join(",")}`);
    for (const a of side) {
      for (const b of otherSide) {
        this.link(a, b).isBlocked = true;
        this.link(b, a).isBlocked = true;
      }
    }
  }

  heal(): void {
    this.timeline.note("*", "heal", "");
    for (const links of this.#links.values()) {
      for (const link of links.values()) {
        link.isBlocked = false;
        link.stalledUntilUs = 0;
      }
    }
    for (const end of this.ends) end.hasten();
    this.#resumeStalled();
  }

  reset(a: string, b: string): void {
    this.timeline.note(a, "reset", b);
    for (const end of [...this.ends]) {
      const { node } = end.process;
      if ((node === a && end.peer === b) || (node === b && end.peer === a)) end.breakOff("connection reset");
    }
  }

  sever(node: string, unaware: string): void {
    this.timeline.note(node, "sever", unaware);
    for (const end of [...this.ends]) {
      if (end.process.node === node && end.peer === unaware) end.sever("connection reset");
    }
  }

  stall(from: string, to: string, forMs: number): void {
    this.timeline.note(to, "stall-link", `${from} ${forMs}`);
    const link = this.link(from, to);
    link.stalledUntilUs = Math.max(link.stalledUntilUs, this.timeline.nowUs + Math.ceil(forMs * 1000));
  }

  setLink(from: string, to: string, options: Partial<LinkOptions> = {}): void {
    const { bytesPerMs, lossChance } = { ...this.options, ...options };
    const delay = options.delayUs === undefined ? "default" : "own";
    this.timeline.note(from, "link", `${to} delay=${delay} bytesPerMs=${bytesPerMs} lossChance=${lossChance}`);
    this.link(from, to).options = { ...this.options, ...options };
  }

  isBlocked(from: string, to: string): boolean {
    return this.link(from, to).isBlocked;
  }

  /** The host is without power. */
  isDark(host: string): boolean {
    return this.#dark.size > 0 && this.#dark.has(host);
  }

  /** The way from one host to another, which is there as soon as somebody asks for it. */
  link(from: string, to: string): Link {
    let links = this.#links.get(from);
    if (links === undefined) this.#links.set(from, (links = new Map()));
    let link = links.get(to);
    if (link === undefined) links.set(to, (link = new Link(this.options)));
    return link;
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
    there.deliverTo({
      arrived: ({ kind }) => {
        if (kind === "dial") this.#dialled(address, `${process.node}:${port}`, there, back);
      },
    });
    return new SimConnection(this, process, address, { incoming: back, outgoing: there }, false);
  }

  /** What a process' end means to the others. */
  processDied(process: SimProcess): void {
    this.#stopListening(process);
    for (const end of [...this.ends]) if (end.process === process) end.abandon();
  }

  /** The process is gone with its machine: nobody is told, and nothing gets there until the machine is up again. */
  powerLost(process: SimProcess): void {
    this.#dark.add(process.node);
    this.#stopListening(process);
    for (const end of [...this.ends]) if (end.process === process) end.vanish();
  }

  /** The machine is up. */
  powerCame(node: string): void {
    if (this.#dark.delete(node)) this.#resumeStalled();
  }

  #stopListening(process: SimProcess): void {
    for (const [address, listener] of [...this.#listeners]) {
      if (listener.process === process) this.#listeners.delete(address);
    }
  }

  #dialled(address: string, from: string, there: Channel, back: Channel): void {
    const listener = this.#listeners.get(address);
    if (listener === undefined) {
      there.cut();
      back.send(Parcel.of("refused", `connection to ${address} refused`));
      return;
    }
    const channels = { incoming: there, outgoing: back };
    const connection = new SimConnection(this, listener.process, from, channels, true);
    back.send(Parcel.of("accepted"));
    const { process } = listener;
    // The system accepts, whether or not the process is there to take notice.
    const take = (): void => connection.attach(listener.accept(connection));
    if (process.paused) process.onceResumed("accept", there.label, take);
    else take();
  }

  #resumeStalled(): void {
    for (const channel of [...this.stalled]) {
      if (channel.isStopped) continue;
      this.stalled.delete(channel);
      const isBroken = this.prng.chance(this.options.resetChance) && !channel.isDialling;
      if (isBroken) channel.breakOff("connection reset after an interruption");
      channel.resume();
    }
  }
}
