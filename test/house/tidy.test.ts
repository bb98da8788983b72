import { describe, expect, it } from "vitest";
import { readHouse } from "./house.js";
import { tidyRules } from "./tidy-rules.js";

describe("the rules of the house", () => {
  const house = readHouse();
  const named = tidyRules.map((rule) => [rule.name, rule] as const);

  it.each(named)("%s", (_name, { breaches }) => {
    expect(breaches(house)).toEqual([]);
  });

  it.each(named)("can be broken: %s", (_name, { breaches, counterexample }) => {
    expect(breaches(new Map(Object.entries(counterexample)))).not.toEqual([]);
  });
});
