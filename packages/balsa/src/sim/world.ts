import { BalsaError } from "../core/index.js";
import { DISK_TIMING, type DiskTiming } from "./disk-access.js";
import { RUN_MS_DEFAULT } from "./limits.js";
import { stepByStep } from "./macrotask.js";
import { Prng } from "./prng.js";
import { SimEvent } from "./sim-event.js";
import { Timeline } from "./timeline.js";
import { Trace } from "./trace.js";
import { type NetworkFaults, WIRE_OPTIONS, Wire, type WireOptions } from "./wire.js";
import { type Boot, type Closeable, WorldNode } from "./world-node.js";

export interface WorldOptions {
  /** All that is drawn in this world follows from it. */
  readonly seed: number | string;
  /** `hash` keeps the trace's hash only, for long runs. Default `lines`. */
  readonly trace?: "lines" | "hash";
  readonly disk?: Partial<DiskTiming>;
  readonly network?: Partial<WireOptions>;
}

/** How long `run` goes on. Without any of these: until nothing is left to happen. */
export interface RunOptions {
  /** Until this virtual time. */
  readonly untilMs?: number;
  /** For so long, virtual. */
  readonly forMs?: number;
  /** Until this holds; asked before the first and after every event, when all promises have settled. */
  readonly until?: () => boolean;
  /** Virtual time for `until` to come true; after it `run` rejects. Default 60,000. */
  readonly limitMs?: number;
}

/** The world did not do what it was run for. */
export class WorldError extends Error {
  readonly seed: string;
  constructor(message: string, seed: string, tail: string, cause?: unknown) {
    const events = tail === "" ? "" : `\nlast events:\n${tail}`;
    super(`${message} (seed ${seed})${events}`, cause === undefined ? undefined : { cause });
    this.name = "WorldError";
    this.seed = seed;
  }
}

/**
 * A simulated world: nodes with clocks, disks and a network between them, all from one seed. One event happens at a
 * time, in the order of virtual time, and everything that it sets off has run before the next. The same seed and the
 * same calls give the same trace, byte for byte, in Node as in a browser. What could tell two runs apart, and why it
 * does not:
 * - time of day, timers, turns of the event loop: from `SimClock` alone; the linter forbids the engine's own;
 * - chance (IDs, jitter, request numbers): from `SimRandom` alone, streams of one seeded generator, in integers;
 * - the order of I/O and of messages: events of one queue, by virtual time and then in the order of scheduling;
 * - the order of promises: the language's own, and no event begins before all of them have settled;
 * - floating point: sums, products and roots are exact in every engine; logarithms, powers and sines are forbidden;
 * - the order of a collection: that of insertion, in maps, sets and arrays; object keys that look like integers are used
 *   nowhere, and sorting is stable and never by locale;
 * - the garbage collector and the heap: nothing asks (weak references are forbidden);
 * - what a caller does between two runs of the world: comes from its own code, and is part of "the same calls".
 */
export class World {
  readonly seed: string;
  readonly trace: Trace;
  /** What can be done to the network. */
  readonly network: NetworkFaults;
  /** For the test's own choices. What is drawn here moves nothing else. */
  readonly prng: Prng;
  readonly #timeline: Timeline;
  readonly #wire: Wire;
  readonly #nodePrng: Prng;
  readonly #diskTiming: DiskTiming;
  readonly #nodes = new Map<string, WorldNode>();
  #isRunning = false;
  #failure: WorldError | undefined;

  constructor(options: WorldOptions) {
    this.seed = String(options.seed);
    const prng = new Prng(this.seed);
    this.prng = prng.stream("test");
    this.#nodePrng = prng.stream("nodes");
    this.trace = new Trace(options.trace !== "hash");
    this.#timeline = new Timeline(this.trace);
    this.#diskTiming = { ...DISK_TIMING, ...options.disk };
    this.#wire = new Wire(this.#timeline, prng.stream("network"), { ...WIRE_OPTIONS, ...options.network });
    this.network = this.#wire;
  }

