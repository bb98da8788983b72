import { runTests } from "../vitest.mjs";

export const describe =
  "three members in a simulated world, storm after storm of crashes and partitions, seeds drawn afresh";

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/balsa/test/node/seeds.test.ts"]);
}
