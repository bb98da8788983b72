import { randomInt } from "node:crypto";
import {
  drawScenario,
  formatScenario,
  type Profile,
  parseScenario,
  profiles,
  type Rule,
  runScenario,
  shrinkScenario,
} from "balsa/trial";
import { describe, expect, test } from "vitest";
import { type EtcdWorkload, etcdWorkload } from "../../src/sim/etcd-workload.js";
import {
  compactionsOfItsOwn,
  snapshotsThatForgetCompactions,
  snapshotsWithoutHistory,
  unconfirmedReads,
  undigested,
} from "./broken-states.js";

/** How long to go on, s. The command gives it more: `npm run sim -- --workload etcd --minutes 10`. */
const SECONDS = 3;

function profileOf(name: string): Profile {
  const profile = profiles.get(name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

function runSeed(seed: string, profile: Profile, workload: EtcdWorkload = etcdWorkload) {
  return runScenario(drawScenario(seed, profile, workload), workload);
}

describe("the server's key-value state in simulated clusters", () => {
  test(
    `E3 F4 is linearizable and the same on all members through faults drawn afresh each time, for ${SECONDS} s`,
    async () => {
      const names = ["short", "snapshots", "members", "sessions", "disks"];
      const endMs = performance.now() + SECONDS * 1_000;
      const total = { seeds: 0, completed: 0, faults: 0, undecided: 0 };
      do {
        const seed = String(randomInt(2 ** 40));
        const name = names[total.seeds % names.length] as string;
        const { violation, operations, faults, linearizability } = await runSeed(seed, profileOf(name));
        if (violation !== undefined) {
          const again = `npm run sim -- --workload etcd --seed ${seed} --profile ${name}`;
          throw new Error(`${violation.rule}: ${violation.detail}\nagain: ${again}`);
        }
        total.seeds += 1;
        total.completed += operations.completed;
        for (const count of Object.values(faults)) total.faults += count;
        if (linearizability === "undecided") total.undecided += 1;
      } while (performance.now() < endMs);
      expect(total.faults).toBeGreaterThan(total.seeds);
      expect(total.completed).toBeGreaterThan(total.seeds * 20);
      // What is undecided proves nothing.
      expect(total.undecided).toBeLessThanOrEqual(total.seeds / 10);
    },
    SECONDS * 1_000 + 120_000,
  );

  test("D6 the same seed gives the same trace", async () => {
    const once = await runSeed("again", profileOf("short"));
    expect((await runSeed("again", profileOf("short"))).traceHash).toBe(once.traceHash);
    expect((await runSeed("another", profileOf("short"))).traceHash).not.toBe(once.traceHash);
  });

  test("a scenario goes through its file unchanged, and its page tells what was asked in the end", async () => {
    const scenario = drawScenario("file", profileOf("short"), etcdWorkload);
    const again = parseScenario(formatScenario(scenario));
    const report = await runScenario(again, etcdWorkload, { keepTrace: true });
    expect(report.traceHash).toBe((await runScenario(scenario, etcdWorkload)).traceHash);
    const asked = report.chronicle?.operations.filter(({ outcome }) => outcome === "completed") ?? [];
    const compactions = asked.filter(({ call }) => call.includes('"compact"'));
    expect(compactions.length).toBeGreaterThan(0);
    for (const { call } of compactions) expect(call).toMatch(/"revision":\d+/);
    expect(asked.some(({ answer }) => answer === '"compacted"')).toBe(true);
  });
});

/** Three members, snapshots and small limits nearly always. */
const BUSY: Profile = {
  ...profileOf("short"),
  members: [3],
  durationMs: 5_000,
  operationsPerSecond: 20,
  biasChance: 0.8,
};

async function firstBroken(workload: () => EtcdWorkload, name: string) {
  for (let seed = 1; seed <= 40; seed += 1) {
    const scenario = drawScenario(`${name} ${seed}`, BUSY, workload());
    const { violation } = await runScenario(scenario, workload());
    if (violation !== undefined) return { scenario, violation };
  }
  throw new Error("no seed shows what was planted");
}

describe("a fault of the server's state is found", () => {
  test.each<[string, () => EtcdWorkload, Rule]>([
    ["F4 a compaction that depends on the member", compactionsOfItsOwn, "the same state everywhere"],
    ["F2 a snapshot that forgets compactions", snapshotsThatForgetCompactions, "the same state everywhere"],
    ["F2 a snapshot without the past", snapshotsWithoutHistory, "the same state everywhere"],
    ["F2 the same, by what clients see alone", () => undigested(snapshotsWithoutHistory()), "linearizable"],
    ["E3 reads that a member answers from what it happens to have", unconfirmedReads, "linearizable"],
  ])("%s", async (what, workload, rule) => {
    const { violation } = await firstBroken(workload, what);
    expect(violation.rule).toBe(rule);
  });

  test("and its scenario is made small", async () => {
    const { scenario, violation } = await firstBroken(unconfirmedReads, "shrink");
    const stillFails = async (smaller: typeof scenario) =>
      (await runScenario(smaller, unconfirmedReads())).violation?.rule === violation.rule;
    const smallest = await shrinkScenario(scenario, stillFails, { runsMax: 60 });
    expect(await stillFails(smallest)).toBe(true);
    expect(smallest.steps.length).toBeLessThan(scenario.steps.length / 2);
  }, 120_000);
});
