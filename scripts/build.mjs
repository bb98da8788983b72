import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { captureChild, root } from "./child.mjs";
import { install } from "./installation.mjs";

const compiler = join(root, "node_modules/typescript/bin/tsc");

/**
 * Compiles what is stale. The compiler itself knows what that is and needs 0.2 s to find that nothing is, so there is
 * no stamp here that could be wrong.
 * @param {{ projects?: readonly string[] }} [options] the projects to build with all they refer to
 * @returns {Promise<number>} the compiler's exit code
 */
export async function build({ projects = ["packages/server"] } = {}) {
  const { exitCode, output } = await captureChild(process.execPath, [compiler, "-b", ...projects]);
  process.stderr.write(output);
  for (const path of orphans(root)) rmSync(join(root, path));
  return exitCode;
}

/**
 * Compiled files whose source is gone: the compiler leaves them, and they would go on being imported and published.
 * @param {string} repository
 * @returns {string[]} paths from the repository's root
 */
export function orphans(repository) {
  const found = [];
  for (const name of readdirSync(join(repository, "packages"))) {
    const dist = join(repository, "packages", name, "dist");
    if (!existsSync(dist)) continue;
    for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
      const stem = /^(.+?)(?:\.js|\.d\.ts)(?:\.map)?$/.exec(file)?.[1];
      if (stem === undefined || existsSync(join(repository, "packages", name, "src", `${stem}.ts`))) continue;
      found.push(join("packages", name, "dist", file));
    }
  }
  return found.sort();
}

/** `npm run build` */
export async function run() {
  return (await install()) || (await build());
}
