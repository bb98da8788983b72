import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { drawScenario, keyValueWorkload, profiles, runScenario } from "../../src/trial/index.js";
import type { Profile } from "../../src/trial/profile.js";

/** How long to go on, s. The command gives it more: `npm run sim -- --minutes 10`. */
const SECONDS = 10;

function profile(name: string): Profile {
  const found = profiles.get(name);
  if (found === undefined) throw new Error(`no profile ${name}`);
  return found;
}

/** The command that runs it again. */
function commandFor(seed: string, name: string): string {
  return `npm run sim -- --seed ${seed} --profile ${name}`;
}

describe("simulated clusters", () => {
  test(
    `F1 D6 F4 E3 keep every rule through faults drawn afresh each time, for ${SECONDS} s`,
    async () => {
      const names = ["short", "members", "sessions", "short", "versions", "sizes"];
      const endMs = performance.now() + SECONDS * 1_000;
      let seeds = 0;
      let faults = 0;
      let completed = 0;
      do {
        const seed = String(randomInt(2 ** 40));
        const name = names[seeds % names.length] as string;
        const report = await runScenario(drawScenario(seed, profile(name), keyValueWorkload), keyValueWorkload);
        const { violation } = report;
        if (violation !== undefined) {
          throw new Error(`${violation.rule}: ${violation.detail}\nagain: ${commandFor(seed, name)}`);
        }
        seeds += 1;
        completed += report.operations.completed;
        for (const count of Object.values(report.faults)) faults += count;
      } while (performance.now() < endMs);
      expect(faults).toBeGreaterThan(seeds);
      expect(completed).toBeGreaterThan(seeds * 20);
    },
    SECONDS * 1_000 + 120_000,
  );

  test.each(["short", "sizes", "disks", "network", "sessions", "members", "rot-members", "versions", "calm"])(
    "D6 the same seed gives the same trace: %s",
    async (name) => {
      const scenario = drawScenario("again", { ...profile(name), durationMs: 5_000 }, keyValueWorkload);
      const once = await runScenario(scenario, keyValueWorkload);
      const again = await runScenario(scenario, keyValueWorkload, { keepTrace: true });
      expect(again.traceHash).toBe(once.traceHash);
      expect(again.trace.length).toBeGreaterThan(100);
      // All but what is kept only when asked for.
      expect({ ...again, trace: [], chronicle: undefined }).toEqual({ ...once, trace: [], chronicle: undefined });
    },
  );

  test("another seed gives another scenario, and the same one the same", () => {
    const draw = (seed: string) => drawScenario(seed, profile("default"), keyValueWorkload);
    expect(draw("1")).toEqual(draw("1"));
    expect(draw("1")).not.toEqual(draw("2"));
  });
});
