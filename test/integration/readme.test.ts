import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transform } from "esbuild";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../house/house.js";

const readme = readFileSync(join(root, "README.md"), "utf8");
const snippets = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) => code);

describe("the README's examples", () => {
  it("are two: the etcd client and the embedded counter", () => {
    expect(snippets).toHaveLength(2);
  });

  it("the embedded counter runs as it stands and prints what its comments say", async () => {
    const example = snippetWith("RaftNode.open");
    const project = emptyProject(example);
    expect(complaintsOfCompiler(project)).toBe("");
    expect(await output(project, example)).toBe(promised(example));
  });
});

function snippetWith(text: string): string {
  const found = snippets.find((code) => code.includes(text));
  if (found === undefined) throw new Error(`the README has no example with ${text}`);
  return found;
}

/** A folder as a user would have it, with the packages installed and the example in a file. */
function emptyProject(example: string): string {
  const project = mkdtempSync(join(tmpdir(), "balsa-readme-"));
  onTestFinished(() => rmSync(project, { recursive: true, force: true }));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(join(root, "packages/balsa"), join(project, "node_modules/balsa"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  writeFileSync(join(project, "example.ts"), example);
  return project;
}

/** What the compiler has to say to the example, with all its strictness. */
function complaintsOfCompiler(project: string): string {
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
  const flags = ["--strict", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022", "--noEmit"];
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  return spawnSync(process.execPath, [compiler, ...flags, ...types, "example.ts"], { cwd: project, encoding: "utf8" })
    .stdout;
}

/** What the comments at the ends of its lines say that it prints. */
function promised(example: string): string {
  return [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
}

/** Runs the example in a process of its own. */
async function output(project: string, example: string): Promise<string> {
  const { code } = await transform(example, { loader: "ts", format: "esm", target: "node20" });
  writeFileSync(join(project, "example.js"), code);
  const child = spawn(process.execPath, ["example.js"], { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
  await new Promise((resolve) => child.on("close", resolve));
  return printed;
}
