import { BalsaError, StorageError } from "../../src/core/index.js";
import { FileError, type FileErrorCode } from "../../src/platform/index.js";
import { Prng, SimDisk } from "../../src/sim/index.js";
import type { DiskStorage, LogWrite } from "../../src/storage/index.js";
import { drawCrash } from "./crash-choices.js";
import { HandClock } from "./hand-clock.js";
import { applied, EMPTY_MODEL, lastIndexOf, legalState, type ModelState } from "./log-model.js";
import { type CallKind, RecordedFiles } from "./recorded-files.js";
import { append, entries, foundIn, meta, openStorage, receive, snapshotFile, takeSnapshot, write } from "./storages.js";

/** Which calls of one process fail. */
type FaultPlan = (kind: CallKind, path: string) => FileError | undefined;

/** Calls of a life, about: one to fail is drawn among so many. */
const CALLS = 120;

/** None, one, some, all from one on, or all for a while. */
function drawPlan(prng: Prng): FaultPlan {
  const code = prng.pick<FileErrorCode>(["io", "io", "full", "too-many-open"]);
  const at = prng.below(CALLS);
  const fails = (call: number): boolean => {
    switch (shape) {
      case "none":
        return false;
      case "one":
        return call === at;
      case "some":
        return prng.chance(0.04);
      case "all from one on":
        return call >= at;
      case "all for a while":
        return call >= at && call < at + length;
      default:
        shape satisfies never;
        return false;
    }
  };
  const shape = prng.pick(["none", "one", "one", "some", "all from one on", "all for a while"] as const);
  const length = prng.between(2, 30);
  let calls = 0;
  return (kind, path) => (fails(calls++) ? new FileError(code, path, `injected at ${kind}`) : undefined);
}

/** What one run of lives met with. */
export interface FaultTally {
  lives: number;
  refusedOpenings: number;
  failures: number;
  acknowledged: number;
}

/**
 * Processes on one disk, one after the other, whose file system calls fail: each finds what was acknowledged by those
 * before it, and acknowledges nothing more once its log has failed.
 */
export class FaultTrial {
  readonly tally: FaultTally = { lives: 0, refusedOpenings: 0, failures: 0, acknowledged: 0 };
  readonly #prng: Prng;
  readonly #disk = new SimDisk();
  /** After each write since what was found last. */
  #states: ModelState[] = [EMPTY_MODEL];
  #acknowledged = 0;
  #snapshotIndex = 0;
  #term = 1;

  constructor(seed: string) {
    this.#prng = new Prng(`faults ${seed}`);
  }

  async run(lives: number): Promise<void> {
    for (let life = 0; life < lives; life++) await this.#live(drawPlan(this.#prng));
    // The last one on a disk that is well.
    await this.#live(() => undefined);
    if (this.tally.refusedOpenings === this.tally.lives) throw new Error("a sound disk was refused");
  }

