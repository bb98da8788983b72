import { FileError } from "../platform/index.js";
import type { Prng } from "./prng.js";
import type { DiskCallKind, SimDisk } from "./sim-disk.js";
import type { SimProcess } from "./sim-process.js";
import { LateWord, type Word } from "./trace.js";

/** How long a disk takes, in µs: [at least, at most]. Reads and writes take 1 µs more for each KiB. */
export interface DiskTiming {
  readonly readUs: readonly [number, number];
  readonly writeUs: readonly [number, number];
  readonly syncUs: readonly [number, number];
  /** Names, sizes, opening and closing. */
  readonly metadataUs: readonly [number, number];
}

/** A good solid-state disk. */
export const DISK_TIMING: DiskTiming = {
  readUs: [20, 100],
  writeUs: [10, 60],
  syncUs: [150, 600],
  metadataUs: [10, 60],
};

const NONE: readonly number[] = [];

/** Calls that make something durable. */
const SYNCING: ReadonlySet<DiskCallKind> = new Set<DiskCallKind>(["sync", "syncDir", "writeAndSync"]);

/** A call on its way: what its event needs. */
class UnderWay<Result> {
  readonly #complete: () => Result;
  readonly #left: (() => void) | undefined;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    complete: () => Result,
    left: (() => void) | undefined,
    resolve: (result: Result) => void,
    reject: (error: unknown) => void,
  ) {
    this.#complete = complete;
    this.#left = left;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  settle(): void {
    try {
      this.#resolve(this.#complete());
    } catch (error) {
      this.#reject(error);
    }
    this.#left?.();
  }
}

function settle<Result>(call: UnderWay<Result>): void {
  call.settle();
}

/** One process' way to its node's disk: calls that take time, may fail, and die with the process. */
export class DiskAccess {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly timing: DiskTiming;
  readonly writeAndSync: LateWord = new LateWord("writeAndSync");
  readonly #prng: Prng;

  constructor(process: SimProcess, disk: SimDisk, timing: DiskTiming, prng: Prng) {
    this.process = process;
    this.disk = disk;
    this.timing = timing;
    this.#prng = prng;
  }

  /** How long what is one of the `timing`s takes. */
  delayUs(range: readonly [number, number], lengthBytes: number): number {
    const takesUs = this.#prng.between(range[0], range[1]) + (lengthBytes >>> 10);
    const { slowness } = this.disk;
    return slowness === 1 ? takesUs : Math.ceil(takesUs * slowness);
  }

  /** The start of a call: what was injected, or "dead" if the caller lives no more and must not be answered. */
  admit(kind: DiskCallKind, path: string): FileError | "dead" | undefined {
    if (!this.process.alive) return "dead";
    if (this.disk.fault === undefined && this.disk.syncError === undefined) return undefined;
    const code = this.disk.fault?.({ kind, path }) ?? (SYNCING.has(kind) ? this.disk.syncError : undefined);
    // It may have crashed the node instead.
    if (!this.process.alive) return "dead";
    return code === undefined ? undefined : new FileError(code, path, `${kind} ${path}: injected ${code}`);
  }

  /** How much of a write that fails reached the file all the same. */
  partOf(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, this.#prng.below(bytes.length + 1));
  }

  /**
   * `start` does the call's work at once and returns how it ends when its time is over. It is handed the error that was
   * injected: to throw it, after whatever else a failing call leaves behind. `detail`, which begins with the path, and
   * `numbers` are for the trace; `left` is told when it is over.
   */
  call<Result>(
    kind: DiskCallKind,
    path: string,
    detail: LateWord,
    delayUs: number,
    start: (injected: FileError | undefined) => () => Result,
    numbers: readonly number[] = NONE,
    left?: () => void,
  ): Promise<Result> {
    const injected = this.admit(kind, path);
    if (injected === "dead") return new Promise(() => {});
    let complete: () => Result;
    let outcome = "";
    try {
      complete = start(injected);
      if (injected !== undefined) throw injected;
    } catch (error) {
      outcome = error instanceof FileError ? ` ${error.code}` : " failed";
      complete = () => {
        throw error;
      };
    }
    return new Promise((resolve, reject) => {
      const underWay = new UnderWay(complete, left, resolve, reject);
      const word = this.process.timeline.trace.word(kind);
      const event = this.process.scheduleFor(delayUs, word, this.wordOf(detail, outcome), underWay, settle);
      event.withNumbers(numbers.length, numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0);
    });
  }

  /** How a call ended, for the trace; "" if well. */
  wordOf(detail: LateWord, outcome: string): Word {
    const { trace } = this.process.timeline;
    return outcome === "" ? detail.in(trace) : trace.word(detail.text + outcome);
  }
}
