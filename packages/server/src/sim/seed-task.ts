import type { RunReport } from "balsa/trial";

/** What a worker is to run: the scenario that a profile draws from a seed. */
export interface SeedTask {
  readonly seed: string;
  readonly profile: string;
  readonly workload: string;
  /** Run it twice and compare: the same seed gives the same trace. */
  readonly twice: boolean;
}

/** What came of it. */
export interface SeedResult {
  readonly task: SeedTask;
  readonly report: RunReport;
  /** How long this took, in real time, all runs together. */
  readonly realMs: number;
  /** The trace's hash of the second run, if there was one. */
  readonly secondHash: string | undefined;
}

/** What a worker says: a result, or that it failed in a way that no run should. */
export type WorkerMessage =
  | { readonly kind: "result"; readonly result: SeedResult }
  | { readonly kind: "broken"; readonly task: SeedTask; readonly reason: string };
