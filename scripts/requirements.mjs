import { readFileSync, writeFileSync } from "node:fs";
import { requirements } from "./requirements/rows.mjs";
import { root, tracked } from "./requirements/tracked.mjs";

export const table = "docs/requirements.md";

/**
 * `npm run requirements`: writes docs/requirements.md anew, from the rows and from the names of the tests.
 * @returns {number}
 */
export function run() {
  writeFileSync(`${root}/${table}`, render());
  console.log(`${table} is written`);
  return 0;
}

/** What docs/requirements.md has to say now. */
export function render() {
  const tests = testsById();
  const lines = requirements.map(({ id, what, modules }) => {
    const places = modules.map((path) => `[${shortOf(path)}](../${path})`).join(", ");
    const files = [...(tests.get(id) ?? [])].map((path) => `[${nameOf(path)}](../${path})`).join(", ");
    return `| ${id} | ${what} | ${places} | ${files} |`;
  });
  return [
    "# Requirements, modules, tests",
    "",
    "What the system must do, where it is done, and which tests say so: a test's name begins with the IDs that it checks.",
    "`npm run requirements` writes this page; a test of the house fails when it is stale.",
    "",
    "| ID | requirement | modules | tests |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

/**
 * The files whose tests name an ID.
 * @returns {Map<string, Set<string>>}
 */
export function testsById() {
  /** @type {Map<string, Set<string>>} */
  const byId = new Map();
  for (const path of tracked().filter((file) => file.endsWith(".test.ts"))) {
    const text = readFileSync(`${root}/${path}`, "utf8");
    for (const [, name = ""] of text.matchAll(
      /\b(?:test|it|describe)(?:\.[a-z]+(?:\([^)]*\))?)*\(\s*[`"'](?=[A-F]\d )([^`"']*)/g,
    )) {
      for (const id of /^((?:[A-F]\d )+)/.exec(name)?.[1]?.trim().split(" ") ?? []) {
        byId.set(id, (byId.get(id) ?? new Set()).add(path));
      }
    }
  }
  return byId;
}

/** @param {string} path */
function shortOf(path) {
  return path.replace(/^packages\/(balsa|server)\/src\//, "");
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1, -".test.ts".length);
}
