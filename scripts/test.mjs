import { join } from "node:path";
import { build } from "./build.mjs";
import { root, runChild } from "./child.mjs";
import { close } from "./closing-line.mjs";
import { install } from "./installation.mjs";

/**
 * `npm test -- PATTERN…`: sets up what is missing, runs the tests whose file names contain a pattern (all without one;
 * vitest's own flags are passed on), and closes with one line.
 * @param {readonly string[]} args
 */
export async function run(args) {
  const failed = (await install()) || (await build());
  if (failed) return failed;

  /** @type {import("./closing-line.mjs").Tally | undefined} */
  let tally;
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", `--reporter=${join(root, "scripts/tally-reporter.mjs")}`];
  const exitCode = await runChild(process.execPath, [vitest, "run", ...reporters, ...args], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    onMessage: (message) => {
      tally = message;
    },
  });
  // Whatever vitest calls a failure is one, even if it found no test to blame.
  const reported = tally ?? { passed: 0, failed: 1, skipped: 0 };
  return close(exitCode !== 0 && reported.failed === 0 ? { ...reported, failed: 1 } : reported);
}
