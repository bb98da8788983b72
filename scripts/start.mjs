import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { root } from "./child.mjs";
import { install } from "./installation.mjs";

/**
 * `npm start -- FLAGS`: sets up what is missing, then runs `balsa up FLAGS`. The command is loaded into this very
 * process, so a signal sent to it, or by Ctrl-C, meets the command's own handlers with nothing in between.
 * @param {readonly string[]} flags
 * @returns {Promise<number | undefined>} the exit code when the set-up failed; afterwards it is the command's affair
 */
export async function run(flags) {
  const failed = (await install()) || (await build());
  if (failed) return failed;
  const command = join(root, "packages/server/bin/balsa.js");
  process.argv = [process.execPath, command, "up", ...flags];
  await import(pathToFileURL(command).href);
  return undefined;
}
