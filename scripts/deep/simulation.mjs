import { availableParallelism } from "node:os";
import { captureChild, root } from "../child.mjs";

export const describe =
  "five members for a simulated minute, seed after seed: crashes, partitions, disks that fail; every rule checked at every step";

export const share = 3;

/**
 * Nearly half of the time on the default profile; the others share the rest. One run for all of them: its workers have
 * the code optimized after some forty seeds, which in twelve seconds of one profile would be nearly all of its time.
 *
 * @type {readonly (readonly [profiles: string, proportion: number])[]}
 */
const runs = [
  ["default", 0.46],
  ["sessions,tiny,members,sizes,disks,network,moments,figure-8,snapshots,handovers,clocks,rot,versions", 0.54],
];

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [profiles, proportion] of runs) {
    const minutes = String((seconds * proportion) / 60);
    const balsa = `${root}/packages/server/bin/balsa.js`;
    const command = [balsa, "sim", "--profile", profiles, "--minutes", minutes, "--json"];
    const { output } = await captureChild(process.execPath, command);
    const last = output.trim().split("\n").at(-1) ?? "";
    // Where a worker died there are no figures, but which seed it was.
    if (!last.startsWith("{")) {
      log(`FAILED: ${output}`);
      tally.failed++;
      continue;
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
  }
  return tally;
}
