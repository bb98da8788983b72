/*
 * Who can find a mutant: what to run in its copy, and how its answer is read. Each prints one JSON object as its last
 * line.
 *
 * @typedef {object} Finder
 * @property {string} what
 * @property {(target: string, seconds: number) => readonly string[]} command the arguments for Node, in the copy's root;
 *   it may take so long
 * @property {(answer: any, target: string) => { found: boolean, figure: string }} judge `figure`: how hard it was
 */

/** @type {Readonly<Record<string, any>>} */
export const finders = {
  model: {
    what: "the explorer, in a configuration of docs/model-checking.md",
    command: (/** @type {string} */ target, /** @type {number} */ seconds) =>
      // One thread: then the shortest counterexample is the same one each time.
      [...["scripts/run.mjs", "model", target, "--no-build", "--json"], "--threads", "1", "--seconds", String(seconds)],
    judge: (/** @type {any} */ { violations, counterexample, states, seconds }) => ({
      found: violations > 0,
      figure:
        violations > 0
          ? `${counterexample.actions.length} actions: ${counterexample.property} (${states} states, ${seconds} s)`
          : `${states} states, ${seconds} s`,
    }),
  },
  liveness: {
    what: "fair runs of a configuration of docs/model-checking.md, from where random walks end",
    command: (/** @type {string} */ target, /** @type {number} */ seconds) => [
      ...["scripts/run.mjs", "model", target, "--no-build", "--json", "--mode", "liveness"],
      "--seconds",
      String(seconds),
    ],
    judge: (/** @type {any} */ { violations, runs }) => ({ found: violations > 0, figure: `${runs} fair runs` }),
  },
  sim: {
    what: "the simulator, under a profile: five rounds of up to 1,000 seeds",
    command: (/** @type {string} */ target, /** @type {number} */ seconds) => [
      "scripts/mutants/seeds-to-find.mjs",
      target,
      "5",
      String(seconds),
    ],
    judge: (/** @type {any} */ { found, median, rules, seeds }) => ({
      found: found.length > 0,
      figure:
        found.length > 0
          ? `median ${median} seeds of ${found.join(", ")}: ${Object.keys(rules).join("; ")}`
          : `${seeds} seeds`,
    }),
  },
  tests: {
    what: "tests of the repository, among them those that draw crashes and damage",
    command: (/** @type {string} */ target) => [
      ...["node_modules/vitest/vitest.mjs", "run", "--maxWorkers=1", "--reporter=json"],
      ...target.split(" "),
    ],
    judge: (/** @type {any} */ { numFailedTests, testResults }) => {
      const failures = testResults.flatMap((/** @type {any} */ file) => file.assertionResults);
      const first = failures.find((/** @type {any} */ { status }) => status === "failed");
      const figure = first === undefined ? "all pass" : `${first.title}, ${Math.round(first.duration / 100) / 10} s`;
      return { found: numFailedTests > 0, figure };
    },
  },
};
