import { sum } from "../closing-line.mjs";
import { runSeeds } from "../simulated-seeds.mjs";

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
  [
    "sessions,tiny,members,sizes,disks,network,moments,figure-8,snapshots,handovers,clocks,rot,rot-members,versions",
    0.54,
  ],
];

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  const tallies = [];
  for (const [profiles, proportion] of runs) {
    tallies.push(await runSeeds({ workload: "key-value", profiles, seconds: seconds * proportion, log }));
  }
  return sum(tallies);
}
