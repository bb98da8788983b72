import { randomInt } from "node:crypto";
import { drawScenario, profiles, runScenario } from "balsa/trial";
import { expect, test } from "vitest";
import bank from "../../examples/bank/bank.mjs";
import forgetful from "../../examples/bank/forgetful.mjs";

const short = profiles.get("short");
if (short === undefined) throw new Error("there is a short profile");

test("the bank keeps all rules through faults drawn afresh", async () => {
  for (let i = 0; i < 2; i++) {
    const seed = String(randomInt(2 ** 40));
    const { violation } = await runScenario(drawScenario(seed, short, bank), bank);
    const again = `npm run sim -- --workload examples/bank/bank.mjs --profile short --seed ${seed}`;
    expect({ again, violation }).toEqual({ again, violation: undefined });
  }
});

test("the simulator finds what the forgetful bank's snapshots leave out, within twenty seeds", async () => {
  for (let seed = 1; ; seed++) {
    expect(seed, "it goes unnoticed").toBeLessThanOrEqual(20);
    const { violation } = await runScenario(drawScenario(String(seed), short, forgetful), forgetful);
    if (violation === undefined) continue;
    expect(["linearizable", "the same state everywhere"]).toContain(violation.rule);
    break;
  }
});
