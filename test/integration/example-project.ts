import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { transform } from "esbuild";
import { root } from "../house/house.js";

/** The TypeScript examples of a page. */
export function examplesOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) => code);
}

/** The TypeScript examples of the README. */
export const examples: readonly string[] = examplesOf("README.md");

/** The README's example that has this text in it. */
export function exampleWith(text: string): string {
  const found = examples.find((code) => code.includes(text));
  if (found === undefined) throw new Error(`the README has no example with ${text}`);
  return found;
}

/** What the comments at the ends of an example's lines say that it prints. */
export function promisedOutput(example: string): string {
  return [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => `${line}\n`).join("");
}

/** A folder as a user would have it: the packages installed, the example in a file. */
export class ExampleProject {
  readonly dir: string = mkdtempSync(join(tmpdir(), "balsa-example-"));
  private readonly example: string;

  /** `packages`: where each package that the example imports is found, from the repository's root. */
  constructor(example: string, packages: Readonly<Record<string, string>>) {
    this.example = example;
    for (const [name, path] of Object.entries(packages)) {
      const link = join(this.dir, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, path), link);
    }
    writeFileSync(join(this.dir, "package.json"), '{ "type": "module" }');
  }

  /** What the compiler, at its strictest, has to say to the example. */
  compilerComplaints(): string {
    writeFileSync(join(this.dir, "example.ts"), this.example);
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const flags = ["--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--noEmit"];
    const target = ["--module", "nodenext", "--target", "es2022"];
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const args = [compiler, ...flags, ...target, ...types, "example.ts"];
    return spawnSync(process.execPath, args, { cwd: this.dir, encoding: "utf8" }).stdout;
  }

  /** Runs the example in a process of its own, and gives all that it prints. */
  async run(): Promise<string> {
    const { code } = await transform(this.example, { loader: "ts", format: "esm", target: "node20" });
    writeFileSync(join(this.dir, "example.js"), code);
    const child = spawn(process.execPath, ["example.js"], { cwd: this.dir, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    await new Promise((resolve) => child.on("close", resolve));
    return output;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
