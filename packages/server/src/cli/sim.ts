import { accessSync, constants, existsSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { ServerError } from "../server-error.js";
import { profilesOf } from "../sim/run-seed.js";
import { RunSummary, type SummaryFigures } from "../sim/run-summary.js";
import { TaskSource } from "../sim/task-source.js";
import { runOnWorkers } from "../sim/worker-pool.js";
import { loadWorkload } from "../sim/workloads.js";
import { EXIT, lineOf } from "./exit-code.js";
import { Interruption } from "./interruption.js";
import { showScenario } from "./sim-scenario.js";
import { type TextOutput, table } from "./text-output.js";

export interface SimFlags {
  readonly seed?: string;
  /** First and last. */
  readonly seeds?: readonly [number, number];
  readonly minutes?: number;
  /** One or more, with commas between them. */
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
const PROGRESS_EVERY_MS = 1_000;

/** Runs seeds in the simulator, or one scenario; tells what was found. */
export async function runSim(flags: SimFlags, io: TextOutput): Promise<number> {
  const { workload, seeds, minutes } = flags;
  checkTogether(flags);
  await loadWorkload(workload);
  const profiles = profilesOf(flags.profile);
  if (flags.seed !== undefined && profiles.length > 1) {
    throw new ServerError("invalid-option", `--seed draws from one profile; --profile names ${profiles.length}`);
  }
  if (flags.seed !== undefined || flags.scenario !== undefined) return showScenario(flags, io);
  const summary = new RunSummary();
  const endMs = performance.now() + (minutes ?? (seeds === undefined ? MINUTES_DEFAULT : Infinity)) * 60_000;
  let isStopped = false;
  const interruption = new Interruption(() => {
    isStopped = true;
    io.error("\nends with the seeds that are under way; again to end at once\n");
  });
  const hasTime = (): boolean => !isStopped && performance.now() < endMs;
  const tasks = new TaskSource({ profiles, workload, seeds, hasTime });
  const progress = flags.json
    ? undefined
    : setInterval(() => io.progress(progressLine(summary.figures)), PROGRESS_EVERY_MS);
  try {
    await runOnWorkers(
      flags.workers ?? availableParallelism(),
      () => tasks.next(),
      (result) => {
        tasks.done(result);
        const failure = summary.take(result);
        if (failure !== undefined && flags.stop) isStopped = true;
        if (failure === undefined || flags.json) return;
        io.error(`\nseed ${failure.seed} breaks "${failure.rule}" after ${failure.atMs} ms: ${failure.detail}\n`);
        io.error(`again: ${failure.command}\n`);
      },
    );
  } finally {
    clearInterval(progress);
    interruption.end();
  }
  const { figures } = summary;
  io.out(flags.json ? `${JSON.stringify(figures)}\n` : report(figures));
  if (figures.violations > 0) return EXIT.failure;
  if (interruption.isAsked) return EXIT.interrupted;
  return figures.seeds > 0 ? EXIT.ok : EXIT.brokenOff;
}

/**
 * What has no meaning without something else that is not there, and what can't be written: told before anything is run.
 * @throws ServerError `invalid-option`
 */
function checkTogether(flags: SimFlags): void {
  const { seed, scenario, trace, page, pageRange, save, shrink } = flags;
  for (const [flag, path] of Object.entries({ trace, page, save, shrink })) {
    if (path === undefined) continue;
    if (seed === undefined && scenario === undefined) {
      throw new ServerError("invalid-option", `--${flag} is of one run: say which with --seed or --scenario`);
    }
    checkWritable(flag, path);
  }
  if (pageRange !== undefined && page === undefined) {
    throw new ServerError("invalid-option", "--page-range says what is drawn on a page: give it one with --page");
  }
}

function checkWritable(flag: string, path: string): void {
  try {
    if (existsSync(path)) {
      accessSync(path, constants.W_OK);
      if (statSync(path).isDirectory()) throw new Error("it is a directory");
    } else accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw new ServerError("invalid-option", `--${flag} ${path} can't be written: ${lineOf(cause)}`, cause);
  }
}

function progressLine(figures: SummaryFigures): string {
  const faults = Object.values(figures.faults).reduce((sum, count) => sum + count, 0);
  return `${figures.seeds} seeds, ${(figures.simulatedSeconds / 3600).toFixed(2)} h simulated at ${figures.simulatedPerReal} : 1 a core, ${faults} faults, ${figures.operations} operations, ${figures.violations} violations`;
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
${rows(figures.faults)}${byProfile(figures)}what rarely happens:
${rows(figures.coverage)}${figures.violations} violations
${figures.failures.map(({ rule, command }) => `  ${rule}: ${command}\n`).join("")}`;
}

/** Where there were several. */
function byProfile({ profiles }: SummaryFigures): string {
  const rows = Object.entries(profiles);
  if (rows.length < 2) return "";
  const lines = rows.map(([name, { seeds, simulatedSeconds, violations }]) => [
    `  ${name}`,
    `${seeds} seeds`,
    `${simulatedSeconds.toFixed(0)} s simulated`,
    `${violations} violations`,
  ]);
  return `profiles:\n${table(lines)}`;
}
