import { BalsaError, invariant } from "../core/index.js";
import type { Logger, Platform } from "../platform/index.js";
import { type CrashChoice, drawCrash } from "./crash-choice.js";
import { DiskAccess, type DiskTiming } from "./disk-access.js";
import { MachineClock } from "./machine-clock.js";
import type { Prng } from "./prng.js";
import { SimClock } from "./sim-clock.js";
import { SimDisk } from "./sim-disk.js";
import { SimFiles } from "./sim-files.js";
import { SimNetwork } from "./sim-network.js";
import { SimProcess } from "./sim-process.js";
import type { Timeline } from "./timeline.js";
import type { Wire } from "./wire.js";

export interface Closeable {
  close(): Promise<void>;
}

/** Starts the program of a node on its platform, with what is on its disk. */
export type Boot<Program extends Closeable> = (platform: Platform) => Promise<Program>;

export interface CrashOptions {
  /** The power went, and this became of what was not synced. Drawn from the world's seed unless given. */
  readonly disk?: CrashChoice;
}

/** What a node has from its world. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly wire: Wire;
  readonly diskTiming: DiskTiming;
  readonly prng: Prng;
  /** Ends the run: a program that did not start. */
  fail(error: unknown): void;
}

/**
 * A machine of a world: a name, which is also its host name, a disk that survives, and one life after the other. It is
 * up from the start; `boot` is called in the first event of each life.
 */
export class WorldNode<Program extends Closeable = Closeable> {
  readonly name: string;
  readonly disk: SimDisk;
  readonly #surroundings: Surroundings;
  readonly #prng: Prng;
  readonly #clock: MachineClock;
  #boot: Boot<Program> | undefined;
  #lives = 0;
  #process: SimProcess;
  #platform: Platform;
  #program: Program | undefined;

