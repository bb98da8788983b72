import { describe, expect, it } from "vitest";
import type { ConfChange, Message, NodeChange } from "../../src/core/index.js";
import { LEAVE_JOINT, NO_CONTEXT } from "../../src/core/index.js";
import { Scenario, type ScenarioOptions } from "./scenario.js";

// Elections while some know of a membership change that it is committed, and others don't (core/commit-hint.ts).

const add = (id: number): NodeChange => ({ kind: "add-voter", id });
const learn = (id: number): NodeChange => ({ kind: "add-learner", id });
const remove = (id: number): NodeChange => ({ kind: "remove", id });

const simple = (...changes: readonly NodeChange[]): ConfChange => ({
  version: 2,
  transition: "auto",
  changes,
  context: NO_CONTEXT,
});

const MODES = [
  { mode: "votes alone", preVote: false, checkQuorum: false },
  { mode: "pre-votes and quorum checks", preVote: true, checkQuorum: true },
] as const;

/** The disk of member 1, who leads, is slow where a story needs it. */
function led(options: ScenarioOptions): Scenario {
  const group = new Scenario({ ...options, only: { 1: { asyncStorageWrites: true } } });
  group.elect(1);
  return group;
}

/**
 * Member 1 has the change on its disk, and one more entry on that of the others alone. It commits and applies the change,
 * and tells the others. Then it crashes, with nothing of that on its own disk.
 */
function forget(group: Scenario, change: ConfChange): void {
  const leader = group.member(1);
  leader.act((node) => node.proposeConfChange(change));
  group.processReady(leader);
  group.completeWrite(1);
  group.holdStorage(1);
  group.propose(1, "only elsewhere");
  group.completeApply(1);
  group.settle();
  group.crash(1);
  group.releaseStorage(1);
  group.restart(1);
}

/** Everybody who may campaigns when it hears of no leader, again and again. */
function passTime(group: Scenario): void {
  for (let round = 0; round < 4 && group.leader() === 0; round++) {
    for (const id of group.members.keys()) if (group.leader() === 0 && group.member(id).up) group.timeOut(id);
  }
}

/** Lets all happen of which `lost` is not lost. */
function settleWithout(group: Scenario, lost: (message: Message) => boolean): void {
  for (let busy = true; busy; ) {
    for (const member of group.members.values()) while (group.processReady(member));
    group.intercept(lost);
    busy = group.turn();
  }
}

describe.each(MODES)(
  "E1 a leader that forgets a change which others know to be committed, $mode",
  ({ preVote, checkQuorum }) => {
    const options = { preVote, checkQuorum };
    it.each([
      { what: "demoted the other voter", change: simple(learn(2)) },
      { what: "removed the other voter", change: simple(remove(2)) },
    ])("§5.4.1 it $what, and is elected without its vote", ({ change }) => {
      const group = led({ ...options, voters: [1, 2], commitHints: true });
      forget(group, change);
      expect(group.see(1)).toMatchObject({ commit: 2, lastIndex: 3 });
      expect(group.see(2)).toMatchObject({ commit: 3, lastIndex: 4 });
      passTime(group);
      expect(group.see(1)).toMatchObject({ role: "leader" });
      expect(group.member(1).conf.voters).toEqual([1]);
      group.propose(1, "kept");
      expect(group.commands(1)).toEqual(["kept"]);
    });

    it("§4.3 it left a joint configuration in which the others still voted", () => {
      const group = led({ ...options, voters: [1, 2, 3], commitHints: true });
      group.change(1, "joint-explicit", learn(2), learn(3));
      forget(group, LEAVE_JOINT);
      expect(group.see(1)).toMatchObject({ commit: 3, lastIndex: 4 });
      passTime(group);
      expect(group.see(1)).toMatchObject({ role: "leader" });
      expect(group.member(1).conf.voters).toEqual([1]);
      group.propose(1, "kept");
      for (const id of [1, 2, 3]) expect(group.commands(id)).toEqual(["kept"]);
    });

    it("without hints nobody is elected, as in etcd", () => {
      const group = led({ ...options, voters: [1, 2] });
      forget(group, simple(learn(2)));
      passTime(group);
      expect(group.leader()).toBe(0);
    });
  },
);

