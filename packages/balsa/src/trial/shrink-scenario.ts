import type { Scenario, Step } from "./scenario.js";

/** Whether a scenario still shows what it is to show. */
export type StillFails = (scenario: Scenario) => Promise<boolean>;

export interface ShrinkOptions {
  /** How many runs it may take. Default 800. */
  readonly runsMax?: number;
  /** Asked before each run: whether what was found so far will do. */
  readonly isEnough?: () => boolean;
  /** Told of each smaller scenario. */
  readonly onProgress?: (smaller: Scenario, runs: number) => void;
}

/**
 * What is taken out shifts all chance that follows: a smaller scenario may show the same under another seed. So each is
 * tried with so many.
 */
const SEEDS_EACH = 4;
const RUNS_MAX_DEFAULT = 800;

/**
 * A smaller scenario that still fails: shorter, with fewer members, faults and calls, and with nothing special about
 * network, disk and settings where that does not matter. Never larger than the given one; the same if nothing helps.
 */
export async function shrinkScenario(
  scenario: Scenario,
  stillFails: StillFails,
  options: ShrinkOptions = {},
): Promise<Scenario> {
  const shrinking = new Shrinking(scenario, stillFails, options);
  let before: Scenario;
  do {
    before = shrinking.smallest;
    await shrinking.shorten();
    await shrinking.beginLater();
    await shrinking.takeOutSteps("fault");
    await shrinking.takeOutSteps("operation");
    await shrinking.takeOutMembers();
    await shrinking.simplify();
  } while (shrinking.smallest !== before && !shrinking.isExhausted);
  return shrinking.smallest;
}

class Shrinking {
  smallest: Scenario;
  readonly #stillFails: StillFails;
  readonly #options: ShrinkOptions;
  #runs = 0;

  constructor(scenario: Scenario, stillFails: StillFails, options: ShrinkOptions) {
    this.smallest = scenario;
    this.#stillFails = stillFails;
    this.#options = options;
  }

  get isExhausted(): boolean {
    const { runsMax = RUNS_MAX_DEFAULT, isEnough } = this.#options;
    return this.#runs >= runsMax || isEnough?.() === true;
  }

  /** Ends the run earlier, half as long again and again, and then by less. */
  async shorten(): Promise<void> {
    for (const share of [0.5, 0.75, 0.9]) {
      for (;;) {
        const durationMs = Math.ceil(this.smallest.durationMs * share);
        if (durationMs >= this.smallest.durationMs) break;
        const steps = this.smallest.steps.filter(({ atMs }) => atMs < durationMs);
        if (!(await this.#try({ ...this.smallest, durationMs, steps }))) break;
      }
    }
  }

  /** Leaves out what comes first, and moves the rest up. */
  async beginLater(): Promise<void> {
    for (const share of [0.5, 0.25, 0.1]) {
      for (;;) {
        const byMs = Math.floor(this.smallest.durationMs * share);
        if (byMs < 1) break;
        const durationMs = this.smallest.durationMs - byMs;
        const later = this.smallest.steps.filter(({ atMs }) => atMs >= byMs);
        const steps = later.map((step): Step => ({ ...step, atMs: step.atMs - byMs }));
        if (!(await this.#try({ ...this.smallest, durationMs, steps }))) break;
      }
    }
  }

  /** In ever smaller lots, down to one at a time (delta debugging, Zeller and Hildebrandt 2002). */
  async takeOutSteps(kind: Step["kind"]): Promise<void> {
    const count = (): number => this.smallest.steps.filter((step) => step.kind === kind).length;
    for (let lot = count(); lot >= 1; lot = Math.floor(lot / 2)) {
      for (let from = 0; from < count() && !this.isExhausted; ) {
        let at = -1;
        const steps = this.smallest.steps.filter((step) => {
          if (step.kind !== kind) return true;
          at += 1;
          return at < from || at >= from + lot;
        });
        // What follows has moved up to where the lot was.
        if (!(await this.#try({ ...this.smallest, steps }))) from += lot;
      }
    }
  }

  async takeOutMembers(): Promise<void> {
    while (this.smallest.members > 1) {
      const members = this.smallest.members - 1;
      if (!(await this.#try({ ...this.smallest, members }))) break;
    }
    while ((this.smallest.spares ?? 0) > 0) {
      if (!(await this.#try({ ...this.smallest, spares: (this.smallest.spares ?? 0) - 1 }))) return;
    }
  }

  async simplify(): Promise<void> {
    const { settings, network, probes, steps } = this.smallest;
    const { heartbeatMs, electionMs, snapshotLogEntries, keepEntries } = settings;
    const plainSettings = { heartbeatMs, electionMs, snapshotLogEntries, keepEntries, segmentBytes: 32_768 };
    if (Object.keys(settings).length > 5) await this.#try({ ...this.smallest, settings: plainSettings });
    if (network.slowMembers.length > 0) {
      await this.#try({ ...this.smallest, network: { ...network, slowMembers: [] } });
    }
    if (this.smallest.sessions !== undefined) {
      const { sessions: _, ...without } = this.smallest;
      await this.#try(without);
    }
    if (probes.length > 0) await this.#try({ ...this.smallest, probes: [] });
    const unconditional = steps.map((step): Step => {
      if (step.kind === "operation" || step.on === undefined) return step;
      return { kind: "fault", atMs: step.atMs, fault: step.fault };
    });
    if (steps.some((step) => "on" in step)) await this.#try({ ...this.smallest, steps: unconditional });
  }

  async #try(candidate: Scenario): Promise<boolean> {
    for (let variant = 0; variant < SEEDS_EACH && !this.isExhausted; variant += 1) {
      const seed = variant === 0 ? candidate.seed : `${candidate.seed}.${variant}`;
      this.#runs += 1;
      if (!(await this.#stillFails({ ...candidate, seed }))) continue;
      this.smallest = { ...candidate, seed };
      this.#options.onProgress?.(this.smallest, this.#runs);
      return true;
    }
    return false;
  }
}
