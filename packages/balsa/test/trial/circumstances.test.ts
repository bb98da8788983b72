import { describe, expect, test } from "vitest";
import {
  type Absence,
  drawScenario,
  type FaultStep,
  keyValueWorkload,
  type Profile,
  profiles,
  runScenario,
  type Scenario,
} from "../../src/trial/index.js";

/** Five members for two seconds, with nothing wrong but what is put in. */
function calm(seed: string): Scenario {
  const profile: Profile = { ...(profiles.get("calm") as Profile), durationMs: 2_000 };
  return drawScenario(seed, profile, keyValueWorkload);
}

async function run(scenario: Scenario, faults: readonly FaultStep[] = []) {
  const steps = [...scenario.steps, ...faults].sort((a, b) => a.atMs - b.atMs);
  const report = await runScenario({ ...scenario, steps }, keyValueWorkload, { keepTrace: true });
  expect(report.violation).toBeUndefined();
  return report;
}

function lines(trace: readonly string[], text: string): string[] {
  return trace.filter((line) => line.includes(text));
}

describe("peace may begin with a truce", () => {
  test.each<[string, Absence]>([
    ["the leader and one more are away", { away: ["leader", 1] }],
    ["the leader still reaches one of the others", { away: ["leader", 3], bridge: 1 }],
    ["more are named than a majority can do without", { away: [0, 1, 2, 3] }],
  ])("D6 a majority gets on where %s", async (what, truce) => {
    const { coverage, trace } = await run({ ...calm(what), truce });
    expect(coverage.truces).toBe(1);
    expect(lines(trace, "truce without")).toHaveLength(1);
    // The leader that was away is not the one that took the write.
    expect(coverage["elections won"]).toBeGreaterThan(truce.away.includes("leader") ? 1 : 0);
  });

  test("it may begin without the leader that was elected last", async () => {
    const kill: FaultStep = { kind: "fault", atMs: 2_990, fault: { kind: "kill", target: "leader", forMs: 10_000 } };
    const truce: Absence = { away: ["there", 1], on: "elections won" };
    const { coverage, trace } = await run({ ...calm("moment"), durationMs: 3_000, truce }, [kill]);
    expect(coverage["elections won"]).toBeGreaterThan(2);
    const [first, second] = lines(trace, 'role="leader"').map((line) => line.split(" ")[1]);
    expect(second).not.toBe(first);
    expect(lines(trace, "truce without")[0]).toMatch(new RegExp(`truce without ${second}(,m2)?$`));
  });

  test("a moment that does not come is waited for no longer", async () => {
    const truce: Absence = { away: ["there", 1], on: "snapshots sent" };
    const { coverage, trace } = await run({ ...calm("no moment"), truce });
    expect(coverage.truces).toBe(1);
    expect(lines(trace, "truce without")[0]).toMatch(/truce without m2$/);
  });

  test("not where members may have left, or where nobody would be away", async () => {
    const removal: FaultStep = { kind: "fault", atMs: 900, fault: { kind: "remove-member", target: 4, by: 0 } };
    const removed = await run({ ...calm("removal"), truce: { away: [1] } }, [removal]);
    expect(removed.coverage.truces).toBeUndefined();
    const nobody = await run({ ...calm("nobody"), truce: { away: [] } });
    expect(nobody.coverage.truces).toBeUndefined();
  });
});

describe("a fault may hit whoever came by what it waited for", () => {
  test("the very member that was elected falls", async () => {
    const on = { mark: "elections won", delayUs: 0 } as const;
    const fault: FaultStep = { kind: "fault", atMs: 1, fault: { kind: "kill", target: "there", forMs: 50 }, on };
    const { faults, trace } = await run(calm("there"), [fault]);
    expect(faults.kill).toBe(1);
    const elected = lines(trace, 'role="leader"')[0]?.split(" ")[1];
    expect(lines(trace, "at last")[0]).toContain(`"target":${Number(elected?.slice(1)) - 1},`);
  });

  test("nobody is there where nothing was waited for", async () => {
    const fault: FaultStep = { kind: "fault", atMs: 900, fault: { kind: "kill", target: "there", forMs: 50 } };
    const { faults } = await run(calm("nowhere"), [fault]);
    expect(faults.kill).toBeUndefined();
  });

  test("a side of a partition may be the leader's", async () => {
    const fault: FaultStep = {
      ...{ kind: "fault", atMs: 4_000 },
      fault: { kind: "partition", side: ["leader", 0], forMs: 5_000 },
    };
    const { coverage, faults } = await run({ ...calm("side"), durationMs: 10_000 }, [fault]);
    expect(faults.partition).toBe(1);
    expect(coverage["elections won"]).toBeGreaterThan(1);
  });
});

test("F4 a state machine that takes its time goes through the same, and the same again", async () => {
  const scenario: Scenario = { ...calm("slow"), applyMs: [20, 200] };
  const once = await run(scenario);
  const again = await run(scenario);
  expect(again.traceHash).toBe(once.traceHash);
  expect(once.operations.completed).toBeGreaterThan(10);
});
