import { expect } from "vitest";
import { BalsaError, StorageError } from "../../src/core/index.js";
import { FileError } from "../../src/platform/index.js";
import { Prng, type SimDisk } from "../../src/sim/index.js";
import type { DiskStorage, LogWrite } from "../../src/storage/index.js";
import { HandClock } from "./hand-clock.js";
import { applied, EMPTY_MODEL, type LegalStates, lastIndexOf, legalState, type ModelState } from "./log-model.js";
import { type Effect, RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  entries,
  foundIn,
  meta,
  openStorage,
  receive,
  snapshotFile,
  takeSnapshot,
  write,
} from "./storages.js";

/** What is done to a storage. Numbers are fractions, of whatever there is to choose from. */
export type Step =
  | {
      readonly kind: "append";
      readonly from: number;
      readonly count: number;
      readonly bytes: number;
      readonly newTerm: boolean;
    }
  | { readonly kind: "hard-state"; readonly commit: number; readonly vote: number }
  | { readonly kind: "snapshot" | "snapshot-meanwhile" | "compact"; readonly at: number }
  | {
      readonly kind:
        | "receive"
        | "reopen"
        | "idle"
        | "settle"
        | "pause"
        | "kill"
        | "power-loss"
        | "failed-sync"
        /** Until something is waited for. */
        | "full-disk";
    };

/** Is told what a crash may leave from now on: after each effect on the disk, and whenever more was promised. */
export interface TrialObserver {
  onEffect(disk: SimDisk, legal: LegalStates, effect: Effect): void;
  onPromise(legal: LegalStates): void;
}

export interface TrialOptions {
  readonly segmentBytes: number;
  /** Calls of the file system take a while, drawn; otherwise they are answered at once. */
  readonly isPaced?: boolean;
  readonly observer?: TrialObserver;
}

/** A storage and, beside it, what it should hold. */
export class StorageTrial {
  readonly #options: TrialOptions;
  readonly #prng: Prng;
  #clock = new HandClock();
  #files: RecordedFiles;
  #storage: DiskStorage | undefined;
  /** After each write since the last settling; the first is acknowledged. */
  #states: ModelState[] = [EMPTY_MODEL];
  #acknowledged = 0;
  #snapshotIndex = 0;
  /** What is under way, and rejects only where the storage may. */
  #tasks: Promise<void>[] = [];
  #term = 1;
  /** The current process; its late answers mean nothing to the next. */
  #life = 0;

  constructor(seed: number | string, options: TrialOptions) {
    this.#options = options;
    this.#prng = new Prng(seed);
    this.#files = this.#filesOn(undefined);
  }

  async run(steps: Iterable<Step>): Promise<void> {
    await this.#start();
    for (const each of steps) await this.#do(this.#running, each);
    await this.#reopen(this.#running);
    await this.#running.close();
  }

  get legal(): LegalStates {
    return {
      states: this.#states,
      oldest: this.#acknowledged,
      newest: this.#states.length - 1,
      snapshotIndex: this.#snapshotIndex,
    };
  }

  get #running(): DiskStorage {
    if (this.#storage === undefined) throw new Error("the storage is open by now");
    return this.#storage;
  }

