import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, runChild } from "./child.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean, peer?: boolean }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 */

/**
 * Why node_modules is not what the lock asks for, or undefined when it is. npm records what it has installed in a lock
 * of its own inside node_modules, so the two can be compared without a stamp of ours and without starting npm.
 * @param {Lock} wanted package-lock.json
 * @param {Lock | undefined} present node_modules/.package-lock.json; undefined when there is none
 * @returns {string | undefined}
 */
export function staleInstallation(wanted, present) {
  if (present === undefined) return "nothing is installed yet";
  for (const [path, locked] of Object.entries(wanted.packages)) {
    if (path === "") continue;
    const installed = present.packages[path];
    if (installed === undefined) {
      // npm leaves out the builds of a package for other platforms, and what only those need.
      if (locked.optional === true || locked.peer === true) continue;
      return `${path} is missing`;
    }
    if (installed.version !== locked.version || installed.integrity !== locked.integrity) return `${path} has changed`;
  }
  for (const path of Object.keys(present.packages)) {
    if (wanted.packages[path] === undefined) return `${path} is no longer wanted`;
  }
  return undefined;
}

/**
 * Installs what the lock asks for, if it is not there.
 * @returns {Promise<number>} the exit code of npm, or 0 when nothing was to do
 */
export async function install() {
  const why = staleInstallation(
    readLock("package-lock.json") ?? { packages: {} },
    readLock("node_modules/.package-lock.json"),
  );
  if (why === undefined) return 0;
  console.error(`Installing dependencies: ${why}.`);
  const options = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env["npm_execpath"];
  // Standard output is left to what comes after: some tasks print results that a program reads.
  const stdio = /** @type {const} */ (["ignore", 2, 2]);
  return npm === undefined
    ? runChild("npm", options, { stdio: [...stdio] })
    : runChild(process.execPath, [npm, ...options], { stdio: [...stdio] });
}

/**
 * @param {string} path from the repository's root
 * @returns {Lock | undefined}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
