import { randomInt } from "node:crypto";
import { drawScenario, profiles, runScenario } from "balsa/trial";
import { expect, test } from "vitest";
import seats from "../../examples/seats/seats.js";

test("the seats keep all rules through faults drawn afresh", async () => {
  const short = profiles.get("short");
  if (short === undefined) throw new Error("there is a short profile");
  for (let i = 0; i < 3; i++) {
    const seed = String(randomInt(2 ** 40));
    const { violation } = await runScenario(drawScenario(seed, short, seats), seats);
    expect({ seed, violation }).toEqual({ seed, violation: undefined });
  }
});
