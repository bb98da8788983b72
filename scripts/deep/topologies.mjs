import { runTests } from "../vitest.mjs";

export const describe =
  "five members in every directed topology, as many as there is time for: whoever can be elected leads, and stays";

export const share = 0.5;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/balsa/test/trial/topologies.test.ts"]);
}
