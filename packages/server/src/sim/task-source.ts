import { randomInt } from "node:crypto";
import type { SeedResult, SeedTask } from "./seed-task.js";

/** One seed in so many is run twice. */
const TWICE_EVERY = 50;
/** The first of seeds in a row that are drawn afresh is below this; so JSON and a command line hold them exactly. */
const FIRST_SEED_MAX = 2 ** 47;

export interface TaskSourceOptions {
  /** At least one. With several, each seed of `seeds` is run with each; without `seeds` they share the time. */
  readonly profiles: readonly string[];
  readonly workload: string;
  /** First and last; drawn afresh from a random one on if undefined. */
  readonly seeds: readonly [number, number] | undefined;
  /** Whether there is time for another. */
  readonly hasTime: () => boolean;
}

/** Which seed is run next, and what is drawn from it. */
export class TaskSource {
  readonly #options: TaskSourceOptions;
  readonly #first: number;
  readonly #last: number;
  #seed: number;
  /** Of the seed, from 0 on: profiles that it was given out for. */
  #given = 0;
  /** Real ms that seeds of each profile took so far, and what those under way will take, as far as one can tell. */
  readonly #spent = new Map<string, { ms: number; seeds: number; underWay: number }>();

  constructor(options: TaskSourceOptions) {
    this.#options = options;
    this.#first = options.seeds?.[0] ?? randomInt(FIRST_SEED_MAX);
    this.#last = options.seeds?.[1] ?? Number.MAX_SAFE_INTEGER;
    this.#seed = this.#first;
    for (const profile of options.profiles) this.#spent.set(profile, { ms: 0, seeds: 0, underWay: 0 });
  }

  /** The next task, or undefined when there is nothing more to do. */
  next(): SeedTask | undefined {
    const { profiles, workload, seeds, hasTime } = this.#options;
    if (this.#seed > this.#last || !hasTime()) return undefined;
    const profile = seeds === undefined ? this.#leastSpent() : (profiles[this.#given] as string);
    const twice = (this.#seed - this.#first) % TWICE_EVERY === 0;
    const task: SeedTask = { seed: String(this.#seed), profile, workload, twice };
    this.#given += 1;
    if (seeds === undefined || this.#given === profiles.length) {
      this.#seed += 1;
      this.#given = 0;
    }
    const spent = this.#spent.get(profile);
    if (spent !== undefined) spent.underWay += 1;
    return task;
  }

  /** It is done: its profile has had so much of the time. */
  done({ task, realMs }: SeedResult): void {
    const spent = this.#spent.get(task.profile);
    if (spent === undefined) return;
    spent.ms += realMs;
    spent.seeds += 1;
    spent.underWay -= 1;
  }

  /** Seeds of one profile take five times as long as those of another: what is shared is the time. */
  #leastSpent(): string {
    let least = Number.POSITIVE_INFINITY;
    let [chosen] = this.#options.profiles as readonly [string];
    for (const [profile, { ms, seeds, underWay }] of this.#spent) {
      // Of one that has no result yet: one seed under way is enough to begin with.
      const expectedMs = seeds === 0 ? underWay : ms * (1 + underWay / seeds);
      if (expectedMs >= least) continue;
      least = expectedMs;
      chosen = profile;
    }
    return chosen;
  }
}