describe.each(MODES)("E1 a change that only some know to be committed, $mode", ({ preVote, checkQuorum }) => {
  const options = { preVote, checkQuorum };
  it.each([
    { what: "demotes", change: simple(learn(1)) },
    { what: "removes", change: simple(remove(1)) },
  ])("a leader that $what itself, with entries that only it has, leaves one who can be elected", ({ change }) => {
    const group = new Scenario({ ...options, voters: [1, 2], stepDownOnRemoval: true, commitHints: true });
    group.elect(1);
    const leader = group.member(1);
    leader.act((node) => node.proposeConfChange(change));
    group.proposeOnly(1, "only here");
    // The other one gets the change, and hears neither of what follows nor that it is committed.
    settleWithout(group, (m) => m.type === "append" && m.prevIndex > 2);
    expect(group.see(1)).toMatchObject({ role: "follower", commit: 3, lastIndex: 4 });
    expect(group.see(2)).toMatchObject({ commit: 2, lastIndex: 3 });
    passTime(group);
    expect(group.see(2)).toMatchObject({ role: "leader" });
    expect(group.member(2).conf.voters).toEqual([2]);
    group.propose(2, "kept");
    expect(group.commands(2)).toEqual(["kept"]);
  });

  it.each([
    { hints: true, elected: 2 },
    { hints: false, elected: 0 },
  ])("a new voter with the longest log does not know that it is one: hints $hints", ({ hints, elected }) => {
    const group = new Scenario({ ...options, voters: [1, 3], learners: [2], commitHints: hints });
    group.elect(1);
    group.member(1).act((node) => node.proposeConfChange(simple(add(2))));
    group.proposeOnly(1, "of three");
    // Member 2 gets all, and no word of a commit; member 3 gets the change, and hears that it is committed.
    const isLate = (m: Message): boolean =>
      (m.type === "append" && m.to === 3 && m.prevIndex > 2) ||
      (m.type === "append" && m.to === 2 && m.commit > 2) ||
      (m.type === "heartbeat" && m.to === 2);
    settleWithout(group, isLate);
    group.tick(1);
    settleWithout(group, isLate);
    group.crash(1);
    expect(group.see(2)).toMatchObject({ commit: 2, lastIndex: 4 });
    expect(group.see(3)).toMatchObject({ commit: 3, lastIndex: 3 });
    expect(group.member(3).conf.voters).toEqual([1, 2, 3]);
    passTime(group);
    expect(group.leader()).toBe(elected);
    if (hints) expect(group.commands(3)).toEqual(["of three"]);
  });
});

describe("a hint", () => {
  it("that changes the configuration of a candidate ends its candidacy", () => {
    const group = led({ voters: [1, 2], commitHints: true });
    forget(group, simple(learn(2)));
    group.campaign(1);
    expect(group.see(1)).toMatchObject({ role: "follower", commit: 3 });
    expect(group.sent.filter(({ type, from }) => type === "append-response" && from === 2).at(-1)).toMatchObject({
      index: 0,
      rejected: false,
      hintIndex: 3,
      hintTerm: 1,
    });
  });

  const hint = { type: "append-response", from: 2, to: 1, term: 1, index: 0, rejected: false } as const;

  it("of an entry that is another one here commits nothing", () => {
    const group = new Scenario({ commitHints: true });
    group.giveLogs({ 1: "1 1", 2: "1 2", 3: "1" });
    group.deliver({ ...hint, hintIndex: 3, hintTerm: 2 });
    expect(group.see(1).commit).toBe(1);
    group.deliver({ ...hint, hintIndex: 9, hintTerm: 2 });
    expect(group.see(1).commit).toBe(1);
    // Of an earlier term than this node's, and nevertheless true.
    group.deliver({ ...hint, hintIndex: 2, hintTerm: 1 });
    expect(group.see(1)).toMatchObject({ commit: 2, term: 2 });
  });

  it("is answered by one who knows more, and by nobody else", () => {
    const group = new Scenario({ commitHints: true });
    group.elect(1);
    group.propose(1, "a");
    group.deliver({ ...hint, from: 3, to: 2, hintIndex: 2, hintTerm: 1 });
    group.deliver({ ...hint, from: 3, to: 2, hintIndex: 3, hintTerm: 1 });
    const before = group.sent.length;
    group.settle();
    expect(group.sent.slice(before)).toMatchObject([{ from: 2, to: 3, hintIndex: 3, hintTerm: 1, index: 0 }]);
  });

  it("acknowledges nothing to a leader", () => {
    const group = new Scenario({ commitHints: true });
    group.elect(1);
    group.isolate(1);
    group.propose(1, "a");
    const before = group.progress(1, 2);
    group.deliver({ ...hint, hintIndex: 3, hintTerm: 1 });
    expect(group.progress(1, 2)).toEqual(before);
    expect(group.see(1).commit).toBe(2);
  });
});
