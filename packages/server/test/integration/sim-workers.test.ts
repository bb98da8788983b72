import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const COMMAND = fileURLToPath(new URL("../../bin/balsa.js", import.meta.url));
const FATAL = fileURLToPath(new URL("fatal-workload.mjs", import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-sim-workers-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function sim(how: string, ...args: readonly string[]) {
  const env = { ...process.env, FATAL_HOW: how, FATAL_CLAIM: join(dir, "claim") };
  return new Promise<{ readonly exitCode: unknown; readonly out: string; readonly error: string }>((resolve) => {
    execFile(process.execPath, [COMMAND, "sim", ...args], { env }, (failure, out, error) =>
      resolve({ exitCode: failure === null ? 0 : failure.code, out, error }),
    );
  });
}

test.each([
  ["exit", "its worker ended by itself: exit code 7"],
  ["throw", "nothing to ask for\n    at Object.draw (file:"],
])(
  "F4 one of two workers fails (%s): the other ends too, and the seed is told with the command that runs it again",
  async (how, reason) => {
    // Ten minutes are more than this test has: that it ends says that the other worker got no more seeds.
    const flags = ["--minutes", "10", "--profile", "short", "--workers", "2", "--workload", FATAL];
    const { exitCode, out, error } = await sim(how, ...flags);
    expect(exitCode).toBe(3);
    expect(out).toBe("");
    const { seed } = /seed (?<seed>\d+) of profile short could not be run; /.exec(error)?.groups ?? {};
    expect(error).toContain(reason);
    expect(error).toContain(`again: npm run sim -- --seed ${seed} --profile short --workload ${FATAL}`);
  },
);

test("F4 with no failure both workers run all of the seeds", async () => {
  const { exitCode, out } = await sim("never", "--seeds", "1..6", "--profile", "short", "--workers", "2", "--json");
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ seeds: 6, violations: 0 });
});

test("F4 Ctrl-C: the seeds under way come to their end, and what was found is told", async () => {
  const flags = ["--minutes", "10", "--profile", "short", "--workers", "1", "--workload", FATAL];
  const claim = join(dir, "claim");
  const env = { ...process.env, FATAL_HOW: "mark", FATAL_CLAIM: claim };
  // In a group of its own, which gets the signal as one does from a terminal: the worker, too.
  const child = spawn(process.execPath, [COMMAND, "sim", ...flags], { detached: true, env });
  const [told, said] = [text(child.stdout), text(child.stderr)];
  const exit = once(child, "exit");
  await expect.poll(() => existsSync(claim), { timeout: 20_000 }).toBe(true);
  process.kill(-(child.pid ?? 0), "SIGINT");
  const [exitCode] = await exit;
  expect(await said).toContain("ends with the seeds that are under way");
  expect(await told).toMatch(/^\n\d+ seeds, .*0 violations\n$/s);
  expect(exitCode).toBe(130);
});
