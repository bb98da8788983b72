import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { root } from "./child.mjs";
import { install } from "./installation.mjs";

/**
 * `npm run conformance -- FOLDER`: replays every trace of etcd's library under FOLDER against our core, prints a diff
 * for each that differs, and closes with `N passed, N failed`. Without FOLDER: ../shared/conformance.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function run(args) {
  if (args.length > 1) {
    console.error("conformance: name one folder: npm run conformance -- ../shared/conformance");
    return 2;
  }
  const folder = resolve(args[0] ?? `${root}/../shared/conformance`);
  if (!existsSync(folder)) {
    console.error(`conformance: there is no ${folder}`);
    return 2;
  }
  const failed = await install();
  if (failed) return failed;
  const { replayFolder } = await harness();
  const tally = replayFolder(folder, console.log);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

/** The harness lives with the tests, in TypeScript; what it tests are the sources. */
async function harness() {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [`${root}/packages/balsa/test/conformance/main.ts`],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    logLevel: "error",
  });
  const code = outputFiles.map((file) => file.text).join("\n");
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}
