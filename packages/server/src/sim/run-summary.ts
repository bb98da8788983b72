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

/** What a run of many seeds came to: the last line with `--json`. */
export interface SummaryFigures {
  readonly seeds: number;
  readonly simulatedSeconds: number;
  /** Summed over the workers. */
  readonly realSeconds: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Whose answers were checked. */
  readonly operations: number;
  readonly violations: number;
  readonly simulatedPerReal: number;
  readonly operationOutcomes: { readonly completed: number; readonly failed: number; readonly unknown: number };
  /** Histories that were too tangled to decide: they prove nothing. */
  readonly undecidedHistories: number;
  /** Seeds run twice, which gave the same trace, byte for byte. */
  readonly repeated: number;
  /** How often rare things happened. */
  readonly coverage: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

/** Failures that are told in full. */
const FAILURES_MAX = 20;

export function commandFor({ seed, profile, workload }: SeedTask): string {
  const which = workload === "key-value" ? "" : ` --workload ${workload}`;
  return `npm run sim -- --seed ${seed} --profile ${profile}${which}`;
}

/** Adds up what seeds came to. */
export class RunSummary {
  #seeds = 0;
  #simulatedMs = 0;
  #realMs = 0;
  #undecided = 0;
  #repeated = 0;
  #violations = 0;
  readonly #faults = new Map<string, number>();
  readonly #coverage = new Map<string, number>();
  readonly #outcomes = { operations: 0, completed: 0, failed: 0, unknown: 0 };
  readonly failures: Failure[] = [];

  /** Gives the failure, if it is one. */
  take({ task, report, realMs, secondHash }: SeedResult): Failure | undefined {
    this.#seeds += 1;
    this.#simulatedMs += report.simulatedMs * (secondHash === undefined ? 1 : 2);
    this.#realMs += realMs;
    if (report.linearizability === "undecided") this.#undecided += 1;
    if (secondHash !== undefined) this.#repeated += 1;
    add(this.#faults, report.faults);
    add(this.#coverage, report.coverage);
    for (const key of ["operations", "completed", "failed", "unknown"] as const) {
      this.#outcomes[key] += report.operations[key];
    }
    const differs = secondHash !== undefined && secondHash !== report.traceHash;
    const violation =
      report.violation ??
      (differs ? { rule: "the same seed, the same trace", detail: "two runs differ", atMs: 0 } : undefined);
    if (violation === undefined) return undefined;
    this.#violations += 1;
    const { rule, detail, atMs } = violation;
    const failure = { seed: task.seed, profile: task.profile, rule, detail, atMs, command: commandFor(task) };
    if (this.failures.length < FAILURES_MAX) this.failures.push(failure);
    return failure;
  }

  get figures(): SummaryFigures {
    const { operations, completed, failed, unknown } = this.#outcomes;
    return {
      seeds: this.#seeds,
      simulatedSeconds: rounded(this.#simulatedMs / 1_000),
      realSeconds: rounded(this.#realMs / 1_000),
      faults: sorted(this.#faults),
      operations,
      violations: this.#violations,
      simulatedPerReal: this.#realMs === 0 ? 0 : rounded(this.#simulatedMs / this.#realMs),
      operationOutcomes: { completed, failed, unknown },
      undecidedHistories: this.#undecided,
      repeated: this.#repeated,
      coverage: sorted(this.#coverage),
      failures: this.failures,
    };
  }
}

function add(totals: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [key, count] of Object.entries(counts)) totals.set(key, (totals.get(key) ?? 0) + count);
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
