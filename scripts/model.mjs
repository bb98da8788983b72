import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { install } from "./installation.mjs";
import { explore } from "./model/exploration.mjs";
import { inMode } from "./model/modes.mjs";
import { explorationRows, writeTable } from "./model/table.mjs";

/**
 * `npm run model -- NAME… [--mode M] [--json] [--threads N] [--seconds S] [--states N] [--seed N] [--out FOLDER]`:
 * explores named configurations; without names it lists them. Modes: `states`, all of them, level by level; `deepening`,
 * depth first; `walks`, random ones beyond the bounds; `liveness`, fair runs from where such walks end. A counterexample
 * is printed step by step, and with --out written as a scenario file. `--table` explores them all, or those named, and writes the table of docs/model-checking.md. `--no-build`
 * takes what was compiled before.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run(args) {
  const options = /** @type {const} */ ({
    mode: { type: "string", default: "states" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    threads: { type: "string", default: String(Math.min(2, availableParallelism())) },
    seconds: { type: "string", default: "3600" },
    states: { type: "string", default: "100000000" },
    out: { type: "string" },
    table: { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false },
  });
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const failed = values["no-build"] ? 0 : (await install()) || (await build({ projects: ["packages/balsa"] }));
  if (failed) return failed;
  const { CONFIGURATIONS } = await import("balsa/model");
  const names = values.table && positionals.length === 0 ? CONFIGURATIONS.map(({ name }) => name) : positionals;
  if (names.length === 0) {
    for (const { name, what } of CONFIGURATIONS) console.log(`${name.padEnd(16)} ${what}`);
    return 0;
  }
  const results = [];
  for (const name of names) {
    if (!CONFIGURATIONS.some((configuration) => configuration.name === name)) {
      console.error(`model: there is no configuration "${name}"`);
      return 2;
    }
    const limits = {
      threads: Number(values.threads),
      seconds: Number(values.seconds),
      states: Number(values.states),
      seed: Number(values.seed),
      // Progress is for people; what a program reads is the last line.
      log: (/** @type {string} */ line) => console.error(line),
    };
    const result = await (values.mode === "states" ? explore(name, limits) : inMode(values.mode, name, limits));
    results.push(result);
    await tell(result, values.json, values.out);
  }
  if (values.table) writeTable("configurations", explorationRows(CONFIGURATIONS, results));
  return results.every(({ violations }) => violations === 0) ? 0 : 1;
}

/**
 * @param {any} result of an exploration, or of another mode
 * @param {boolean} json
 * @param {string | undefined} out
 */
async function tell(result, json, out) {
  const { describeActions, toScenario } = await import("balsa/model");
  const { counterexample, name } = result;
  if (counterexample !== undefined) {
    const { actions, property } = counterexample;
    console.log(describeActions(actions).join("\n"));
    console.log(`After that it does not hold that: ${property}`);
    const scenario = toScenario(property, name, actions);
    counterexample.actions = scenario.actions;
    if (out !== undefined) {
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, `${name}.json`), `${JSON.stringify(scenario, null, 2)}\n`);
    }
  }
  if (json) console.log(JSON.stringify(result));
  else if (result.mode !== undefined) console.log(JSON.stringify({ ...result, counterexample: undefined }));
  else {
    const { states, depth, transitions, seconds, complete, bytes } = result;
    const rate = Math.round(states / seconds);
    console.log(
      `${name}: ${states} states${complete ? ", which is all," : " so far,"} ${depth} steps deep, ${transitions} steps, ` +
        `${seconds} s (${rate} states/s), ${(bytes / states).toFixed(1)} bytes a state`,
    );
  }
}
