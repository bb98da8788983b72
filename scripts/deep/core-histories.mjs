import { runTests } from "../vitest.mjs";

export const describe =
  "groups of the core's nodes through anything that can happen to them, invariants after every step";

/** Histories that a second has room for, in a run of some hundreds of them, on the slower of the machines at hand. */
const runsPerSecond = 60;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  process.env["BALSA_RUNS"] = String(Math.max(150, Math.ceil(seconds * runsPerSecond)));
  log(`${process.env["BALSA_RUNS"]} histories`);
  return runTests(["--project", "unit", "packages/balsa/test/core/properties.test.ts"]);
}
