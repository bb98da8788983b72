import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./house.js";

/** What the library must not do, and what the linter must say to it. */
const trespasses: Readonly<Record<string, { readonly code: string; readonly rule: string }>> = {
  date: { code: "export const a: number = Date.now();", rule: "no-restricted-globals" },
  timer: { code: "setTimeout(() => {}, 1);", rule: "no-restricted-globals" },
  interval: { code: "setInterval(() => {}, 1);", rule: "no-restricted-globals" },
  fetch: { code: 'export const a: unknown = fetch("");', rule: "no-restricted-globals" },
  crypto: { code: "export const a: unknown = crypto.subtle;", rule: "no-restricted-globals" },
  buffer: { code: "export const a: unknown = Buffer.alloc(1);", rule: "no-restricted-globals" },
  process: { code: "export const a: unknown = process.pid;", rule: "no-restricted-globals" },
  console: { code: 'console.log("");', rule: "no-restricted-globals" },
  "back-door": { code: "export const a: unknown = globalThis;", rule: "no-restricted-globals" },
  random: { code: "export const a: number = Math.random();", rule: "no-restricted-properties" },
  power: { code: "export const a: number = Math.pow(2, 3);", rule: "no-restricted-properties" },
  locale: { code: 'export const a: number = "a".localeCompare("b");', rule: "no-restricted-properties" },
  "node-module": { code: 'export { readFileSync } from "node:fs";', rule: "no-restricted-imports" },
  dependency: { code: 'export { pino } from "pino";', rule: "no-restricted-imports" },
};

/** What nobody in this repository must do. */
const slips: Readonly<Record<string, { readonly code: string; readonly rule: string }>> = {
  "floating-promise": {
    code: "export function a(b: () => Promise<number>): void {\n  b();\n}",
    rule: "no-floating-promises",
  },
  "open-switch": {
    code: 'export function a(b: "x" | "y"): number {\n  switch (b) {\n    case "x":\n      return 1;\n  }\n  return 2;\n}',
    rule: "switch-exhaustiveness-check",
  },
  "any-type": { code: "export const a: any = 1;", rule: "no-explicit-any" },
  "non-null": { code: "export const a = (b: number | undefined): number => b!;", rule: "no-non-null-assertion" },
  "one-way": { code: 'import { b } from "./other-way.js";\nexport const a = (): unknown => b;', rule: "no-cycle" },
  "other-way": { code: 'import { a } from "./one-way.js";\nexport const b = (): unknown => a;', rule: "no-cycle" },
};

describe("the linter keeps the outside world out of the library", () => {
  const folders = { library: "packages/balsa/src/core", node: "packages/balsa/src/platform/node" };
  let copy = "";
  let complaints: readonly string[] = [];

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "balsa-lint-"));
    copyFileSync(join(root, ".oxlintrc.json"), join(copy, ".oxlintrc.json"));
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const folder of Object.values(folders)) {
      put(
        `${folder}/tsconfig.json`,
        '{ "compilerOptions": { "strict": true, "module": "nodenext", "types": ["node"] } }',
      );
      for (const [name, { code }] of Object.entries(trespasses)) put(`${folder}/${name}.ts`, `${code}\n`);
    }
    for (const [name, { code }] of Object.entries(slips)) put(`${folders.node}/${name}.ts`, `${code}\n`);
    const linter = join(root, "node_modules/oxlint/bin/oxlint");
    const { stdout } = spawnSync(process.execPath, [linter, "-f", "unix"], { cwd: copy, encoding: "utf8" });
    complaints = stdout.split("\n");
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(Object.entries(trespasses))("%s is refused above platform/node", (name, { rule }) => {
    expect(complaintsAbout(`${folders.library}/${name}.ts`)).toContain(rule);
  });

  it.each(Object.keys(trespasses).filter((name) => name !== "dependency"))("%s is platform/node's to use", (name) => {
    expect(complaintsAbout(`${folders.node}/${name}.ts`)).not.toContain("no-restricted");
  });

  it("a dependency is refused everywhere in the library", () => {
    expect(complaintsAbout(`${folders.node}/dependency.ts`)).toContain("no-restricted-imports");
  });

  it.each(Object.entries(slips))("%s is refused everywhere", (name, { rule }) => {
    expect(complaintsAbout(`${folders.node}/${name}.ts`)).toContain(rule);
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }

  function complaintsAbout(path: string): string {
    return complaints.filter((line) => line.startsWith(`${path}:`)).join("\n");
  }
});
