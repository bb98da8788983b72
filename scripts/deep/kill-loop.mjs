import { runTests } from "../vitest.mjs";

export const describe =
  "three real processes, any of them killed under load, over and over: nothing acknowledged is lost";

/** That many, however long they take: two or three minutes on a machine with nothing else to do. */
const killsMin = 200;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds }) {
  process.env["BALSA_KILLS"] = String(killsMin);
  process.env["BALSA_SECONDS"] = String(Math.ceil(seconds));
  return runTests(["--project", "integration", "packages/server/test/integration/kill-loop.test.ts"]);
}
