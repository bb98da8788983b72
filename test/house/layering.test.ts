import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./house.js";

interface Layer {
  /** Its path below packages/balsa/src. */
  readonly name: string;
  /** The layers that it may import from. */
  readonly mayImport: readonly string[];
}

const library = "packages/balsa/src";
/** What Node or the browser would give, and the library must be given instead. */
const outsideWorld = ["process", "console", "setTimeout", "Buffer", "fetch", "crypto", "performance", "document"];

const layers = read("packages/balsa/tsconfig.json")
  .references.filter(({ path }) => path.startsWith("src/"))
  .map(({ path }): Layer => {
    const name = path.slice("src/".length);
    const { references } = read(`${library}/${name}/tsconfig.json`);
    return { name, mayImport: references.map((reference) => join(name, reference.path)) };
  });

/**
 * A house of the same walls with next to nothing in its rooms: the real configuration of every layer around a source of
 * one line, and beside it a file for each import that the layer might try. The compiler then says which are forbidden.
 */
describe("the build keeps the layers apart", () => {
  let copy = "";
  let complaints: readonly string[] = [];

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "balsa-layering-"));
    for (const path of ["tsconfig.base.json", "packages/balsa/package.json", "packages/balsa/tsconfig.json"])
      take(path);
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const { name } of layers) {
      take(`${library}/${name}/tsconfig.json`);
      put(`${name}/index.ts`, `export const layer: string = "${name}";\n`);
      for (const other of layers.filter((layer) => layer.name !== name)) {
        const face = `${name.replace(/[^/]+/g, "..")}/${other.name}/index.js`;
        put(`${name}/${attempt(other.name)}`, `import { layer } from "${face}";\nexport const seen: string = layer;\n`);
      }
      for (const thing of outsideWorld) put(`${name}/${attempt(thing)}`, `export const seen: unknown = ${thing};\n`);
      put(`${name}/${attempt("node-fs")}`, 'export { readFileSync } from "node:fs";\n');
    }
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const projects = layers.map(({ name }) => `${library}/${name}`);
    const { stdout } = spawnSync(process.execPath, [compiler, "-b", ...projects], { cwd: copy, encoding: "utf8" });
    complaints = stdout.split("\n").filter((line) => line.includes(": error "));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(layers)("$name sees the layers that it may import", ({ name, mayImport }) => {
    expect(complaintsAbout(name, "index.ts")).toEqual([]);
    for (const other of mayImport) expect(complaintsAbout(name, attempt(other))).toEqual([]);
  });

  it.each(layers)("$name cannot import any other", ({ name, mayImport }) => {
    const others = layers.filter((layer) => layer.name !== name && !mayImport.includes(layer.name));
    for (const other of others) {
      // TS6307: not listed within the file list of the project, and in none that it refers to.
      expect(complaintsAbout(name, attempt(other.name)).join("\n"), `${name} imports ${other.name}`).toContain(
        "TS6307",
      );
    }
  });

  it.each(layers.filter(({ name }) => name !== "platform/node"))(
    "$name knows nothing of Node or the DOM",
    ({ name }) => {
      for (const thing of [...outsideWorld, "node-fs"]) {
        expect(complaintsAbout(name, attempt(thing)), `${name} uses ${thing}`).not.toEqual([]);
      }
    },
  );

  function take(path: string): void {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    copyFileSync(join(root, path), join(copy, path));
  }

  function put(path: string, text: string): void {
    writeFileSync(join(copy, library, path), text);
  }

  function complaintsAbout(layer: string, file: string): string[] {
    return complaints.filter((line) => line.startsWith(`${library}/${layer}/${file}(`));
  }
});

function attempt(what: string): string {
  return `uses-${what.replace("/", "-")}.ts`;
}

function read(path: string): { readonly references: readonly { readonly path: string }[] } {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
