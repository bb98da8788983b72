import { runTests } from "../vitest.mjs";

export const describe =
  "the server's key-value state in a simulated world: puts, transactions, ranges and compactions under faults, linearizable";
export const share = 0.5;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/server/test/machine/linearizable.test.ts"]);
}
