import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { root } from "./child.mjs";
import { install } from "./installation.mjs";
import { explore } from "./model/exploration.mjs";

/**
 * `npm run model -- NAME… [--json] [--threads N] [--seconds S] [--states N] [--out FOLDER]`: explores named
 * configurations; without names it lists them. A counterexample is printed step by step, and with --out written as a
 * scenario file. `--no-build` takes what was compiled before.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run(args) {
  const options = /** @type {const} */ ({
    json: { type: "boolean", default: false },
    threads: { type: "string", default: String(Math.min(2, availableParallelism())) },
    seconds: { type: "string", default: "3600" },
    states: { type: "string", default: "100000000" },
    out: { type: "string" },
    "no-build": { type: "boolean", default: false },
  });
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const failed = values["no-build"] ? 0 : (await install()) || (await build({ projects: ["packages/balsa"] }));
  if (failed) return failed;
  const { CONFIGURATIONS } = await import("balsa/model");
  if (positionals.length === 0) {
    for (const { name, what } of CONFIGURATIONS) console.log(`${name.padEnd(16)} ${what}`);
    return 0;
  }
  let violations = 0;
  for (const name of positionals) {
    if (!CONFIGURATIONS.some((configuration) => configuration.name === name)) {
      console.error(`model: there is no configuration "${name}"`);
      return 2;
    }
    const result = await explore(name, {
      threads: Number(values.threads),
      seconds: Number(values.seconds),
      states: Number(values.states),
      // Progress is for people; what a program reads is the last line.
      log: (line) => console.error(line),
    });
    violations += result.violations;
    await tell(result, values.json, values.out);
  }
  return violations === 0 ? 0 : 1;
}

/**
 * @param {import("./model/exploration.mjs").Result} result
 * @param {boolean} json
 * @param {string | undefined} out
 */
async function tell(result, json, out) {
  const { describeActions, toScenario } = await import("balsa/model");
  const { counterexample, name } = result;
  if (counterexample !== undefined) {
    console.log(describeActions(counterexample.actions).join("\n"));
    console.log(`After that it does not hold that: ${counterexample.property}`);
    if (out !== undefined) {
      mkdirSync(out, { recursive: true });
      const scenario = toScenario(counterexample.property, name, counterexample.actions);
      writeFileSync(join(root, out, `${name}.json`), `${JSON.stringify(scenario, null, 2)}\n`);
    }
  }
  if (json) console.log(JSON.stringify(result));
  else {
    const { states, depth, transitions, seconds, complete, bytes } = result;
    const rate = Math.round(states / seconds);
    console.log(
      `${name}: ${states} states${complete ? ", which is all," : " so far,"} ${depth} steps deep, ${transitions} steps, ` +
        `${seconds} s (${rate} states/s), ${(bytes / states).toFixed(1)} bytes a state`,
    );
  }
}
