import { join } from "node:path";
import { root, runChild } from "./child.mjs";

const vitest = join(root, "node_modules/vitest/vitest.mjs");
const reporters = ["--reporter=default", `--reporter=${join(root, "scripts/tally-reporter.mjs")}`];

/**
 * Runs vitest, which prints as it goes, and counts what became of the tests.
 * @param {readonly string[]} args patterns and flags as on vitest's own command line
 * @returns {Promise<import("./closing-line.mjs").Tally>}
 */
export async function runTests(args) {
  let tally = { passed: 0, failed: 0, skipped: 0 };
  const exitCode = await runChild(process.execPath, [vitest, "run", ...reporters, ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    onMessage: (message) => {
      tally = message;
    },
  });
  // What vitest calls a failure is one, even if it found no test to blame.
  return exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}
