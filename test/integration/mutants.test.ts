import { describe, expect, it } from "vitest";
import { readMutants } from "../../scripts/mutants/mutant.mjs";
import { hunt } from "../../scripts/mutants.mjs";

/** The quickest to be found; `npm run mutants` has all of them looked for, and the deep run those of exploration. */
const sample = ["two-votes", "lease-until-check"];

describe("bugs put back in", () => {
  it.each(sample)("%s is found by exploration", async (name) => {
    const said: string[] = [];
    const mutants = readMutants().filter((mutant) => mutant.name === name);
    const tally = await hunt(mutants, ["model"], { seconds: 60, log: (line: string) => said.push(line) });
    expect(said.join("\n")).toContain("found");
    expect(tally).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });
});
