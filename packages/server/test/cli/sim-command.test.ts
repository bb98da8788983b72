import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { balsa } from "./outcome.js";

const COMMAND = fileURLToPath(new URL("../../bin/balsa.js", import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-sim-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("what sim can't do as it was told is refused before anything is run", () => {
  test.each<[string, readonly string[], RegExp]>([
    ["a trace of many runs", ["--trace", "t.txt"], /--trace is of one run: say which with --seed or --scenario/],
    ["one seed and several", ["--seed", "1", "--seeds", "1..2"], /'--seed <seed>' cannot be used with option '--seeds/],
    ["one seed for a while", ["--seed", "1", "--minutes", "2"], /--seed.* cannot be used with .*--minutes/],
    ["a drawn scenario", ["--scenario", "s.json", "--profile", "rot"], /--scenario.* cannot be used with .*--profile/],
    ["a part of no page", ["--seed", "1", "--page-range", "1..2"], /--page-range .* give it one with --page/],
    ["no folder", ["--seed", "1", "--trace", "/no/such/t.txt"], /--trace \/no\/such\/t\.txt can't be written: ENOENT/],
    ["a folder for a file", ["--seed", "1", "--page", tmpdir()], /--page .* can't be written: it is a directory/],
    ["no scenario", ["--scenario", "/no/such.json"], /--scenario \/no\/such\.json: ENOENT/],
    ["a profile that is none", ["--profile", "roth"], /there is no profile roth; there are: default, /],
    ["a workload that is none", ["--workload", "etc"], /--workload etc is neither a file nor one of key-value, etcd/],
  ])("%s", async (_what, flags, message) => {
    const { exitCode, out, error } = await balsa("sim", ...flags);
    expect(error).toMatch(message);
    expect([exitCode, out, error.split("\n").length]).toEqual([2, "", 2]);
  });
});

const THROWING = fileURLToPath(new URL("throwing-workload.mjs", import.meta.url));

test.skipIf("typescript" in process.features && process.features.typescript !== false)(
  "a workload in TypeScript, which this Node does not load, is refused with what to do",
  async () => {
    const path = fileURLToPath(new URL("../../../../examples/seats/seats.ts", import.meta.url));
    const { exitCode, error } = await command("sim", "--workload", path, "--seed", "1");
    expect(error).toMatch(
      /^balsa: --workload .*seats\.ts: .* compile it and name the \.js, or use Node 22\.18 or later\n$/,
    );
    expect(exitCode).toBe(2);
  },
);

describe("an error in a workload's own code is told with the place where it was thrown", () => {
  test.each([
    ["draw", 3, "balsa: TypeError: no such thing\n"],
    ["create", 1, 'breaks "no member stops by itself"'],
    ["call", 1, 'breaks "nothing out of nowhere"'],
  ])("%s", async (how, expected, words) => {
    const { exitCode, output } = await sim(how, "--seed", "1", "--profile", "short");
    expect(output).toContain(words);
    expect(output).toContain(`${THROWING}:4:`);
    expect(exitCode).toBe(expected);
  });
});

test("a scenario that breaks a rule is saved, shrunk, and run again from its file", async () => {
  const [saved, shrunk] = [join(dir, "saved.json"), join(dir, "shrunk.json")];
  const first = await sim("call", "--seed", "1", "--profile", "short", "--save", saved, "--shrink", shrunk);
  expect(first.exitCode).toBe(1);
  const { steps } = JSON.parse(await readFile(shrunk, "utf8"));
  expect(steps.length).toBeLessThan(JSON.parse(await readFile(saved, "utf8")).steps.length);
  const again = await sim("call", "--scenario", shrunk);
  expect(again.exitCode).toBe(1);
  expect(again.output).toContain('breaks "nothing out of nowhere"');
}, 120_000);

async function sim(how: string, ...flags: readonly string[]): Promise<{ exitCode: unknown; output: string }> {
  process.env["THROWING"] = how;
  const { exitCode, out, error } = await command("sim", "--workload", THROWING, ...flags);
  return { exitCode, output: out + error };
}

/** In a process of its own: a module is loaded once, and by Node itself. */
function command(...args: readonly string[]): Promise<{ exitCode: unknown; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], (failure, out, error) =>
      resolve({ exitCode: failure?.code ?? 0, out, error }),
    );
  });
}
