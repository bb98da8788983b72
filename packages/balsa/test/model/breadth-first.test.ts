import { describe, expect, it } from "vitest";
import { bounds, explored } from "./explored.js";

describe("small bounds, every state", () => {
  it.each([
    ["elections in two terms", bounds("elections", { maxTerm: 3 }, { crashes: 0 })],
    ["an election on slow disks, with a crash", bounds("async-writes", { maxTerm: 2, nodes: 2 })],
    ["a leadership with a proposal", bounds("replication", { maxTerm: 2 })],
    ["an election of four nodes", bounds("elections-4", {}, { duplicates: 0 })],
    ["a transfer", bounds("transfer", { nodes: 2 })],
    ["a read", bounds("reads", { maxTerm: 2 }, { reads: 1 })],
  ])("%s: nothing is violated", (_what, configuration) => {
    const { search, complete } = explored(configuration);
    expect(search.counterexample).toBeUndefined();
    expect(complete).toBe(true);
    expect(search.states).toBeGreaterThan(100);
  });

  it("a bound is a bound: what lies beyond is not seen, and the search says so", () => {
    const { search, complete } = explored(bounds("replication"), 5_000);
    expect(complete).toBe(false);
    expect(search.states).toBeGreaterThanOrEqual(4_500);
  });

  it("the same bounds give the same states", () => {
    const once = explored(bounds("elections", { maxTerm: 2 }));
    const again = explored(bounds("elections", { maxTerm: 2 }));
    expect([again.search.states, again.search.transitions]).toEqual([once.search.states, once.search.transitions]);
  });
});
