import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captureChild, root } from "../child.mjs";

/*
 * A mutant is a bug put back in: a file of test/mutants, one a bug, that says which text of the sources to replace by
 * what, and who must notice. It is applied to a copy; the sources themselves stay as they are.
 */

/**
 * @typedef {object} Edit
 * @property {string} file path from the repository's root, below packages/
 * @property {string} find text that stands in the file exactly once
 * @property {string} replace what stands there in the mutant
 *
 * @typedef {object} Mutant
 * @property {string} name the file's, without its ending
 * @property {number} [bug] which of the known bugs of real systems it is, by its number in docs/model-checking.md
 * @property {string} what what is wrong in the mutant, in one sentence
 * @property {readonly Edit[]} edits
 * @property {Readonly<Record<string, string>>} finders who must find it, by what: a finder's name (finders.mjs), and the
 *   configuration, profile or test file that it is to run
 */

const folder = join(root, "test/mutants");

/** @returns {readonly Mutant[]} sorted by name */
export function readMutants() {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => ({ name: file.slice(0, -".json".length), ...JSON.parse(readFileSync(join(folder, file), "utf8")) }));
}

/**
 * Why an edit cannot be made; undefined when it can.
 * @param {Edit} edit
 * @param {string} text of the file
 * @returns {string | undefined}
 */
export function misfit({ file, find, replace }, text) {
  const first = text.indexOf(find);
  if (find === "" || first < 0) return `${file} does not hold: ${find}`;
  if (text.indexOf(find, first + 1) >= 0) return `${file} holds more than once: ${find}`;
  return find === replace ? `${file} would stay as it is: ${find}` : undefined;
}

/**
 * @param {string} from the repository, or a copy of it
 * @param {Mutant} mutant
 * @throws {Error} when an edit does not fit
 */
function applyMutant(from, { name, edits }) {
  for (const edit of edits) {
    const path = join(from, edit.file);
    const text = readFileSync(path, "utf8");
    const why = misfit(edit, text);
    if (why !== undefined) throw new Error(`mutant ${name}: ${why}`);
    const at = text.indexOf(edit.find);
    writeFileSync(path, text.slice(0, at) + edit.replace + text.slice(at + edit.find.length));
  }
}

/**
 * Makes a copy of the repository's code in a temporary folder, applies the mutant, compiles, and has `use` work there.
 * The copy sees the installed dependencies, and itself as `balsa`. It is removed at the end.
 * @template T
 * @param {Mutant | undefined} mutant undefined: the code as it is, for comparison
 * @param {(dir: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function inMutatedCopy(mutant, use) {
  const dir = mkdtempSync(join(tmpdir(), "balsa-mutant-"));
  try {
    copyCode(dir);
    if (mutant !== undefined) applyMutant(dir, mutant);
    // A mutant may leave a function unused or a type unhappy: that is not how it is to be found.
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const args = [compiler, "-b", "--noCheck", "packages/balsa"];
    const { exitCode, output } = await captureChild(process.execPath, args, { cwd: dir });
    if (exitCode !== 0) throw new Error(`mutant ${mutant?.name ?? "(none)"} does not compile:\n${output}`);
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param {string} dir */
function copyCode(dir) {
  const built = /(^|\/)(node_modules|dist|coverage)(\/|$)/;
  for (const path of ["packages", "scripts", "test", "package.json", "package-lock.json", "vitest.config.ts"]) {
    const filter = (/** @type {string} */ source) => !built.test(source.slice(root.length));
    cpSync(join(root, path), join(dir, path), { recursive: true, filter });
  }
  for (const file of readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name))) {
    cpSync(join(root, file), join(dir, file));
  }
  // The workspace's own packages are links to packages/…; all others are shared with the repository.
  const own = new Map(
    readdirSync(join(root, "packages")).map((name) => {
      const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
      return [manifest.name, join(dir, "packages", name)];
    }),
  );
  const modules = join(dir, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(root, "node_modules"))) {
    symlinkSync(own.get(name) ?? join(root, "node_modules", name), join(modules, name));
  }
}
