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
import { profileOf } from "../sim/run-seed.js";
import { loadWorkload } from "../sim/workloads.js";
import { EXIT } from "./exit-code.js";
import type { SimFlags } from "./sim.js";
import type { TextOutput } from "./text-output.js";

/** Runs one scenario, of a seed or of a file, and tells of it. */
export async function showScenario(flags: SimFlags, io: TextOutput): Promise<number> {
  const { scenario, workload } = await scenarioOf(flags);
  const keepTrace = flags.trace !== undefined || flags.page !== undefined;
  const report = await runScenario(scenario, workload, { keepTrace });
  if (flags.page !== undefined) writeFileSync(flags.page, drawRun(scenario, report, pageOptions(flags)));
  if (flags.save !== undefined) writeFileSync(flags.save, formatScenario(scenario));
  if (flags.shrink !== undefined && report.violation !== undefined) {
    writeFileSync(flags.shrink, formatScenario(await shrink(scenario, workload, report.violation, io)));
  }
  if (flags.trace !== undefined) writeFileSync(flags.trace, `${report.trace.join("\n")}\n`);
  io.out(
    flags.json ? `${JSON.stringify({ ...report, trace: undefined, chronicle: undefined })}\n` : told(scenario, report),
  );
  return report.violation === undefined ? EXIT.ok : EXIT.failure;
}

function pageOptions({ pageRange }: SimFlags): RunPageOptions {
  return pageRange === undefined ? {} : { fromMs: pageRange[0], toMs: pageRange[1] };
}

/** To the smallest that breaks the same rule. */
async function shrink(scenario: Scenario, workload: Workload, violation: Violation, io: TextOutput): Promise<Scenario> {
  const stillFails = async (smaller: Scenario): Promise<boolean> =>
    (await runScenario(smaller, workload)).violation?.rule === violation.rule;
  const smallest = await shrinkScenario(scenario, stillFails, {
    onProgress: ({ steps, members, durationMs }, runs) =>
      io.progress(`${runs} runs: ${members} members, ${steps.length} steps, ${durationMs} ms`),
  });
  io.error("\n");
  return { ...smallest, name: `${scenario.name}, shrunk: ${violation.rule}` };
}

async function scenarioOf(flags: SimFlags): Promise<{ scenario: Scenario; workload: Workload }> {
  if (flags.scenario !== undefined) {
    const scenario = parseScenario(readFileSync(flags.scenario, "utf8"));
    return { scenario, workload: await loadWorkload(scenario.workload) };
  }
  const workload = await loadWorkload(flags.workload);
  return { scenario: drawScenario(flags.seed ?? "", profileOf(flags.profile), workload), workload };
}

function told(scenario: Scenario, report: RunReport): string {
  const { violation, operations, simulatedMs, traceHash } = report;
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const outcome =
    violation === undefined
      ? "no rule broken"
      : `breaks "${violation.rule}" after ${violation.atMs} ms\n${violation.detail}`;
  return `${scenario.name}: ${scenario.members} members, ${(simulatedMs / 1000).toFixed(1)} s simulated, ${faults} faults, ${operations.operations} operations
trace ${traceHash}
${outcome}
`;
}
