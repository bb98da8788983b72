import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { ServerError } from "../server-error.js";
import { profilesOf } from "../sim/run-seed.js";
import { RunSummary, type SummaryFigures } from "../sim/run-summary.js";
import { TaskSource } from "../sim/task-source.js";
import { runOnWorkers } from "../sim/worker-pool.js";
import { loadWorkload } from "../sim/workloads.js";
import { EXIT } from "./exit-code.js";
import { Interruption } from "./interruption.js";
import { checkTogether, type SimFlags } from "./sim-flags.js";
import { showScenario } from "./sim-scenario.js";
import { type TextOutput, table } from "./text-output.js";

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
