import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { profileOf } from "../sim/run-seed.js";
import { RunSummary, type SummaryFigures } from "../sim/run-summary.js";
import type { SeedTask } from "../sim/seed-task.js";
import { runOnWorkers } from "../sim/worker-pool.js";
import { loadWorkload } from "../sim/workloads.js";
import { EXIT } from "./exit-code.js";
import { showScenario } from "./sim-scenario.js";
import { type TextOutput, table } from "./text-output.js";

export interface SimFlags {
  readonly seed?: string;
  /** First and last. */
  readonly seeds?: readonly [number, number];
  readonly minutes?: number;
  readonly profile: string;
  readonly workload: string;
  readonly scenario?: string;
  readonly trace?: string;
  readonly page?: string;
  /** First and last ms. */
  readonly pageRange?: readonly [number, number];
  readonly save?: string;
  readonly shrink?: string;
  /** At the first violation. */
  readonly stop: boolean;
  readonly workers?: number;
  readonly json: boolean;
}

const MINUTES_DEFAULT = 1;
/** One seed in so many is run twice. */
const TWICE_EVERY = 50;
const PROGRESS_EVERY_MS = 1_000;

/** Runs seeds in the simulator, or one scenario; tells what was found. */
export async function runSim(flags: SimFlags, io: TextOutput): Promise<number> {
  await loadWorkload(flags.workload);
  profileOf(flags.profile);
  if (flags.seed !== undefined || flags.scenario !== undefined) return showScenario(flags, io);
  const summary = new RunSummary();
  const beganMs = performance.now();
  const endMs = beganMs + (flags.minutes ?? MINUTES_DEFAULT) * 60_000;
  const tasks = taskSource(flags, flags.seeds !== undefined && flags.minutes === undefined ? Infinity : endMs);
  let isStopped = false;
  const next = (): SeedTask | undefined => (isStopped ? undefined : tasks());
  const progress = flags.json
    ? undefined
    : setInterval(() => io.error(progressLine(summary.figures)), PROGRESS_EVERY_MS);
  try {
    await runOnWorkers(flags.workers ?? availableParallelism(), next, (result) => {
      const failure = summary.take(result);
      if (failure !== undefined && flags.stop) isStopped = true;
      if (failure === undefined || flags.json) return;
      io.error(`\nseed ${failure.seed} breaks "${failure.rule}" after ${failure.atMs} ms: ${failure.detail}\n`);
      io.error(`again: ${failure.command}\n`);
    });
  } finally {
    clearInterval(progress);
  }
  const { figures } = summary;
  io.out(flags.json ? `${JSON.stringify(figures)}\n` : report(figures));
  return figures.violations === 0 && figures.seeds > 0 ? EXIT.ok : EXIT.failure;
}

/** Seeds in a row: those asked for, or from a random one on. */
function taskSource({ seeds, profile, workload }: SimFlags, endMs: number): () => SeedTask | undefined {
  const first = seeds?.[0] ?? randomInt(2 ** 47);
  const last = seeds?.[1] ?? Number.MAX_SAFE_INTEGER;
  let seed = first;
  return () => {
    if (seed > last || performance.now() >= endMs) return undefined;
    const twice = (seed - first) % TWICE_EVERY === 0;
    const task = { seed: String(seed), profile, workload, twice };
    seed += 1;
    return task;
  };
}

function progressLine(figures: SummaryFigures): string {
  const faults = Object.values(figures.faults).reduce((sum, count) => sum + count, 0);
  return `\r${figures.seeds} seeds, ${(figures.simulatedSeconds / 3600).toFixed(2)} h simulated at ${figures.simulatedPerReal} : 1 a core, ${faults} faults, ${figures.operations} operations, ${figures.violations} violations `;
}

function report(figures: SummaryFigures): string {
  const { seeds, simulatedSeconds, realSeconds, operations, operationOutcomes: outcomes } = figures;
  const rows = (counts: Readonly<Record<string, number>>): string =>
    table(Object.entries(counts).map(([what, count]) => [`  ${what}`, String(count)]));
  return `
${seeds} seeds, ${figures.repeated} of them twice with the same trace
${(simulatedSeconds / 3600).toFixed(2)} h simulated in ${realSeconds} s of workers' time, ${figures.simulatedPerReal} : 1
${operations} operations: ${outcomes.completed} answered, ${outcomes.failed} without effect, ${outcomes.unknown} unknown; ${figures.undecidedHistories} histories undecided
faults:
${rows(figures.faults)}what rarely happens:
${rows(figures.coverage)}${figures.violations} violations
${figures.failures.map(({ rule, command }) => `  ${rule}: ${command}\n`).join("")}`;
}
