import type { SeedResult, SeedTask } from "./seed-task.js";

/** A seed whose run broke a rule. */
export interface Failure {
  readonly seed: string;
  readonly profile: string;
  readonly rule: string;
  readonly detail: string;
  readonly atMs: number;
  /** Runs it again. */
  readonly command: string;
}

/** What seeds came to, of all profiles or of one. */
export interface SeedFigures {
  readonly seeds: number;
  readonly simulatedSeconds: number;
  /** Summed over the workers. */
  readonly realSeconds: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Whose answers were checked. */
  readonly operations: number;
  readonly violations: number;
}

/** What a run of many seeds came to: the last line with `--json`. */
export interface SummaryFigures extends SeedFigures {
  readonly simulatedPerReal: number;
  readonly operationOutcomes: { readonly completed: number; readonly failed: number; readonly unknown: number };
  /** Histories that were too tangled to decide: they prove nothing. */
  readonly undecidedHistories: number;
  /** Seeds run twice, which gave the same trace, byte for byte. */
  readonly repeated: number;
  /** How often rare things happened. */
  readonly coverage: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  /** Each profile that was drawn from, in the order of their names. */
  readonly profiles: Readonly<Record<string, SeedFigures>>;
}

/** Failures that are told in full. */
const FAILURES_MAX = 20;

/** As it is called where this code stands: a package that was installed, or a checkout of its source. */
export function commandFor({ seed, profile, workload }: SeedTask, module: string = import.meta.url): string {
  const command = module.includes("/node_modules/") ? "npx balsa sim" : "npm run sim --";
  const which = workload === "key-value" ? "" : ` --workload ${workload}`;
  return `${command} --seed ${seed} --profile ${profile}${which}`;
}

/** Adds up what can be said of one profile as of all. */
class SeedTally {
  #seeds = 0;
  #simulatedMs = 0;
  #realMs = 0;
  #operations = 0;
  #violations = 0;
  readonly #faults = new Map<string, number>();

  take({ report, realMs, secondHash }: SeedResult, isViolation: boolean): void {
    this.#seeds += 1;
    this.#simulatedMs += report.simulatedMs * (secondHash === undefined ? 1 : 2);
    this.#realMs += realMs;
    this.#operations += report.operations.operations;
    if (isViolation) this.#violations += 1;
    add(this.#faults, report.faults);
  }

  get figures(): SeedFigures {
    return {
      seeds: this.#seeds,
      simulatedSeconds: rounded(this.#simulatedMs / 1_000),
      realSeconds: rounded(this.#realMs / 1_000),
      faults: sorted(this.#faults),
      operations: this.#operations,
      violations: this.#violations,
    };
  }

  get simulatedPerReal(): number {
    return this.#realMs === 0 ? 0 : rounded(this.#simulatedMs / this.#realMs);
  }
}

/** Adds up what seeds came to. */
export class RunSummary {
  #undecided = 0;
  #repeated = 0;
  readonly #all = new SeedTally();
  readonly #profiles = new Map<string, SeedTally>();
  readonly #coverage = new Map<string, number>();
  readonly #outcomes = { completed: 0, failed: 0, unknown: 0 };
  readonly failures: Failure[] = [];

  /** Gives the failure, if it is one. */
  take(result: SeedResult): Failure | undefined {
    const { task, report, secondHash } = result;
    const violation = violationOf(result);
    this.#all.take(result, violation !== undefined);
    this.#tallyOf(task.profile).take(result, violation !== undefined);
    if (report.linearizability === "undecided") this.#undecided += 1;
    if (secondHash !== undefined) this.#repeated += 1;
    add(this.#coverage, report.coverage);
    for (const key of ["completed", "failed", "unknown"] as const) this.#outcomes[key] += report.operations[key];
    if (violation === undefined) return undefined;
    const { rule, detail, atMs } = violation;
    const failure = { seed: task.seed, profile: task.profile, rule, detail, atMs, command: commandFor(task) };
    if (this.failures.length < FAILURES_MAX) this.failures.push(failure);
    return failure;
  }

  get figures(): SummaryFigures {
    return {
      ...this.#all.figures,
      simulatedPerReal: this.#all.simulatedPerReal,
      operationOutcomes: { ...this.#outcomes },
      undecidedHistories: this.#undecided,
      repeated: this.#repeated,
      coverage: sorted(this.#coverage),
      failures: this.failures,
      profiles: Object.fromEntries(inOrder(this.#profiles).map(([profile, tally]) => [profile, tally.figures])),
    };
  }

  #tallyOf(profile: string): SeedTally {
    const known = this.#profiles.get(profile);
    if (known !== undefined) return known;
    const tally = new SeedTally();
    this.#profiles.set(profile, tally);
    return tally;
  }
}

function violationOf({ report, secondHash }: SeedResult): Pick<Failure, "rule" | "detail" | "atMs"> | undefined {
  if (report.violation !== undefined) return report.violation;
  if (secondHash === undefined || secondHash === report.traceHash) return undefined;
  return { rule: "the same seed, the same trace", detail: "two runs differ", atMs: 0 };
}

function add(totals: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(counts)) totals.set(key, (totals.get(key) ?? 0) + count);
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries(inOrder(counts));
}

function inOrder<Value>(named: ReadonlyMap<string, Value>): [string, Value][] {
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
