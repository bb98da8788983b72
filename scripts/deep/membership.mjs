import { runTests } from "../vitest.mjs";

export const describe =
  "members that come, go, vote, stop voting and lose their disks among crashes and partitions, seeds drawn afresh";

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/balsa/test/node/membership-seeds.test.ts"]);
}
