/*
 * How many seeds of a profile it takes until a rule is broken: `node scripts/mutants/seeds-to-find.mjs PROFILE [ROUNDS]
 * [SECONDS]`. Each round begins at another seed and ends with the first violation, or unsuccessfully after 1,000 seeds.
 * Prints one JSON object.
 */
import { drawScenario, keyValueWorkload, profiles, runScenario } from "balsa/trial";

const SEEDS_MAX = 1_000;
const [name = "short", rounds = "5", seconds = "600"] = process.argv.slice(2);
const profile = profiles.get(name);
if (profile === undefined) throw new Error(`no profile ${name}; there are ${[...profiles.keys()].join(", ")}`);

const endMs = performance.now() + Number(seconds) * 1_000;
/** @type {number[]} seeds of each successful round */
const found = [];
/** @type {Record<string, number>} */
const rules = {};
let seeds = 0;
for (let round = 0; round < Number(rounds) && performance.now() < endMs; round++) {
  for (let count = 1; count <= SEEDS_MAX && performance.now() < endMs; count++) {
    seeds++;
    const { violation } = await runScenario(
      drawScenario(`${round}.${count}`, profile, keyValueWorkload),
      keyValueWorkload,
    );
    if (violation === undefined) continue;
    found.push(count);
    rules[violation.rule] = (rules[violation.rule] ?? 0) + 1;
    break;
  }
}
found.sort((a, b) => a - b);
const median = found[Math.floor((found.length - 1) / 2)] ?? null;
console.log(JSON.stringify({ found, median, rules, seeds }));
