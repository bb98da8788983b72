import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/**
 * The project's files, sorted: as git knows them, or, where there is no git, as they lie there.
 * @returns {string[]}
 */
export function tracked() {
  try {
    const list = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
      stdio: "pipe",
    });
    return [...new Set(list.split("\n").filter((path) => path !== ""))].sort();
  } catch {
    const skipped = /(^|\/)(node_modules|dist|coverage|\.git)(\/|$)/;
    return readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => !skipped.test(path))
      .sort();
  }
}
