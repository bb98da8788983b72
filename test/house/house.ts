import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root on this machine. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** What the rules of the house are about: every file of the repository by its path from the root, with its text. */
export type House = ReadonlyMap<string, string>;

/** What is fetched, built or run, not written. In a second work tree of a repository `.git` is a file. */
const notWritten: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage", ".git", ".balsa", "balsa-data"]);
const notText = /\.(tsbuildinfo|log|png|svg|ico|wasm|tgz)$/;

/** Reads the house as it stands. */
export function readHouse(): House {
  const house = new Map<string, string>();
  const enter = (dir: string): void => {
    for (const item of readdirSync(dir, { withFileTypes: true })) {
      if (notWritten.has(item.name)) continue;
      const path = join(dir, item.name);
      if (item.isDirectory()) enter(path);
      else if (item.isFile() && !notText.test(item.name)) house.set(relative(root, path), readFileSync(path, "utf8"));
    }
  };
  enter(root);
  return house;
}
