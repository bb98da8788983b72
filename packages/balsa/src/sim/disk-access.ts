import { FileError } from "../platform/index.js";
import type { Prng } from "./prng.js";
import type { DiskCall, DiskCallKind, SimDisk } from "./sim-disk.js";
import type { SimProcess } from "./sim-process.js";

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

/** Calls that make something durable. */
const SYNCING: ReadonlySet<DiskCallKind> = new Set<DiskCallKind>(["sync", "syncDir", "writeAndSync"]);

/** One process' way to its node's disk: calls that take time, may fail, and die with the process. */
export class DiskAccess {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly #timing: DiskTiming;
  readonly #prng: Prng;

  constructor(process: SimProcess, disk: SimDisk, timing: DiskTiming, prng: Prng) {
    this.process = process;
    this.disk = disk;
    this.#timing = timing;
    this.#prng = prng;
  }

  delayUs(which: keyof DiskTiming, lengthBytes: number): number {
    const [least, most] = this.#timing[which];
    const takesUs = this.#prng.between(least, most) + (lengthBytes >>> 10);
    const { slowness } = this.disk;
    return slowness === 1 ? takesUs : Math.ceil(takesUs * slowness);
  }

  /** The start of a call: what was injected, or "dead" if the caller lives no more and must not be answered. */
  admit(call: DiskCall): FileError | "dead" | undefined {
    if (!this.process.alive) return "dead";
    if (this.disk.fault === undefined && this.disk.syncError === undefined) return undefined;
    const code = this.disk.fault?.(call) ?? (SYNCING.has(call.kind) ? this.disk.syncError : undefined);
    // It may have crashed the node instead.
    if (!this.process.alive) return "dead";
    return code === undefined
      ? undefined
      : new FileError(code, call.path, `${call.kind} ${call.path}: injected ${code}`);
  }

  /** How much of a write that fails reached the file all the same. */
  partOf(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(0, this.#prng.below(bytes.length + 1));
  }

  /**
   * `start` does the call's work at once and returns how it ends when its time is over. It is handed the error that was
   * injected: to throw it, after whatever else a failing call leaves behind.
   */
  call<Result>(
    call: DiskCall,
    detail: string,
    delayUs: number,
    start: (injected: FileError | undefined) => () => Result,
    numbers?: readonly number[],
  ): Promise<Result> {
    const injected = this.admit(call);
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
    return this.process.after(delayUs, call.kind, `${call.path}${detail}${outcome}`, complete, numbers);
  }
}
