import { availableParallelism } from "node:os";
import { captureChild, root } from "../child.mjs";

export const describe =
  "five members for a simulated minute, seed after seed: crashes, partitions, disks that fail; every rule checked at every step";

export const share = 3;

/** Most of the time on the default profile, and some on each of the others. */
const profiles = /** @type {const} */ ([
  ["default", 0.46],
  ["sessions", 0.04],
  ["tiny", 0.04],
  ["members", 0.04],
  ["sizes", 0.04],
  ["disks", 0.04],
  ["network", 0.04],
  ["moments", 0.04],
  ["figure-8", 0.05],
  ["snapshots", 0.05],
  ["handovers", 0.04],
  ["clocks", 0.04],
  ["rot", 0.04],
  ["versions", 0.04],
]);

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [profile, proportion] of profiles) {
    const minutes = String((seconds * proportion) / 60);
    const command = [
      `${root}/packages/server/bin/balsa.js`,
      "sim",
      "--profile",
      profile,
      "--minutes",
      minutes,
      "--json",
    ];
    const { output } = await captureChild(process.execPath, command);
    const figures = JSON.parse(output.trim().split("\n").at(-1) ?? "{}");
    const faults = Object.values(figures.faults).reduce((sum, count) => sum + count, 0);
    const { seeds, simulatedSeconds, realSeconds, operations, violations } = figures;
    log(
      `${profile}: ${seeds} seeds, ${(simulatedSeconds / 3600).toFixed(1)} h simulated in ${realSeconds} s of ${availableParallelism()} cores, ${faults} faults, ${operations} operations, ${violations} violations`,
    );
    for (const { rule, command: again } of figures.failures) log(`${rule}: ${again}`);
    tally.passed += seeds - violations;
    tally.failed += violations;
  }
  return tally;
}
