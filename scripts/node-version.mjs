// Whether this Node can run the project at all. Written in syntax that Nodes far too old can still parse, so that they
// print the one line below and not a syntax error from deep inside.
import { readFileSync } from "node:fs";

/**
 * @param {string} running a version such as "20.19.0"
 * @param {string} wanted what package.json's engines ask for, such as ">=20.19"
 * @returns {string | undefined} one line for the user, or undefined when the running Node will do
 */
export function nodeTooOld(running, wanted) {
  const atLeast = wanted.replace(">=", "").trim();
  const have = running.split(".").map(Number);
  const need = atLeast.split(".").map(Number);
  for (let i = 0; i < need.length; i++) {
    if (Number(have[i]) > Number(need[i])) return undefined;
    if (Number(have[i]) < Number(need[i]))
      return "Balsa needs Node " + atLeast + " or newer; this is Node " + running + ".";
  }
  return undefined;
}

/** @returns {string} the range of Node versions that the root package.json asks for */
export function wantedNode() {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).engines.node;
}
