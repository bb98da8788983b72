import { explore } from "../model/exploration.mjs";
import { inMode } from "../model/modes.mjs";
import { readMutants } from "../mutants/mutant.mjs";
import { hunt } from "../mutants.mjs";

export const describe =
  "the core explored: every state of the named configurations, walks beyond them, fair runs, mutants";
export const share = 2;

/** Of the time: what the configurations get, in equal parts that they seldom need; the mutants; the walks the rest. */
const EXPLORING = 0.5;
const MUTANTS = 0.3;

/** For one mutant. */
const MUTANT_SECONDS = 30;

/** Fair runs need a group whose majority stays one, and timers that may fire. */
const LIVE = [
  "elections",
  "replication",
  "async-writes",
  "pre-vote",
  "pre-vote-logs",
  "snapshots",
  "reads",
  "transfer",
  "demotion",
];

/**
 * One test for each configuration, each mutant, and each seed of walks.
 * @param {import("../deep.mjs").DeepLimits} limits
 */
export async function part({ seconds, log }) {
  const { CONFIGURATIONS } = await import("balsa/model");
  const tally = { passed: 0, failed: 0, skipped: 0 };
  const startMs = performance.now();
  const elapsed = () => (performance.now() - startMs) / 1000;
  let states = 0;
  for (const [i, { name }] of CONFIGURATIONS.entries()) {
    // What one leaves of its time is for those behind it.
    const left = seconds * EXPLORING - elapsed();
    const allotted = Math.max(1, left / (CONFIGURATIONS.length - i));
    const result = await explore(name, { threads: 2, seconds: allotted, states: 60_000_000, log: () => {} });
    states += result.states;
    count(tally, result);
    log(`${name}: ${result.states} states, ${result.depth} deep${result.complete ? ", all" : ""}, ${result.seconds} s`);
  }
  log(`${states} distinct states`);

  // Not all of them find the time: each run begins with another one.
  const mutants = readMutants().filter(({ finders }) => "model" in finders || "liveness" in finders);
  const first = Date.now() % mutants.length;
  for (let i = 0; i < mutants.length && elapsed() < seconds * (EXPLORING + MUTANTS); i++) {
    const mutant = mutants.slice((first + i) % mutants.length).slice(0, 1);
    const found = await hunt(mutant, ["model", "liveness"], { seconds: MUTANT_SECONDS, log });
    tally.passed += found.passed;
    // Some need more time than that, and are found when they get it.
    tally.skipped += found.failed;
  }

  for (let seed = 1 + (Date.now() % 1_000_000); elapsed() < seconds; seed++) {
    const { name } = CONFIGURATIONS[seed % CONFIGURATIONS.length] ?? { name: "elections" };
    walk(tally, "walks", name, seed, log);
    walk(tally, "liveness", LIVE[seed % LIVE.length] ?? "elections", seed, log);
  }
  return tally;
}

/**
 * @param {import("../closing-line.mjs").Tally} tally
 * @param {string} mode
 * @param {string} name
 * @param {number} seed
 * @param {(line: string) => void} log
 */
function walk(tally, mode, name, seed, log) {
  const result = inMode(mode, name, { seconds: 4, seed });
  count(tally, result);
  if (result.violations > 0) log(`npm run model -- ${name} --mode ${mode} --seed ${seed}`);
}

/**
 * @param {import("../closing-line.mjs").Tally} tally
 * @param {{ violations: number }} result
 */
function count(tally, { violations }) {
  if (violations === 0) tally.passed++;
  else tally.failed++;
}
