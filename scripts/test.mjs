import { build } from "./build.mjs";
import { close } from "./closing-line.mjs";
import { install } from "./installation.mjs";
import { runTests } from "./vitest.mjs";

/**
 * `npm test -- PATTERN…`: sets up what is missing, runs the tests whose file names contain a pattern (all without one;
 * vitest's own flags are passed on), and closes with one line.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run(args) {
  const failed = (await install()) || (await build());
  return close(failed ? { passed: 0, failed: 1, skipped: 0 } : await runTests(args));
}
