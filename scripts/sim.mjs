import { build } from "./build.mjs";
import { root, runChild } from "./child.mjs";
import { install } from "./installation.mjs";

/**
 * `npm run sim -- [FLAGS]`: sets up what is missing, then `balsa sim` with the flags.
 * @param {readonly string[]} flags
 * @returns {Promise<number>}
 */
export async function run(flags) {
  const failed = (await install()) || (await build());
  if (failed) return failed;
  return runChild(process.execPath, [`${root}/packages/server/bin/balsa.js`, "sim", ...flags], {});
}
