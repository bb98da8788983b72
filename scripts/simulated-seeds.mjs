import { availableParallelism } from "node:os";
import { captureChild, root } from "./child.mjs";

/**
 * Seeds drawn afresh, for so long; a seed counts as one test.
 *
 * @param {object} options
 * @param {string} options.workload
 * @param {string} options.profiles with commas between them; they share the time
 * @param {number} options.seconds
 * @param {(line: string) => void} options.log
 * @returns {Promise<import("./closing-line.mjs").Tally>}
 */
export async function runSeeds({ workload, profiles, seconds, log }) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const balsa = `${root}/packages/server/bin/balsa.js`;
  const what = ["--workload", workload, "--profile", profiles, "--minutes", String(seconds / 60)];
  const { output } = await captureChild(process.execPath, [balsa, "sim", ...what, "--json"]);
  const last = output.trim().split("\n").at(-1) ?? "";
  // Where a worker died there are no figures, but which seed it was.
  if (!last.startsWith("{")) {
    log(`FAILED: ${output}`);
    tally.failed++;
    return tally;
  }
  const figures = JSON.parse(last);
  for (const [profile, of] of Object.entries(figures.profiles)) {
    const { seeds, simulatedSeconds, realSeconds, operations, violations } = of;
    const faults = Object.values(of.faults).reduce((sum, count) => sum + count, 0);
    const simulatedHours = (simulatedSeconds / 3600).toFixed(1);
    log(
      `${profile}: ${seeds} seeds, ${simulatedHours} h simulated in ${realSeconds} s of one core, ${faults} faults, ${operations} operations, ${violations} violations`,
    );
    tally.passed += seeds - violations;
    tally.failed += violations;
  }
  log(
    `${figures.simulatedPerReal} simulated seconds a second and core, on ${availableParallelism()} of them; ${figures.undecidedHistories} histories undecided`,
  );
  for (const { rule, command: again } of figures.failures) log(`FAILED: ${rule}: ${again}`);
  return tally;
}
