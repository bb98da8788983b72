import { describe, expect, test } from "vitest";
import {
  drawScenario,
  type Profile,
  profiles,
  type Rule,
  runScenario,
  type Scenario,
  shrinkScenario,
} from "../../src/trial/index.js";
import {
  answersOfItsOwn,
  emptySnapshots,
  type KeyValueWorkload,
  restoredFromOnePiece,
  throwingMachine,
  unconfirmedReads,
} from "./broken-workloads.js";

const SHORT: Profile = {
  ...(profiles.get("short") as Profile),
  members: [3],
  durationMs: 4_000,
  operationsPerSecond: 20,
  // Snapshots and small limits nearly always.
  biasChance: 0.8,
};

/** The first scenario of some seeds that breaks a rule under the workload, and which. */
async function firstBroken(workload: () => KeyValueWorkload): Promise<{ scenario: Scenario; rule: Rule }> {
  for (let seed = 1; seed <= 60; seed += 1) {
    const scenario = drawScenario(`planted ${seed}`, SHORT, workload());
    const { violation } = await runScenario(scenario, workload());
    if (violation !== undefined) return { scenario, rule: violation.rule };
  }
  throw new Error("no seed shows what was planted");
}

describe("a fault of a user's state machine is found", () => {
  test.each<[string, () => KeyValueWorkload, Rule]>([
    ["F4 an answer that depends on the member", answersOfItsOwn, "the same state everywhere"],
    ["F2 a snapshot without the state", emptySnapshots, "the same state everywhere"],
    ["F4 a state machine that throws", throwingMachine, "no member stops by itself"],
    ["E3 reads that nobody confirms", unconfirmedReads, "linearizable"],
  ])("%s", async (_what, workload, rule) => {
    expect((await firstBroken(workload)).rule).toBe(rule);
  });

  test("F2 a restore that takes one piece for all: it fails, or comes to another state", async () => {
    const found: readonly Rule[] = ["no member stops by itself", "the same state everywhere"];
    expect(found).toContain((await firstBroken(restoredFromOnePiece)).rule);
  });

  test("and its scenario is made small", async () => {
    const { scenario, rule } = await firstBroken(unconfirmedReads);
    const stillFails = async (smaller: Scenario) =>
      (await runScenario(smaller, unconfirmedReads())).violation?.rule === rule;
    const smallest = await shrinkScenario(scenario, stillFails, { runsMax: 60 });
    expect(await stillFails(smallest)).toBe(true);
    expect(smallest.steps.length).toBeLessThan(scenario.steps.length / 2);
  }, 120_000);
});
