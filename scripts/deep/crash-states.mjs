import { runTests } from "../vitest.mjs";

export const describe =
  "a data directory recovered from whatever a crash may leave at each write boundary, workloads drawn afresh";

/** That many, however long they take: a minute or two. */
const statesMin = 100_000;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_STATES"] = String(statesMin);
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/balsa/test/storage/crash-states.test.ts"]);
}
