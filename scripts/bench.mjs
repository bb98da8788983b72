import { readdirSync } from "node:fs";
import { build } from "./build.mjs";
import { install } from "./installation.mjs";

const benches = new URL("../bench/", import.meta.url);

/**
 * `npm run bench -- NAME [FLAGS]`: sets up what is missing, then runs bench/NAME.mjs with the flags.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run([name, ...flags]) {
  const names = readdirSync(benches)
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length))
    .sort();
  if (name === undefined || !names.includes(name)) {
    console.error(`bench: name one of ${names.join(", ")}: npm run bench -- ${names[0]} [--json]`);
    return 2;
  }
  const failed = (await install()) || (await build());
  if (failed) return failed;
  const bench = await import(new URL(`${name}.mjs`, benches).href);
  return bench.run(flags);
}