  async #live(fault: FaultPlan): Promise<void> {
    this.tally.lives++;
    const files = new RecordedFiles(this.#disk, { pace: this.#prng.stream(`life ${this.tally.lives}`) });
    const clock = new HandClock();
    files.fault = fault;
    let storage: DiskStorage | undefined;
    try {
      storage = await openStorage(files, { clock, segmentBytes: this.#prng.pick([512, 1024, 4096]) });
    } catch (cause) {
      // Nothing else is a reason to refuse a directory.
      if (codeOf(cause) !== "storage-failed" && codeOf(cause) !== "disk-full") throw cause;
      this.tally.refusedOpenings++;
    }
    if (storage !== undefined) await this.#use(storage, clock);
    files.isDead = true;
    // The process is gone; now and then the power as well.
    if (this.#prng.chance(0.5)) this.#disk.crash(drawCrash(this.#prng, this.#disk));
    else this.#disk.completeAll();
  }

  async #use(storage: DiskStorage, clock: HandClock): Promise<void> {
    const found = foundIn(storage);
    const legal = { states: this.#states, oldest: this.#acknowledged, newest: this.#states.length - 1 };
    const state = legalState({ ...legal, snapshotIndex: this.#snapshotIndex }, found);
    this.#states = [{ ...state, hardState: found.hardState }];
    this.#acknowledged = 0;
    this.#snapshotIndex = found.snapshot?.index ?? 0;

    let hasFailed = false;
    let isOver = false;
    const submit = (parts: Partial<LogWrite>): void => {
      const whole = write(parts);
      this.#states.push(applied(this.#state, whole));
      const number = this.#states.length - 1;
      append(storage, whole).then(
        () => {
          if (isOver) return;
          if (hasFailed) throw new Error("acknowledged behind a failure");
          if (number <= this.#acknowledged) throw new Error("acknowledged out of order");
          this.#acknowledged = number;
          this.#snapshotIndex = Math.max(this.#snapshotIndex, whole.snapshot?.meta.index ?? 0);
          this.tally.acknowledged++;
        },
        (cause: unknown) => {
          if (isOver) return;
          if (!(cause instanceof BalsaError)) throw cause;
          if (cause.code === "storage-failed") hasFailed = true;
        },
      );
    };
    for (let step = this.#prng.below(25); step > 0; step--) {
      await this.#step(storage, submit);
      if (this.#prng.chance(0.3)) await turns(2);
      if (this.#prng.chance(0.3)) clock.pass(300);
    }
    const waiting = this.#prng.below(6);
    for (let turn = 0; turn < waiting; turn++) {
      await turns(2);
      clock.pass(300);
    }
    if (this.#prng.chance(0.3)) await storage.close();
    if (hasFailed) this.tally.failures++;
    isOver = true;
  }

  get #state(): ModelState {
    return this.#states.at(-1) ?? EMPTY_MODEL;
  }

  async #step(storage: DiskStorage, submit: (parts: Partial<LogWrite>) => void): Promise<void> {
    const state = this.#state;
    const { commit, vote } = state.hardState;
    const last = lastIndexOf(state);
    switch (this.#prng.below(9)) {
      case 0:
        submit({ hardState: { term: this.#term, vote, commit: this.#prng.between(commit, last) } });
        return;
      case 1: {
        // What is durable and committed can't be replaced by what is under way.
        const durable = this.#states[this.#acknowledged] ?? EMPTY_MODEL;
        const index = Math.min(durable.hardState.commit, storage.lastIndex());
        if (index <= storage.snapshot().meta.index) return;
        const isTaken = await isStored(takeSnapshot(storage, index, storage.term(index)));
        if (isTaken) this.#snapshotIndex = Math.max(this.#snapshotIndex, index);
        return;
      }
      case 2:
        storage.compact(this.#prng.below(storage.snapshot().meta.index + 1));
        return;
      case 3: {
        if (this.#prng.chance(0.7)) return;
        const index = last + 5;
        const file = await snapshotFile(new RecordedFiles(), index, this.#term);
        // Now and then it is never taken over.
        if (!(await isStored(receive(storage, index, this.#term, file))) || this.#prng.chance(0.3)) return;
        const snapshot = { meta: meta(index, this.#term), data: new Uint8Array(0) };
        submit({ hardState: { term: this.#term, vote: 0, commit: index }, snapshot });
        return;
      }
      default: {
        const first = this.#prng.chance(0.8)
          ? last + 1
          : this.#prng.between(Math.max(commit, state.base.index) + 1, last + 1);
        const count = this.#prng.below(4);
        const hasNewTerm = first <= last || this.#prng.chance(0.1);
        if (hasNewTerm) this.#term++;
        const list = entries(first, first + count - 1, this.#term, this.#prng.below(400));
        submit({ entries: list, ...(hasNewTerm ? { hardState: { term: this.#term, vote: 0, commit } } : {}) });
      }
    }
  }
}

/** Whether it came to its end; what the file system refuses it may be refused for. */
async function isStored(snapshot: Promise<void>): Promise<boolean> {
  try {
    await snapshot;
    return true;
  } catch (cause) {
    const isOutdated = cause instanceof StorageError && cause.code === "snapshot-out-of-date";
    if (!(cause instanceof BalsaError) && !isOutdated) throw cause;
    return false;
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof BalsaError ? cause.code : undefined;
}
