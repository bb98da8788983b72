import { runTests } from "../vitest.mjs";

export const describe =
  "processes on one disk, one after the other, whose file system calls fail: drawn afresh each time";

export const share = 0.4;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "unit", "packages/balsa/test/storage/drawn-faults.test.ts"]);
}