  /** Virtual time since the world began. */
  get nowMs(): number {
    return this.#timeline.nowUs / 1000;
  }

  /** In the order in which they were added. */
  get nodes(): readonly WorldNode[] {
    return [...this.#nodes.values()];
  }

  /** A node, up from now on. Its name is its host name. */
  addNode<Program extends Closeable>(name: string, boot?: Boot<Program>): WorldNode<Program> {
    if (!/^[\w.-]+$/.test(name) || this.#nodes.has(name)) {
      throw new BalsaError("invalid-argument", `${name} is no name for a node, or another node's`);
    }
    const surroundings = {
      timeline: this.#timeline,
      wire: this.#wire,
      diskTiming: this.#diskTiming,
      prng: this.#nodePrng,
      fail: (error: unknown): void => {
        this.#failure ??= this.#error(`${name} did not start: ${String(error)}`, error);
      },
    };
    const node = new WorldNode<Program>(name, surroundings, boot);
    this.#nodes.set(name, node);
    return node;
  }

  /** Partitions one node from all others that there are. */
  isolate(name: string): void {
    this.network.partition(
      [name],
      [...this.#nodes.keys()].filter((other) => other !== name),
    );
  }

  /** Does something to the world in an event of its own, after so much virtual time. */
  after(delayMs: number, what: string, action: () => void): void {
    const node = this.trace.word("*");
    const kind = this.trace.word("world");
    const event = new SimEvent(undefined, node, kind, this.trace.passing(what), action);
    this.#timeline.schedule(Math.ceil(delayMs * 1000), event);
  }

  /** A line of the test's own in the trace. */
  note(text: string): void {
    this.#timeline.note("*", "note", text);
  }

  /**
   * Lets the world go on. Rejects with a `WorldError` if an event or a `boot` failed (its `cause`), if `until` did not
   * come true within `limitMs`, or if nothing was left to happen before it did.
   */
  async run(options: RunOptions = {}): Promise<void> {
    if (this.#isRunning) throw new BalsaError("invalid-argument", "the world is running already");
    this.#isRunning = true;
    const { until } = options;
    const endUs = this.#endUs(options);
    try {
      await stepByStep(() => {
        this.#throwFailure();
        if (until?.() === true) return false;
        if (this.#step(endUs)) return true;
        if (until !== undefined && this.#timeline.nextUs === undefined) throw this.#error("nothing is left to happen");
        if (endUs !== Number.POSITIVE_INFINITY) this.#timeline.advanceTo(endUs);
        if (until !== undefined) throw this.#error("what the world ran for did not come true in time");
        return false;
      });
    } finally {
      this.#isRunning = false;
    }
  }

  /** Lets the world go on until the promise settles, and gives what it gave. `limitMs` as for `run`. */
  async settle<Value>(promise: Promise<Value>, limitMs: number = RUN_MS_DEFAULT): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.run({ until: () => isSettled, limitMs });
    return promise;
  }

  #step(endUs: number): boolean {
    try {
      return this.#timeline.step(endUs);
    } catch (error) {
      throw this.#error(`an event failed: ${String(error)}`, error);
    }
  }

  /** Tells once of a program that did not start. */
  #throwFailure(): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    this.#failure = undefined;
    throw failure;
  }

  #endUs(options: RunOptions): number {
    const { untilMs, forMs, until, limitMs } = options;
    if (untilMs !== undefined) return Math.ceil(untilMs * 1000);
    const spanMs = forMs ?? (until === undefined ? limitMs : (limitMs ?? RUN_MS_DEFAULT));
    return spanMs === undefined ? Number.POSITIVE_INFINITY : this.#timeline.nowUs + Math.ceil(spanMs * 1000);
  }

  #error(message: string, cause?: unknown): WorldError {
    return new WorldError(message, this.seed, this.trace.tail(12), cause);
  }
}