  get #state(): ModelState {
    return this.#states.at(-1) ?? EMPTY_MODEL;
  }

  async #do(storage: DiskStorage, each: Step): Promise<void> {
    const state = this.#state;
    const { commit } = state.hardState;
    switch (each.kind) {
      case "append": {
        // Behind the commit index anything may be replaced.
        const first = Math.max(commit, state.base.index) + 1;
        const from = first + Math.floor(each.from * (lastIndexOf(state) + 1 - first));
        if (each.newTerm) this.#term++;
        const list = entries(from, from + each.count - 1, this.#term, each.bytes);
        this.#write({ entries: list, ...(each.newTerm ? { hardState: { term: this.#term, vote: 0, commit } } : {}) });
        return;
      }
      case "hard-state": {
        const to = commit + Math.floor(each.commit * (lastIndexOf(state) - commit));
        this.#write({ hardState: { term: this.#term, vote: each.vote, commit: to } });
        return;
      }
      case "snapshot":
        await this.#settle();
        this.#takeSnapshot(storage, each.at);
        return this.#settle();
      case "snapshot-meanwhile":
        this.#takeSnapshot(storage, each.at);
        return;
      case "compact":
        storage.compact(Math.floor(each.at * storage.snapshot().meta.index));
        return;
      case "receive":
        return this.#receive(storage);
      case "settle":
        return this.#settle();
      case "pause":
        return this.#pause();
      case "idle":
        await this.#settle();
        this.#clock.pass(1000);
        return;
      case "reopen":
        return this.#reopen(storage);
      case "kill":
        // The machine goes on: all that was written is there, synced or not.
        // What it was writing when it ended, too: the next process' sync covers it.
        await this.#pause();
        this.#files.disk.completeAll();
        return this.#restart();
      case "power-loss":
        await this.#pause();
        this.#files.disk.crash({
          keep: (sequences) => this.#prng.below(sequences.length + 1),
          tear: () => (this.#prng.chance(0.2) ? this.#prng.below(512) : 0),
        });
        return this.#restart();
      case "failed-sync":
        return this.#failSync();
      case "full-disk":
        this.#files.disk.capacityBytes = this.#files.disk.usedBytes + this.#prng.below(600);
        return;
      default:
        each satisfies never;
    }
  }

  #write(parts: Partial<LogWrite>): void {
    const whole = write(parts);
    this.#states.push(applied(this.#state, whole));
    const number = this.#states.length - 1;
    this.#track(append(this.#running, whole), () => {
      if (number <= this.#acknowledged) throw new Error("acknowledged out of order");
      this.#acknowledged = number;
      this.#snapshotIndex = Math.max(this.#snapshotIndex, whole.snapshot?.meta.index ?? 0);
    });
  }

  /** Of something that is committed and durable, so that no write that is under way can replace it. */
  #takeSnapshot(storage: DiskStorage, at: number): void {
    const floor = storage.snapshot().meta.index;
    const durable = this.#states[this.#acknowledged] ?? EMPTY_MODEL;
    const index = floor + Math.ceil(at * (Math.min(durable.hardState.commit, storage.lastIndex()) - floor));
    if (index <= floor) return;
    const taking = takeSnapshot(storage, index, storage.term(index)).then(
      () => index,
      (cause: unknown) => {
        // The storage is being closed, there is no room, or a snapshot from elsewhere was quicker.
        if (cause instanceof BalsaError && (cause.code === "closed" || cause.code === "disk-full")) return 0;
        if (cause instanceof StorageError && cause.code === "snapshot-out-of-date") return 0;
        throw cause;
      },
    );
    this.#track(taking, (taken) => {
      this.#snapshotIndex = Math.max(this.#snapshotIndex, taken);
    });
  }

  async #receive(storage: DiskStorage): Promise<void> {
    await this.#makeRoom();
    const index = lastIndexOf(this.#state) + 5;
    await receive(storage, index, this.#term, await snapshotFile(new RecordedFiles(), index, this.#term));
    if (this.#prng.chance(0.3)) return; // and never taken over
    this.#write({
      hardState: { term: this.#term, vote: 0, commit: index },
      snapshot: { meta: meta(index, this.#term), data: new Uint8Array(0) },
    });
  }

  /** The next write's sync fails: nothing more is acknowledged, and the process ends. The machine goes on. */
  async #failSync(): Promise<void> {
    await this.#settle();
    const acknowledged = this.#acknowledged;
    let hasFailed = false;
    this.#files.fault = (kind, path) => {
      if (hasFailed || !kind.endsWith("ync")) return undefined;
      // In the background syncs may fail as well, and cost nothing.
      hasFailed = kind.startsWith("writeAndSync");
      return new FileError("io", path, "injected");
    };
    const next = lastIndexOf(this.#state) + 1;
    this.#write({ entries: entries(next, next + this.#prng.below(3), this.#term, this.#prng.below(600)) });
    const refused = Promise.all(this.#tasks.splice(0)).catch((error: unknown) => error);
    // Time passes, and the disk is well again: all in vain.
    for (let turn = 0; turn < 5; turn++) {
      await new Promise(setImmediate);
      this.#clock.pass(1000);
    }
    expect(await refused).toBeInstanceOf(BalsaError);
    const later = append(this.#running, { hardState: this.#state.hardState, mustSync: true });
    await expect(later).rejects.toThrow(BalsaError);
    expect([hasFailed, this.#acknowledged]).toEqual([true, acknowledged]);
    await this.#restart();
  }

  #track<Result>(work: Promise<Result>, onSuccess: (result: Result) => void): void {
    const life = this.#life;
    const task = work.then((result) => {
      if (life !== this.#life) return;
      onSuccess(result);
      this.#options.observer?.onPromise(this.legal);
    });
    // Whoever awaits it sees it; nobody does once the process is dead.
    task.catch(() => {});
    this.#tasks.push(task);
  }

  /** All that was written is acknowledged, and read as it should be. */
  async #settle(): Promise<void> {
    await this.#makeRoom();
    await Promise.all(this.#tasks);
    this.#settleOn(this.#state);
    this.#compare(this.#running);
  }

  /** What waited for room finds it, once it looks again. */
  async #makeRoom(): Promise<void> {
    const { disk } = this.#files;
    if (disk.capacityBytes === Number.POSITIVE_INFINITY) return;
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 10; turn++) {
      await new Promise(setImmediate);
      this.#clock.pass(300);
    }
  }

  async #pause(): Promise<void> {
    for (let i = this.#prng.below(30); i > 0; i--) await Promise.resolve();
  }

  #settleOn(state: ModelState): void {
    this.#tasks = [];
    this.#states = [state];
    this.#acknowledged = 0;
  }

  async #reopen(storage: DiskStorage): Promise<void> {
    await this.#makeRoom();
    await storage.close();
    await this.#settle();
    await this.#start();
  }

  /** The process is dead, another takes its place. */
  async #restart(): Promise<void> {
    this.#files.isDead = true;
    this.#life++;
    this.#tasks = [];
    this.#files = this.#filesOn(this.#files.disk);
    this.#clock = new HandClock();
    await this.#start();
  }

  /** What is found counts from now on: also a commit index that grew, since a snapshot does that the log vouches for. */
  async #start(): Promise<void> {
    const { segmentBytes } = this.#options;
    this.#storage = await openStorage(this.#files, { clock: this.#clock, segmentBytes });
    const { hardState, snapshot } = foundIn(this.#storage);
    this.#settleOn({ ...this.#compare(this.#storage), hardState });
    this.#snapshotIndex = snapshot?.index ?? 0;
    this.#options.observer?.onPromise(this.legal);
  }

  /** The state that the storage is in. */
  #compare(storage: DiskStorage): ModelState {
    expect(storage.logBytes).toBe(allEntries(storage).reduce((sum, { data }) => sum + 28 + data.length, 0));
    return legalState(this.legal, foundIn(storage));
  }

  #filesOn(disk: SimDisk | undefined): RecordedFiles {
    const { observer, isPaced } = this.#options;
    const files: RecordedFiles = new RecordedFiles(disk, {
      onEffect: observer && ((effect) => observer.onEffect(files.disk, this.legal, effect)),
      pace: isPaced === true ? this.#prng.stream(`pace ${this.#life}`) : undefined,
    });
    return files;
  }
}
