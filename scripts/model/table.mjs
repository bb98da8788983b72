import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../child.mjs";

/**
 * Puts a table between a page's two comments of that name.
 * @param {string} name
 * @param {readonly string[]} rows
 * @param {string} document
 */
export function writeTable(name, rows, document = "docs/model-checking.md") {
  const page = join(root, document);
  const text = readFileSync(page, "utf8");
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for a table of ${name}`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n${rows.join("\n")}\n\n${text.slice(to)}`);
}

/**
 * @param {readonly { name: string, what: string }[]} configurations
 * @param {readonly import("./exploration.mjs").Result[]} results
 * @returns {string[]}
 */
export function explorationRows(configurations, results) {
  const rows = results.map((result) => {
    const { name, states, depth, seconds, complete, bytes, coreRuns, violations, transitions } = result;
    const what = configurations.find((configuration) => configuration.name === name)?.what ?? "";
    const cells = [
      `\`${name}\`: ${what}`,
      `${grouped(states)}${complete ? ", all" : ""}`,
      String(depth),
      grouped(transitions),
      grouped(coreRuns),
      `${seconds} s`,
      `${(bytes / 2 ** 20).toFixed(0)} MiB`,
      String(violations),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const total = results.reduce((sum, { states }) => sum + states, 0);
  return [
    "| configuration | distinct states | depth | steps | core run | time | memory | violations |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
    `| together | ${grouped(total)} | | | | | | |`,
  ];
}

/** @param {number} value */
function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}
