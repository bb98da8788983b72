import { sum } from "../closing-line.mjs";
import { runTests } from "../vitest.mjs";

export const describe = "the labs' scenarios in a simulated world, seeds drawn afresh";
export const share = 0.7;

/** Seeds of one scenario in one run of the tests: all 28 scenarios take some 30 s then. */
const SEEDS = 8;

/** @param {import("../deep.mjs").DeepLimits} limits */
export async function part({ seconds, log }) {
  process.env["BALSA_LABS_SEEDS"] = String(SEEDS);
  const endMs = performance.now() + seconds * 1_000;
  const tallies = [];
  do {
    tallies.push(await runTests(["--project", "unit", "packages/balsa/test/node/labs"]));
    log(`${tallies.length * SEEDS} seeds of each scenario`);
  } while (performance.now() < endMs && tallies.every(({ failed }) => failed === 0));
  return sum(tallies);
}
