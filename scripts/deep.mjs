import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { close, sum } from "./closing-line.mjs";
import { install } from "./installation.mjs";

/**
 * What takes long and finds more the longer it takes. Each part is a module in deep/, named after what it does.
 *
 * @typedef {object} DeepPart
 * @property {string} describe what it shows, in one line
 * @property {number} [share] its share of the time against the other parts; 1 unless said otherwise
 * @property {(limits: DeepLimits) => Promise<import("./closing-line.mjs").Tally>} part runs until the time is up,
 *   printing its progress; what it counts as one test is its own affair
 *
 * @typedef {object} DeepLimits
 * @property {number} seconds how long to go on; what has been begun by then is brought to an end
 * @property {(line: string) => void} log prints a line of progress under the part's name
 */

/**
 * `npm run deep -- --minutes N [--only PART]`
 * @param {readonly string[]} args
 */
export async function run(args) {
  const names = readdirSync(new URL("deep/", import.meta.url))
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length))
    .sort();
  let minutes = 10;
  let chosen = names;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { minutes: { type: "string" }, only: { type: "string", multiple: true } },
    });
    if (values.minutes !== undefined) minutes = Number(values.minutes);
    if (values.only !== undefined) chosen = values.only;
    const unknown = chosen.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new RangeError(`no part "${unknown}"; there are: ${names.join(", ")}`);
    if (!(minutes > 0)) throw new RangeError("--minutes takes a number above zero");
  } catch (error) {
    console.error(`deep: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  const failed = (await install()) || (await build());
  if (failed) return failed;
  return close(await runParts(chosen, minutes * 60));
}

/**
 * @param {readonly string[]} names
 * @param {number} seconds for all of them together
 */
async function runParts(names, seconds) {
  const parts = await Promise.all(
    names.map(async (name) => {
      /** @type {DeepPart} */
      const { describe, part, share = 1 } = await import(`./deep/${name}.mjs`);
      return { name, describe, part, share };
    }),
  );
  const shares = parts.reduce((total, { share }) => total + share, 0);
  const tallies = [];
  for (const { name, describe, part, share } of parts) {
    const allotted = (seconds * share) / shares;
    /** @param {string} line */
    const log = (line) => console.log(`${name}: ${line}`);
    log(`${describe} (${allotted.toFixed(0)} s)`);
    let tally = { passed: 0, failed: 1, skipped: 0 };
    try {
      tally = await part({ seconds: allotted, log });
    } catch (error) {
      console.error(error);
    }
    log(`${tally.failed === 0 ? "ok" : "FAILED"}: ${tally.passed} passed, ${tally.failed} failed`);
    tallies.push(tally);
  }
  return sum(tallies);
}
