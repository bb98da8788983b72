import fc from "fast-check";
import { expect, test } from "vitest";
import { Prng } from "../../src/sim/index.js";
import type { DiskStorage, LogWrite } from "../../src/storage/index.js";
import { HandClock } from "./hand-clock.js";
import { applied, difference, EMPTY_MODEL, lastIndexOf, type ModelState } from "./log-model.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  entries,
  meta,
  openStorage,
  receive,
  snapshotFile,
  takeSnapshot,
  write,
} from "./storages.js";

/** What is done to a storage. Numbers are fractions, of whatever there is to choose from. */
type Step =
  | {
      readonly kind: "append";
      readonly from: number;
      readonly count: number;
      readonly bytes: number;
      readonly newTerm: boolean;
    }
  | { readonly kind: "hard-state"; readonly commit: number; readonly vote: number }
  | { readonly kind: "snapshot" | "compact"; readonly at: number }
  | { readonly kind: "receive" | "reopen" | "idle" | "settle" | "kill" | "power-loss" };

const fraction = fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      from: fraction,
      count: fc.nat({ max: 12 }),
      bytes: fc.nat({ max: 200 }),
      newTerm: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("hard-state" as const), commit: fraction, vote: fc.nat({ max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("snapshot" as const, "compact" as const), at: fraction }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "receive" as const,
        "reopen" as const,
        "idle" as const,
        "settle" as const,
        "kill" as const,
        "power-loss" as const,
      ),
    }),
  },
);

/** A storage and, beside it, what it should hold. */
class Trial {
  readonly #prng: Prng;
  readonly #segmentBytes: number;
  #clock = new HandClock();
  #files = new RecordedFiles();
  #storage: DiskStorage | undefined;
  /** After each write since the last settling; the first is acknowledged. */
  #states: ModelState[] = [EMPTY_MODEL];
  #acknowledged = 0;
  #writes: Promise<void>[] = [];
  #term = 1;

  constructor(seed: number, segmentBytes: number) {
    this.#prng = new Prng(seed);
    this.#segmentBytes = segmentBytes;
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#storage = await this.#open();
    for (const each of steps) await this.#do(this.#storage, each);
    await this.#reopen(this.#storage);
    await this.#storage.close();
  }

  async #do(storage: DiskStorage, { ...each }: Step): Promise<void> {
    const state = this.#states.at(-1) ?? EMPTY_MODEL;
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
      case "snapshot": {
        await this.#settle();
        const floor = storage.snapshot().meta.index;
        const index = floor + Math.ceil(each.at * (commit - floor));
        if (index > floor) await takeSnapshot(storage, index, storage.term(index));
        return;
      }
      case "compact":
        await this.#settle();
        storage.compact(Math.floor(each.at * storage.snapshot().meta.index));
        return;
      case "receive": {
        const index = lastIndexOf(state) + 5;
        await receive(storage, index, this.#term, await snapshotFile(new RecordedFiles(), index, this.#term));
        if (this.#prng.chance(0.3)) return; // and never taken over
        this.#write({
          hardState: { term: this.#term, vote: 0, commit: index },
          snapshot: { meta: meta(index, this.#term), data: new Uint8Array(0) },
        });
        return;
      }
      case "settle":
        return this.#settle();
      case "idle":
        await this.#settle();
        this.#clock.pass(1000);
        return;
      case "reopen":
        return this.#reopen(storage);
      case "kill":
        // The machine goes on: all that was written is there, synced or not.
        return this.#crash((steps) => steps.length);
      case "power-loss":
        return this.#crash((steps) => this.#prng.below(steps.length + 1));
      default:
        each satisfies never;
    }
  }

  #write(parts: Partial<LogWrite>): void {
    const whole = write(parts);
    this.#states.push(applied(this.#states.at(-1) ?? EMPTY_MODEL, whole));
    const number = this.#states.length - 1;
    const storage = this.#storage;
    if (storage === undefined) return;
    const states = this.#states;
    this.#writes.push(
      append(storage, whole).then(() => {
        if (states === this.#states) this.#acknowledged = number;
      }),
    );
  }

  /** All that was written is acknowledged, and read as it should be. */
  async #settle(): Promise<void> {
    await Promise.all(this.#writes);
    this.#restart(this.#states.at(-1) ?? EMPTY_MODEL);
    this.#compare([this.#states[0] ?? EMPTY_MODEL]);
  }

  #restart(state: ModelState): void {
    this.#writes = [];
    this.#states = [state];
    this.#acknowledged = 0;
  }

  async #reopen(storage: DiskStorage): Promise<void> {
    await storage.close();
    await this.#settle();
    this.#storage = await this.#open();
    // The commit index may have grown: a snapshot that was received and never taken over counts if the log vouches for it.
    this.#restart(this.#compare([this.#states[0] ?? EMPTY_MODEL]));
  }

  async #crash(keep: (steps: readonly number[]) => number): Promise<void> {
    // Somewhere on the way.
    for (let i = this.#prng.below(20); i > 0; i--) await Promise.resolve();
    const candidates = this.#states.slice(this.#acknowledged);
    const { disk } = this.#files;
    disk.crash({ keep, tear: () => (this.#prng.chance(0.2) ? this.#prng.below(512) : 0) });
    this.#files.isDead = true;
    this.#files = new RecordedFiles(disk);
    this.#clock = new HandClock();
    this.#storage = await this.#open();
    this.#restart(this.#compare(candidates));
  }

  /** The state that the storage is in. */
  #compare(candidates: readonly ModelState[]): ModelState {
    const storage = this.#storage;
    if (storage === undefined) return EMPTY_MODEL;
    const { meta: current } = storage.snapshot();
    const all = allEntries(storage);
    const found = {
      hardState: storage.initialState().hardState,
      snapshot: current.index === 0 ? undefined : current,
      entries: all.filter(({ index }) => index > current.index),
    };
    const reasons = candidates.map((state) => difference(state, found));
    const at = reasons.lastIndexOf(undefined);
    const state = candidates[at];
    if (state === undefined) throw new Error(reasons.join("; "));
    expect(storage.logBytes).toBe(all.reduce((sum, { data }) => sum + 28 + data.length, 0));
    return { ...state, hardState: found.hardState };
  }

  #open(): Promise<DiskStorage> {
    return openStorage(this.#files, { clock: this.#clock, segmentBytes: this.#segmentBytes });
  }
}

test("F1 F2 F3 whatever is written, crashed and reopened in whatever order, a plain array would hold the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(512, 900, 4096, 65_536),
      fc.array(step, { maxLength: 60 }),
      (seed, segmentBytes, steps) => new Trial(seed, segmentBytes).run(steps),
    ),
    { numRuns: 150 },
  );
});
