import { parseArgs } from "node:util";
import { captureChild } from "./child.mjs";
import { close } from "./closing-line.mjs";
import { install } from "./installation.mjs";
import { finders } from "./mutants/finders.mjs";
import { inMutatedCopy, readMutants } from "./mutants/mutant.mjs";

/**
 * `npm run mutants -- [MUTANT…] [--finder NAME] [--seconds S] [--list]`: puts known bugs back in, one at a time, and has each looked
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
  return close(await hunt(chosen, values.finder ?? Object.keys(finders), Number(values.seconds), console.log));
}

/**
 * @param {readonly import("./mutants/mutant.mjs").Mutant[]} mutants
 * @param {readonly string[]} who names of finders
 * @param {number} seconds for each of them
 * @param {(line: string) => void} log
 * @returns {Promise<import("./closing-line.mjs").Tally>} one test for each mutant and finder
 */
export async function hunt(mutants, who, seconds, log) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const mutant of mutants) {
    const tasks = Object.entries(mutant.finders).filter(([name]) => who.includes(name));
    if (tasks.length === 0) continue;
    await inMutatedCopy(mutant, async (dir) => {
      for (const [name, target] of tasks) {
        const { command, judge } = finders[name];
        const { output } = await captureChild(process.execPath, command(target, seconds), { cwd: dir });
        const { found, figure } = judge(lastObject(output, mutant.name), target);
        if (found) tally.passed++;
        else tally.failed++;
        log(`${found ? "found " : "MISSED"} ${mutant.name} by ${name} ${target}: ${figure}`);
      }
    });
  }
  return tally;
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
