import { fork } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../house/house.js";

describe("what npm test counts", () => {
  it.each([
    [
      "passed, failed and skipped tests are counted apart",
      'it("a", () => {}); it("b", () => {}); it("c", () => { throw new Error("no"); }); it.skip("d", () => {}); it.todo("e");',
      { passed: 2, failed: 1, skipped: 2 },
    ],
    ["a file that cannot be loaded is a failure", 'throw new Error("no");', { passed: 0, failed: 1, skipped: 0 }],
    [
      "a failing hook is a failure",
      'it("a", () => {}); afterAll(() => { throw new Error("no"); });',
      { passed: 1, failed: 1, skipped: 0 },
    ],
    [
      "an error that no test caught is a failure",
      'it("a", async () => { void Promise.reject(new Error("no")); await new Promise(setImmediate); });',
      { passed: 1, failed: 1, skipped: 0 },
    ],
  ])("%s", async (_name, body, tally) => {
    expect(await tallyOf(`import { afterAll, it } from "vitest";\n${body}\n`)).toEqual(tally);
  });
});

/** Runs vitest on one file and gives what the reporter sends. */
async function tallyOf(text: string): Promise<unknown> {
  const dir = mkdtempSync(join(tmpdir(), "balsa-tally-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  writeFileSync(join(dir, "fixture.test.ts"), text);
  const reporter = `--reporter=${join(root, "scripts/tally-reporter.mjs")}`;
  return new Promise((resolve, reject) => {
    const vitest = fork(join(root, "node_modules/vitest/vitest.mjs"), ["run", "--root", dir, reporter], {
      cwd: dir,
      stdio: "ignore",
    });
    let tally: unknown;
    vitest.on("message", (message) => {
      tally = message;
    });
    vitest.on("error", reject);
    vitest.on("close", () => resolve(tally));
  });
}
