import { runSeeds } from "../simulated-seeds.mjs";

export const describe =
  "the server's key-value state in simulated clusters: puts, ranges, deletions, transactions and compactions under all faults and rules";
export const share = 0.5;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  return runSeeds({ workload: "etcd", profiles: "all", seconds, log });
}
