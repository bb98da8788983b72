import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/index.js";
import { BalsaError } from "../../src/core/index.js";
import { Scenario } from "./scenario.js";

describe("C2 proposals", () => {
  it("C2 the leader tells index and term of what it accepts", () => {
    const group = new Scenario();
    group.elect(2);
    expect(group.propose(2, "a", "b")).toEqual({ kind: "accepted", index: 3, term: 1, refusal: undefined });
    expect(group.propose(2, "c")).toMatchObject({ index: 5 });
  });

  it("C2 a follower forwards to the leader", () => {
    const group = new Scenario();
    group.elect(2);
    expect(group.propose(1, "a", "b")).toEqual({ kind: "forwarded", to: 2 });
    expect(group.commands(3)).toEqual(["a", "b"]);
    const forwarded = group.sent.filter(({ type }) => type === "propose");
    expect(forwarded).toMatchObject([{ from: 1, to: 2, term: 0 }]);
  });

  it("C2 a follower forwards what was forwarded to it in error", () => {
    const group = new Scenario();
    group.elect(2);
    group.isolate(1);
    group.elect(3);
    group.heal();
    const entries = [{ type: "normal", data: new TextEncoder().encode("late") }] as const;
    expect(group.deliver({ type: "propose", from: 1, to: 2, term: 0, entries })).toBe("stepped");
    group.settle();
    expect(group.commands(1)).toEqual(["late"]);
  });

  it.each([
    { who: "a follower that knows of no leader", group: () => new Scenario(), reason: "no-leader" },
    {
      who: "a candidate",
      group: () => {
        const group = new Scenario();
        group.isolate(1);
        group.campaign(1);
        return group;
      },
      reason: "campaigning",
    },
    {
      who: "a follower that forwards nothing",
      group: () => {
        const group = new Scenario({ disableProposalForwarding: true });
        group.elect(2);
        return group;
      },
      reason: "not-leader",
    },
    {
      who: "a leader that hands over",
      group: () => {
        const group = new Scenario();
        group.elect(1);
        group.isolate(1);
        group.transfer(1, 2);
        return group;
      },
      reason: "transferring",
    },
    {
      who: "a leader that is no member any more",
      group: () => {
        const group = new Scenario();
        group.elect(1);
        group.change(1, "auto", { kind: "remove", id: 1 });
        return group;
      },
      reason: "removed",
    },
  ])("C2 $who drops it: $reason", ({ group, reason }) => {
    const scenario = group();
    expect(scenario.proposeOnly(1, "a")).toEqual({ kind: "dropped", reason });
    const entries = [{ type: "normal", data: new Uint8Array(1) }] as const;
    expect(scenario.deliver({ type: "propose", from: 3, to: 1, term: 0, entries })).toBe("proposal-dropped");
  });

  it("C2 an empty batch is the caller's mistake; an empty message is passed over", () => {
    const group = new Scenario();
    group.elect(1);
    expect(() => group.member(1).node.proposeBatch([])).toThrow(BalsaError);
    const empty: Message = { type: "propose", from: 2, to: 1, term: 0, entries: [] };
    expect(group.deliver(empty)).toBe("stepped");
    expect(group.member(1).node.hasReady()).toBe(false);
  });

  it("C2 bytes in an entry are those that were proposed", () => {
    const group = new Scenario();
    group.elect(1);
    const data = Uint8Array.from([0, 255, 1]);
    group.member(1).act((node) => node.propose(data));
    const ready = group.member(1).takeReady();
    expect(ready.entries).toEqual([{ type: "normal", term: 1, index: 3, data, checksum: 0 }]);
    expect(ready.entries[0]?.data).toBe(data);
  });
});
