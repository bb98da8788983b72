import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { finders } from "../../scripts/mutants/finders.mjs";
import { misfit, readMutants } from "../../scripts/mutants/mutant.mjs";
import { root } from "./house.js";

describe("bugs put back in", () => {
  const mutants = readMutants();

  it("are there", () => expect(mutants.length).toBeGreaterThan(0));

  it.each(mutants)("$name applies to the sources as they are", ({ edits }) => {
    expect(edits.length).toBeGreaterThan(0);
    for (const edit of edits) {
      expect(edit.file).toMatch(/^packages\/.+\.ts$/);
      expect(misfit(edit, readFileSync(join(root, edit.file), "utf8"))).toBeUndefined();
    }
  });

  it.each(mutants)("$name says what is wrong, and who must find it", ({ what, finders: who }) => {
    expect(what).toMatch(/\.$/);
    expect(Object.keys(who)).not.toEqual([]);
    expect(Object.keys(who).filter((name) => !(name in finders))).toEqual([]);
  });

  it("a text that is not there, or there twice, or stays, does not apply", () => {
    const edit = { file: "a.ts", find: "ab", replace: "c" };
    expect(misfit(edit, "xaby")).toBeUndefined();
    expect(misfit(edit, "xay")).toContain("does not hold");
    expect(misfit(edit, "ab ab")).toContain("more than once");
    expect(misfit({ ...edit, replace: "ab" }, "ab")).toContain("stay as it is");
  });
});
