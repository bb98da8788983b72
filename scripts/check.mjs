import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { captureChild, root } from "./child.mjs";
import { close } from "./closing-line.mjs";
import { install } from "./installation.mjs";

/**
 * @typedef {{ exitCode: number, output: string }} Verdict
 * @typedef {{ name: string, what: string, judge: () => Promise<Verdict> }} Check
 */

/** @type {readonly Check[]} */
const checks = [
  {
    name: "types",
    what: "every source, test and script, layer by layer",
    judge: () => tool("typescript/bin/tsc", "-b"),
  },
  { name: "lint", what: "promises, switches, cycles, what a layer may touch", judge: () => tool("oxlint/bin/oxlint") },
  { name: "format", what: "layout and order of imports", judge: () => tool("@biomejs/biome/bin/biome", "check") },
  { name: "dead code", what: "files, exports and dependencies nobody uses", judge: () => tool("knip/bin/knip.js") },
  { name: "packages", what: "what would be published, as its users would see it", judge: checkPackages },
];

/**
 * `npm run check [-- NAME…]`: all that can be said about the code without running it. The one gate.
 * @param {readonly string[]} wanted
 */
export async function run(wanted) {
  const failed = await install();
  if (failed) return failed;
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, what, judge } of checks) {
    if (wanted.length > 0 && !wanted.includes(name)) {
      tally.skipped++;
      continue;
    }
    const startMs = performance.now();
    const { exitCode, output } = await judge();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (exitCode === 0) tally.passed++;
    else {
      tally.failed++;
      console.log(output.trim());
    }
    console.log(`${exitCode === 0 ? "ok    " : "FAILED"} ${name.padEnd(10)} ${seconds.padStart(5)} s  ${what}`);
  }
  return close(tally);
}

/**
 * Runs a tool from node_modules.
 * @param {string} path below node_modules
 * @param {readonly string[]} args
 */
function tool(path, ...args) {
  return captureChild(process.execPath, [join(root, "node_modules", path), ...args]);
}

/** Packs what would be published and lets publint and attw look at the very tarballs. */
async function checkPackages() {
  const built = await build();
  if (built !== 0) return { exitCode: built, output: "the packages do not build" };
  const dir = mkdtempSync(join(tmpdir(), "balsa-packages-"));
  /** @type {Verdict} */
  const verdict = { exitCode: 0, output: "" };
  /** @param {Verdict} part */
  const add = (part) => {
    if (part.exitCode === 0) return;
    verdict.exitCode = part.exitCode;
    verdict.output += part.output;
  };
  try {
    for (const name of readdirSync(join(root, "packages"))) {
      const directory = join(root, "packages", name);
      add(await captureChild("npm", ["pack", "--silent", "--pack-destination", dir], { cwd: directory }));
    }
    for (const tarball of readdirSync(dir).map((file) => join(dir, file))) {
      add(await tool("publint/src/cli.js", "run", tarball, "--strict"));
      add(await tool("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only"));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
  return verdict;
}
