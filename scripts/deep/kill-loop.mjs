import { sum } from "../closing-line.mjs";
import { runTests } from "../vitest.mjs";

export const describe = "real processes killed under writes, over and over: nothing acknowledged is lost";

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  const endMs = performance.now() + seconds * 1_000;
  const rounds = [];
  do {
    rounds.push(await runTests(["--project", "integration", "packages/server/test/integration/crash.test.ts"]));
    log(`round ${rounds.length}, ${Math.max(0, (endMs - performance.now()) / 1_000).toFixed(0)} s left`);
  } while (performance.now() < endMs);
  return sum(rounds);
}
