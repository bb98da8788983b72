import { readFileSync, writeFileSync } from "node:fs";
import {
  drawRun,
  drawScenario,
  formatScenario,
  parseScenario,
  type RunPageOptions,
  type RunReport,
  runScenario,
  type Scenario,
  shrinkScenario,
  type Violation,
  type Workload,
} from "balsa/trial";
import { ServerError } from "../server-error.js";
import { profileOf } from "../sim/run-seed.js";
import { isBuiltIn, loadWorkload } from "../sim/workloads.js";
import { EXIT } from "./exit-code.js";
import { Interruption } from "./interruption.js";
import type { SimFlags } from "./sim-flags.js";
import type { TextOutput } from "./text-output.js";

/** Runs one scenario, of a seed or of a file, and tells of it. */
export async function showScenario(flags: SimFlags, io: TextOutput): Promise<number> {
  const { scenario, workload } = await scenarioOf(flags);
  const keepTrace = flags.trace !== undefined || flags.page !== undefined;
  const report = await runScenario(scenario, workload, { keepTrace });
  if (flags.page !== undefined) writeFileSync(flags.page, drawRun(scenario, report, pageOptions(flags)));
  if (flags.save !== undefined) writeFileSync(flags.save, formatScenario(scenario));
  if (flags.shrink !== undefined) await writeShrunk(flags.shrink, scenario, workload, report, io);
  if (flags.trace !== undefined) writeFileSync(flags.trace, `${report.trace.join("\n")}\n`);
  io.out(
    flags.json ? `${JSON.stringify({ ...report, trace: undefined, chronicle: undefined })}\n` : told(scenario, report),
  );
  return report.violation === undefined ? EXIT.ok : EXIT.failure;
}

function pageOptions({ pageRange }: SimFlags): RunPageOptions {
  return pageRange === undefined ? {} : { fromMs: pageRange[0], toMs: pageRange[1] };
}

async function writeShrunk(
  path: string,
  scenario: Scenario,
  workload: Workload,
  { violation }: RunReport,
  io: TextOutput,
): Promise<void> {
  if (violation === undefined) {
    io.error(`nothing to shrink: no rule was broken, so ${path} is not written\n`);
    return;
  }
  const interruption = new Interruption(() => io.error("\nends with the smallest found so far; again to end at once"));
  const isEnough = (): boolean => interruption.isAsked;
  const smallest = await shrink(scenario, workload, violation, isEnough, io).finally(() => interruption.end());
  writeFileSync(path, formatScenario(smallest));
  io.error(`${path}: ${smallest.members} members, ${smallest.steps.length} steps; again: --scenario ${path}\n`);
}

/** To the smallest that breaks the same rule. */
async function shrink(
  scenario: Scenario,
  workload: Workload,
  violation: Violation,
  isEnough: () => boolean,
  io: TextOutput,
): Promise<Scenario> {
  const stillFails = async (smaller: Scenario): Promise<boolean> =>
    (await runScenario(smaller, workload)).violation?.rule === violation.rule;
  const smallest = await shrinkScenario(scenario, stillFails, {
    isEnough,
    onProgress: ({ steps, members, durationMs }, runs) =>
      io.progress(`${runs} runs: ${members} members, ${steps.length} steps, ${durationMs} ms`),
  });
  io.error("\n");
  return { ...smallest, name: `${scenario.name}, shrunk: ${violation.rule}` };
}

async function scenarioOf(flags: SimFlags): Promise<{ scenario: Scenario; workload: Workload }> {
  if (flags.scenario !== undefined) {
    const scenario = readScenario(flags.scenario);
    return { scenario, workload: await workloadOf(scenario, flags) };
  }
  const workload = await loadWorkload(flags.workload);
  return { scenario: drawScenario(flags.seed ?? "", profileOf(flags.profile), workload), workload };
}

/** @throws ServerError `invalid-option`: what is wrong with it, and where */
function readScenario(path: string): Scenario {
  try {
    return parseScenario(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new ServerError("invalid-option", `--scenario ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** The one that was named, if it is the scenario's; or a built-in one. */
async function workloadOf(scenario: Scenario, flags: SimFlags): Promise<Workload> {
  const named = await loadWorkload(flags.workload);
  if (named.name === scenario.workload) return named;
  if (isBuiltIn(scenario.workload)) return loadWorkload(scenario.workload);
  throw new ServerError(
    "invalid-option",
    `--scenario ${flags.scenario} is of workload ${scenario.workload}, which is not built in: say --workload and its module's path`,
  );
}

function told(scenario: Scenario, report: RunReport): string {
  const { violation, operations, simulatedMs, traceHash } = report;
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const outcome =
    violation === undefined
      ? "no rule broken"
      : `breaks "${violation.rule}" after ${violation.atMs} ms\n${violation.detail}${stackOf(violation)}`;
  return `${scenario.name}: ${scenario.members} members, ${(simulatedMs / 1000).toFixed(1)} s simulated, ${faults} faults, ${operations.operations} operations
trace ${traceHash}
${outcome}
`;
}

/** Where the error came from that broke the rule, if one did. */
function stackOf({ stack }: Violation): string {
  return stack === undefined ? "" : `\nthrown:\n${stack}`;
}
