import { expect, test } from "vitest";
import {
  drawScenario,
  type FaultStep,
  keyValueWorkload,
  type Profile,
  profiles,
  runScenario,
} from "../../src/trial/index.js";

const PROFILE: Profile = { ...(profiles.get("short") as Profile), durationMs: 4_000, operationsPerSecond: 30 };
/** Stands for what the key holds at the member that is asked first. */
const SEEN = "?";

/** Compare-and-sets of what was seen, and how many inputs were completed. */
function seeing() {
  let calls = 0;
  const workload: typeof keyValueWorkload = {
    ...keyValueWorkload,
    draw: (prng, { ordinal }) => ({
      kind: "compare-and-set",
      key: `k${prng.below(3)}`,
      expected: SEEN,
      value: `v${ordinal}`,
    }),
    resolve: (input, machine) => {
      calls += 1;
      return input.kind === "compare-and-set" && input.expected === SEEN
        ? { ...input, expected: machine.get(input.key) }
        : input;
    },
  };
  return { workload, calls: () => calls };
}

test("an input that goes by what the asked member has is asked for, and is in the history, as it was completed", async () => {
  const { workload } = seeing();
  const scenario = drawScenario("seen", { ...PROFILE, calmChance: 1 }, workload);
  const report = await runScenario(scenario, workload, { keepTrace: true });
  expect(report.violation).toBeUndefined();
  const swaps = report.chronicle?.operations.filter(({ call }) => call.includes("v")) ?? [];
  expect(swaps.length).toBeGreaterThan(100);
  for (const { outcome, call } of swaps) if (outcome !== "failed") expect(call).not.toContain(SEEN);
  // What was seen is mostly still there, as could not be of what nobody has ever written.
  const swapped = swaps.filter(({ answer }) => answer === "set").length;
  expect(swapped).toBeGreaterThan(swaps.length / 2);
});

test("it is completed once, however many members are asked, and not where nobody is up", async () => {
  const { workload, calls } = seeing();
  const scenario = drawScenario("faults", PROFILE, workload);
  const crash: FaultStep = { kind: "fault", atMs: 2_000, fault: { kind: "crash-all", disk: "drawn", forMs: 500 } };
  const steps = [...scenario.steps, crash].sort((a, b) => a.atMs - b.atMs);
  const report = await runScenario({ ...scenario, steps }, workload, { keepTrace: true });
  expect(report.violation).toBeUndefined();
  const unasked = report.chronicle?.operations.filter(({ call }) => call.includes(SEEN)) ?? [];
  expect(unasked.length).toBeGreaterThan(0);
  for (const { outcome } of unasked) expect(outcome).toBe("failed");
  expect(calls()).toBe(report.operations.operations - unasked.length);
});
