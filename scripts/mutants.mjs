import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { captureChild } from "./child.mjs";
import { close } from "./closing-line.mjs";
import { install } from "./installation.mjs";
import { writeTable } from "./model/table.mjs";
import { finders } from "./mutants/finders.mjs";
import { inMutatedCopy, readMutants } from "./mutants/mutant.mjs";

/**
 * `npm run mutants -- [MUTANT…] [--finder NAME] [--seconds S] [--scenarios FOLDER] [--table] [--list]`: puts known bugs back in, one at a time, and has each looked
 * for by whoever must find it, so long at the most. Fails where one is not found.
 *
 * `npm run mutants -- MUTANT --run "packages/balsa/test/core"`: runs tests in the mutant's copy instead.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run(args) {
  const options = /** @type {const} */ ({
    finder: { type: "string", multiple: true },
    seconds: { type: "string", default: "600" },
    scenarios: { type: "string" },
    table: { type: "boolean", default: false },
    list: { type: "boolean" },
    run: { type: "string" },
  });
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const all = readMutants();
  const unknown = positionals.find((name) => !all.some((mutant) => mutant.name === name));
  if (unknown !== undefined) {
    console.error(`mutants: no mutant "${unknown}"; --list names them`);
    return 2;
  }
  const chosen = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (values.list === true) {
    for (const { name, what, finders: who } of chosen) console.log(`${name}: ${what} ${JSON.stringify(who)}`);
    return 0;
  }
  const failed = await install();
  if (failed) return failed;
  const { run: tests } = values;
  if (tests !== undefined) return runTests(chosen, tests);
  /** @type {string[]} */
  const rows = [];
  const tally = await hunt(chosen, values.finder ?? Object.keys(finders), {
    seconds: Number(values.seconds),
    log: console.log,
    tell: (row) => rows.push(row),
    scenarios: values.scenarios,
  });
  if (values.table) {
    const isSimulated = (/** @type {string} */ row) => row.includes(" | sim `");
    const simulated = rows.filter(isSimulated).map((row) => row.replace(" | sim `", " | `"));
    const others = rows.filter((row) => !isSimulated(row));
    if (simulated.length > 0) writeTable("mutants", [...simulatedHead, ...simulated], "docs/simulation.md");
    if (others.length > 0) writeTable("mutants", [...tableHead, ...others]);
  }
  return close(tally);
}

const simulatedHead = ["| bug | mutant | profile | seeds to find |", "| ---: | --- | --- | --- |"];
const tableHead = ["| bug | mutant | found by | shortest counterexample, or effort |", "| ---: | --- | --- | --- |"];

/**
 * @param {readonly import("./mutants/mutant.mjs").Mutant[]} mutants
 * @param {readonly string[]} who names of finders
 * @param {object} limits
 * @param {number} limits.seconds for each of them
 * @param {(line: string) => void} limits.log
 * @param {(row: string) => void} [limits.tell] a row of a table for each
 * @param {string | undefined} [limits.scenarios] folder for counterexamples of the explorer
 * @returns {Promise<import("./closing-line.mjs").Tally>} one test for each mutant and finder
 */
export async function hunt(mutants, who, { seconds, log, tell, scenarios }) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const mutant of mutants) {
    const tasks = Object.entries(mutant.finders).filter(([name]) => who.includes(name));
    if (tasks.length === 0) continue;
    await inMutatedCopy(mutant, async (dir) => {
      for (const [name, target] of tasks) {
        const { command, judge } = finders[name];
        const { output } = await captureChild(process.execPath, command(target, seconds), { cwd: dir });
        const answer = lastObject(output, mutant.name);
        const { found, figure } = judge(answer, target);
        if (found && scenarios !== undefined && answer.counterexample !== undefined) {
          writeScenario(join(scenarios, `${mutant.name}.json`), mutant, target, answer.counterexample);
        }
        if (found) tally.passed++;
        else tally.failed++;
        tell?.(
          `| ${mutant.bug ?? ""} | \`${mutant.name}\`: ${mutant.what} | ${name} \`${target}\` | ${found ? figure : "not found"} |`,
        );
        log(`${found ? "found " : "MISSED"} ${mutant.name} by ${name} ${target}: ${figure}`);
      }
    });
  }
  return tally;
}

/**
 * @param {string} path
 * @param {import("./mutants/mutant.mjs").Mutant} mutant
 * @param {string} configuration
 * @param {{ property: string, actions: readonly unknown[] }} counterexample
 */
function writeScenario(path, { what }, configuration, { property, actions }) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ what, property, configuration, actions }, null, 2)}\n`);
}

/**
 * @param {readonly import("./mutants/mutant.mjs").Mutant[]} mutants
 * @param {string} pattern of test files
 */
async function runTests(mutants, pattern) {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--maxWorkers=1", ...pattern.split(" ")];
  let missed = 0;
  for (const mutant of mutants) {
    const { exitCode, output } = await inMutatedCopy(mutant, (dir) =>
      captureChild(process.execPath, args, { cwd: dir }),
    );
    console.log(output);
    console.log(`${exitCode === 0 ? "MISSED" : "found "} ${mutant.name} by ${pattern}`);
    if (exitCode === 0) missed++;
  }
  return missed === 0 ? 0 : 1;
}

/**
 * @param {string} output
 * @param {string} name
 */
function lastObject(output, name) {
  const line = output
    .trim()
    .split("\n")
    .findLast((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`mutant ${name}: no JSON object among\n${output}`);
  return JSON.parse(line);
}
