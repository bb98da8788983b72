import { profiles } from "balsa/trial";
import { describe, expect, test } from "vitest";
import { profileOf, profilesOf, runSeed } from "../../src/sim/run-seed.js";
import { commandFor, RunSummary } from "../../src/sim/run-summary.js";
import type { SeedResult, SeedTask } from "../../src/sim/seed-task.js";
import { loadWorkload } from "../../src/sim/workloads.js";

const task: SeedTask = { seed: "7", profile: "short", workload: "key-value", twice: true };

describe("what a run of many seeds comes to", () => {
  test("a seed run twice gives the same trace, and its figures add up", async () => {
    const result = await runSeed(task, await loadWorkload("key-value"));
    const summary = new RunSummary();
    expect(summary.take(result)).toBeUndefined();
    summary.take(result);
    const { seeds, repeated, violations, operations, operationOutcomes: outcomes, simulatedSeconds } = summary.figures;
    expect({ seeds, repeated, violations }).toEqual({ seeds: 2, repeated: 2, violations: 0 });
    expect(operations).toBe(2 * result.report.operations.operations);
    expect(outcomes.completed + outcomes.failed + outcomes.unknown).toBe(operations);
    expect(simulatedSeconds).toBeGreaterThan(4 * 10);
    const other = await runSeed({ ...task, profile: "calm", twice: false }, await loadWorkload("key-value"));
    summary.take(other);
    const { profiles: parts } = summary.figures;
    expect(Object.keys(parts)).toEqual(["calm", "short"]);
    expect(parts["short"]).toMatchObject({ seeds: 2, operations, simulatedSeconds, violations: 0 });
    expect(summary.figures.seeds).toBe(3);
  });

  test("a broken rule is told with the command that runs it again; so is a trace that differs", async () => {
    const result = await runSeed({ ...task, twice: false }, await loadWorkload("key-value"));
    const summary = new RunSummary();
    const violation = { rule: "log matching", detail: "planted", atMs: 1 } as const;
    const broken: SeedResult = { ...result, report: { ...result.report, violation } };
    expect(summary.take(broken)).toMatchObject({ rule: "log matching", command: commandFor(task) });
    expect(summary.take({ ...result, secondHash: "another" })?.rule).toBe("the same seed, the same trace");
    expect(summary.figures).toMatchObject({ seeds: 2, violations: 2 });
    expect(commandFor(task)).toBe("npm run sim -- --seed 7 --profile short");
    const installed = "file:///app/node_modules/balsa-server/dist/sim/run-summary.js";
    expect(commandFor(task, installed)).toBe("npx balsa sim --seed 7 --profile short");
  });

  test("a profile or a workload that is not there is refused, and the message names those that are", async () => {
    expect(() => profileOf("nonsense")).toThrow([...profiles.keys()].join(", "));
    expect(() => profilesOf("short,nonsense")).toThrow("there is no profile nonsense");
    await expect(loadWorkload("nonsense")).rejects.toThrow("key-value");
  });

  test("several profiles are named with commas; all stands for all", () => {
    expect(profilesOf("short, disks,short")).toEqual(["short", "disks"]);
    expect(profilesOf("all")).toEqual([...profiles.keys()]);
  });
});