  constructor(name: string, surroundings: Surroundings, boot: Boot<Program> | undefined) {
    this.name = name;
    this.#surroundings = surroundings;
    this.#prng = surroundings.prng.stream(`node/${name}`);
    this.#clock = new MachineClock(surroundings.timeline);
    this.disk = new SimDisk((what) => surroundings.timeline.note(name, "disk", what));
    this.#boot = boot;
    [this.#process, this.#platform] = this.#begin();
  }

  /** False from the end of one life to the restart. */
  get isUp(): boolean {
    return this.#process.alive;
  }

  /** Whether its process stands still. */
  get isPaused(): boolean {
    return this.#process.paused;
  }

  /** How often it was started. */
  get lives(): number {
    return this.#lives;
  }

  /** The platform of this life, for what runs on the node without `boot`. */
  get platform(): Platform {
    return this.#platform;
  }

  /** What `boot` gave, once it did; undefined before, and while the node is down. */
  get program(): Program | undefined {
    return this.#program;
  }

  /** The same where it must be there. @throws BalsaError `invariant` */
  get running(): Program {
    const program = this.#program;
    invariant(program !== undefined, "the node's program must be running");
    return program;
  }

  /**
   * Ends this life at once, in the middle of whatever is under way: no timer, answer or delivery of it fires any more.
   * Either the process was killed, or the power went and what was not synced is lost, or not, or in part. The other
   * ends of its connections see resets, where the wire carries.
   */
  crash(options: CrashOptions = {}): void {
    if (!this.isUp) return;
    const { name, choice } = this.#drawCrash(options, false);
    this.#end("crash", `disk=${name}`);
    if (choice !== undefined) this.disk.crash(choice);
  }

  /**
   * The machine is without power, until the restart. The other ends of its connections are told nothing: they are
   * half-open, what they send is lost, and dialling it gives no answer. Once it is up again they hear that there is no
   * such connection. What was not synced is lost, or not, or in part.
   */
  powerOff(options: CrashOptions = {}): void {
    if (!this.isUp) return;
    const { name, choice } = this.#drawCrash(options, true);
    this.#die("power-off", `disk=${name}`);
    this.#surroundings.wire.powerLost(this.#process);
    this.disk.completeAll();
    if (choice !== undefined) this.disk.crash(choice);
  }

  /**
   * The process stands still (SIGSTOP): no timer, answer or delivery reaches it. Its machine goes on: its clock, its
   * disk, and the system, which acknowledges what arrives. It can be killed as it stands.
   */
  pause(): void {
    if (!this.isUp || this.isPaused) return;
    this.#surroundings.timeline.note(this.name, "pause", "");
    this.#process.pause();
  }

  /** It goes on: all that has become due happens, in order. */
  resume(): void {
    if (!this.isUp || !this.isPaused) return;
    this.#surroundings.timeline.note(this.name, "resume", "");
    this.#process.resume();
  }

  /** How fast this machine's time goes by, against the world's: 1 is true. Timers under way follow it. */
  get clockRate(): number {
    return this.#clock.rate;
  }

  set clockRate(rate: number) {
    this.#surroundings.timeline.note(this.name, "clock-rate", String(rate));
    this.#clock.rate = rate;
  }

  /** Sets the machine's calendar (`wallTime`) on, or back. Monotonic time goes on as it did. */
  jumpClock(byMs: number): void {
    this.#surroundings.timeline.note(this.name, "clock-jump", String(byMs));
    this.#clock.jump(byMs);
  }

  /** A node that is down loses its disk: the next life begins with an empty one. */
  wipe(): void {
    if (this.isUp) throw new BalsaError("invalid-argument", `${this.name} is up: crash, kill or stop it first`);
    this.disk.wipe();
  }

  /** The same for the process alone: the machine goes on, and what was written is there, synced or not. */
  kill(): void {
    if (this.isUp) this.#end("kill", "");
  }

  /** Closes the program, then ends this life as `kill` does. */
  async stop(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    await program?.close();
    if (this.isUp) this.#end("stop", "");
  }

  /** The next life, with the same `boot` unless another is given. */
  restart(boot: Boot<Program> | undefined = this.#boot): void {
    if (this.isUp) throw new BalsaError("invalid-argument", `${this.name} is up: crash, kill or stop it first`);
    this.#boot = boot;
    [this.#process, this.#platform] = this.#begin();
  }

  #drawCrash(options: CrashOptions, lostPower: boolean): ReturnType<typeof drawCrash> {
    if (options.disk !== undefined) return { name: "chosen", choice: options.disk };
    const { oldest, newest } = this.disk.unsyncedRange() ?? { oldest: 0, newest: 0 };
    return drawCrash(this.#prng.stream(`crash/${this.#lives}`), oldest, newest, lostPower);
  }

  #die(how: string, detail: string): void {
    this.#surroundings.timeline.note(this.name, how, detail);
    this.#program = undefined;
    this.#process.die();
  }

  #end(how: string, detail: string): void {
    this.#die(how, detail);
    this.#surroundings.wire.processDied(this.#process);
    this.disk.completeAll();
  }

  #begin(): [SimProcess, Platform] {
    this.#lives += 1;
    const { timeline, wire, diskTiming } = this.#surroundings;
    const process = new SimProcess(this.name, this.#lives, timeline);
    const prng = this.#prng.stream(`life/${this.#lives}`);
    const files = new SimFiles(new DiskAccess(process, this.disk, diskTiming, prng.stream("disk")));
    const clock = new SimClock(process, this.#clock, prng.below(1e12));
    const network = new SimNetwork(process, wire);
    const platform: Platform = { clock, files, network, random: prng.stream("random"), logger: this.#logger(process) };
    timeline.note(this.name, "start", `life=${this.#lives}`);
    wire.powerCame(this.name);
    const boot = this.#boot;
    if (boot !== undefined) process.schedule(0, "boot", "", () => void this.#run(process, boot(platform)));
    return [process, platform];
  }

  async #run(process: SimProcess, booting: Promise<Program>): Promise<void> {
    try {
      const program = await booting;
      if (process.alive) this.#program = program;
    } catch (error) {
      if (process.alive) this.#surroundings.fail(error);
    }
  }

  #logger(process: SimProcess): Logger {
    return {
      log: (level, message, fields) => {
        if (process.alive) process.timeline.log(process.node, level, message, fields ?? {});
      },
    };
  }
}
