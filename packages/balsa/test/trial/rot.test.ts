import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { drawScenario, keyValueWorkload, profiles, runScenario } from "../../src/trial/index.js";

/** How long to go on, s; `npm run sim -- --profile rot --minutes 10` goes on for longer. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 4);
const ONE_SEED = process.env["BALSA_SEED"];

test(
  `bits turn over on one member's disk at a time, among crashes and partitions drawn afresh, for ${SECONDS} s: repaired, and every rule kept`,
  async () => {
    const profile = profiles.get("rot");
    if (profile === undefined) throw new Error("no profile of rot");
    const endMs = performance.now() + SECONDS * 1_000;
    let repaired = 0;
    let rotten = 0;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      const { violation, faults, coverage } = await runScenario(
        drawScenario(
          seed,
          { ...profile, members: [3], durationMs: 15_000, faults: { ...profile.faults, rot: 20 } },
          keyValueWorkload,
        ),
        keyValueWorkload,
      );
      if (violation !== undefined) {
        const again = `BALSA_SEED=${seed} npm test -- packages/balsa/test/trial/rot.test.ts`;
        throw new Error(`${violation.rule}: ${violation.detail}\nagain: ${again}`);
      }
      rotten += faults["rot"] ?? 0;
      for (const [what, count] of Object.entries(coverage)) if (what.startsWith("members repaired")) repaired += count;
    } while (ONE_SEED === undefined && (performance.now() < endMs || repaired === 0));
    expect(rotten).toBeGreaterThanOrEqual(repaired);
  },
  SECONDS * 1_000 + 120_000,
);

test("disks that rot while members come and go: who can't be repaired gets an empty directory, and is a member again", async () => {
  const profile = profiles.get("rot-members");
  if (profile === undefined) throw new Error("no profile of rot among members");
  let [repaired, beyondRepair] = [0, 0];
  for (let seeds = 0; beyondRepair < 2 || repaired < 20; seeds += 1) {
    expect(seeds, "one in some twenty seeds has one").toBeLessThan(400);
    const seed = String(randomInt(2 ** 40));
    const { violation, coverage } = await runScenario(drawScenario(seed, profile, keyValueWorkload), keyValueWorkload);
    expect({ again: `npm run sim -- --seed ${seed} --profile rot-members`, violation }).toMatchObject({
      violation: undefined,
    });
    repaired += coverage["members repaired exactly"] ?? 0;
    beyondRepair += coverage["members beyond repair"] ?? 0;
  }
});
