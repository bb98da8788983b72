import { describe, expect, it } from "vitest";
import type { ConfChange, Message, NodeChange } from "../../src/core/index.js";
import { BalsaError, encodeConfChange, NO_CONTEXT } from "../../src/core/index.js";
import { ELECTION_TICKS } from "./member.js";
import { Scenario } from "./scenario.js";

const add = (id: number): NodeChange => ({ kind: "add-voter", id });
const learn = (id: number): NodeChange => ({ kind: "add-learner", id });
const remove = (id: number): NodeChange => ({ kind: "remove", id });

function leading(options?: ConstructorParameters<typeof Scenario>[0]): Scenario {
  const group = new Scenario(options);
  group.elect(1);
  return group;
}

/** 1 leads into a joint configuration, and is handing over to 2, which is behind, so that it takes its time. */
function handingOverInJoint(): Scenario {
  const group = leading();
  group.addEmpty(4);
  group
    .member(1)
    .act((node) =>
      node.proposeConfChange({ version: 2, transition: "auto", changes: [add(4), remove(3)], context: NO_CONTEXT }),
    );
  group.isolate(2);
  group.member(1).act((node) => node.transferLeader(2));
  group.settle();
  return group;
}

describe("thesis §4.1 one server at a time", () => {
  it("E1 §4.1 a new voter is brought up to date and counts from when the change is applied", () => {
    const group = leading();
    group.propose(1, "a");
    group.member(1).compact();
    group.addEmpty(4);
    group.change(1, "auto", add(4));
    expect(group.commands(4)).toEqual(["a"]);
    expect(group.member(4).conf.voters).toEqual([1, 2, 3, 4]);
    // Three of four now.
    group.isolate(3, 4);
    group.propose(1, "b");
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("E1 in the first format too", () => {
    const group = leading();
    group.proposeChange(1, { version: 1, change: remove(3), context: NO_CONTEXT });
    expect(group.member(2).conf.voters).toEqual([1, 2]);
    expect(
      group
        .member(1)
        .node.status()
        .progress.map(({ id }) => id),
    ).toEqual([1, 2]);
  });

  it("E1 an update changes nobody", () => {
    const group = leading();
    group.change(1, "auto", { kind: "update", id: 2 });
    expect(group.member(1).conf.voters).toEqual([1, 2, 3]);
  });

  it("E1 §4.1 while a change is not applied another one becomes an empty entry", () => {
    const group = leading();
    const { node } = group.member(1);
    const change = (id: number): ConfChange => ({ version: 1, change: add(id), context: NO_CONTEXT });
    expect(node.proposeConfChange(change(4))).toMatchObject({ kind: "accepted", refusal: undefined });
    expect(node.proposeConfChange(change(5))).toMatchObject({ kind: "accepted", refusal: "already-pending" });
    expect(node.checkConfChange(change(5))).toBe("already-pending");
    group.settle();
    expect(group.member(2).conf.voters).toEqual([1, 2, 3, 4]);
    expect(node.checkConfChange(change(5))).toBeUndefined();
  });

  it("E1 (RELIABILITY §3.3) a new leader proposes none before it has applied all that it found in its log", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1", 2: "1 1", 3: "1 1" });
    group.member(2).act((node) => node.campaign());
    while (group.see(2).role !== "leader") group.turn();
    const outcome = group
      .member(2)
      .act((node) => node.proposeConfChange({ version: 1, change: add(4), context: NO_CONTEXT }));
    expect(outcome).toMatchObject({ refusal: "already-pending" });
    group.settle();
    expect(group.change(2, "auto", add(4))).toMatchObject({ refusal: undefined });
  });

  it("E1 with validation switched off changes go into the log as they are", () => {
    const group = leading({ disableConfChangeValidation: true });
    const { node } = group.member(1);
    for (const id of [4, 5]) {
      const change: ConfChange = { version: 1, change: learn(id), context: NO_CONTEXT };
      expect(node.proposeConfChange(change)).toMatchObject({ kind: "accepted", refusal: undefined });
    }
    group.settle();
    expect(group.member(2).conf.learners).toEqual([4, 5]);
  });

  it("E1 a change that fits no configuration, let in without validation, ends the node that applies it", () => {
    const group = leading({ disableConfChangeValidation: true });
    const { node } = group.member(1);
    node.proposeConfChange({ version: 2, transition: "auto", changes: [], context: NO_CONTEXT });
    expect(() => group.settle()).toThrow("non-joint");
    expect(() => node.tick()).toThrow("non-joint");
  });

  it("E1 a change that cannot be read becomes an empty entry, validation or not", () => {
    for (const disableConfChangeValidation of [true, false]) {
      const group = leading({ disableConfChangeValidation });
      const entries = [
        { type: "conf-change-v2", data: Uint8Array.from([0xff]) },
        { type: "normal", data: new TextEncoder().encode("a") },
      ] as const;
      expect(group.deliver({ type: "propose", from: 2, to: 1, term: 0, entries })).toBe("stepped");
      group.settle();
      expect(group.commands(2)).toEqual(["a"]);
      expect(group.see(2).commit).toBe(4);
    }
  });

  it("E1 what checkConfChange says of a change", () => {
    const group = leading();
    const { node } = group.member(1);
    const v2 = (...changes: NodeChange[]): ConfChange => ({
      version: 2,
      transition: "auto",
      changes,
      context: NO_CONTEXT,
    });
    expect(node.checkConfChange(v2(add(4)))).toBeUndefined();
    expect(node.checkConfChange(v2())).toBe("not-joint");
    expect(node.checkConfChange(v2(remove(1), remove(2), remove(3)))).toBe("removed all voters");
    group.change(1, "joint-explicit", add(4));
    expect(node.checkConfChange(v2(add(5)))).toBe("already-joint");
    expect(node.checkConfChange(v2())).toBeUndefined();
  });
});

describe("thesis §4.2 learners, and removing the leader", () => {
  it("E1 §4.2.1 a learner gets all entries and counts for nothing, until it is promoted", () => {
    const group = leading();
    group.addEmpty(4);
    group.change(1, "auto", learn(4));
    group.propose(1, "a");
    expect(group.commands(4)).toEqual(["a"]);
    group.isolate(2, 3);
    group.propose(1, "b");
    expect(group.commands(4)).toEqual(["a"]);
    group.heal();
    group.change(1, "auto", add(4));
    expect(group.member(4).conf).toMatchObject({ voters: [1, 2, 3, 4], learners: [] });
    group.elect(4);
  });

  it("E1 a voter is demoted", () => {
    const group = leading();
    group.change(1, "auto", learn(3));
    expect(group.member(3).conf).toMatchObject({ voters: [1, 2], learners: [3] });
    group.campaign(3);
    expect(group.see(3).role).toBe("follower");
  });

  it("E1 §4.2.2 a leader that removes itself leads until the change is committed, and does not count itself", () => {
    const group = leading();
    group.change(1, "auto", remove(1));
    // It leads on, as nobody told it otherwise, and takes no proposals.
    expect(group.see(1).role).toBe("leader");
    expect(group.propose(1, "a")).toEqual({ kind: "dropped", reason: "removed" });
    group.campaign(2);
    expect(group.leader()).toBe(2);
  });

  it("E1 §4.2.2 a removed leader does not count itself for what it still had to store", () => {
    const group = leading();
    group.member(1).act((node) => node.proposeConfChange({ version: 1, change: remove(1), context: NO_CONTEXT }));
    group.processReady(group.member(1));
    // 2 and 3 have the change; in one Ready 1 learns that it is committed and stores one more entry.
    for (const append of group.intercept(({ type }) => type === "append")) group.deliver(append);
    for (const id of [2, 3]) group.processReady(group.member(id));
    for (const answer of group.intercept(({ to }) => to === 1)) group.deliver(answer);
    group.proposeOnly(1, "a");
    group.isolate(1);
    group.processReady(group.member(1));
    expect(group.member(1).conf.voters).toEqual([2, 3]);
    expect(group.see(1)).toMatchObject({ role: "leader", lastIndex: 4, commit: 3 });
  });

  it.each([
    { what: "removes", change: remove(1) },
    { what: "demotes", change: learn(1) },
  ])("E1 with step-down-on-removal a leader that $what itself becomes a follower of the same term", ({ change }) => {
    const group = leading({ stepDownOnRemoval: true });
    group.change(1, "auto", change);
    expect(group.see(1)).toMatchObject({ role: "follower", term: 1, lead: 0 });
    group.elect(2);
    group.propose(2, "a");
    expect(group.commands(3)).toEqual(["a"]);
  });

  it("E1 (RELIABILITY §3.4) nobody campaigns while a committed change is unapplied", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    const { data, type } = encodeConfChange({ version: 1, change: remove(3), context: NO_CONTEXT });
    const change = { type, data, term: 1, index: 3, checksum: 0 };
    group.deliver({
      type: "append",
      from: 1,
      to: 3,
      term: 1,
      prevIndex: 2,
      prevTerm: 1,
      entries: [change],
      commit: 3,
      quiet: false,
    });
    group.processReady(group.member(3));
    group.completeWrite(3);
    group.processReady(group.member(3));
    expect(group.see(3)).toMatchObject({ commit: 3, applied: 2 });
    group.member(3).act((node) => node.campaign());
    group.tick(3, 20);
    expect(group.see(3).role).toBe("follower");
    group.deliver({ type: "timeout-now", from: 1, to: 3, term: 1 });
    expect(group.see(3).role).toBe("follower");
  });

  it("E1 the search for unapplied changes goes on through pages of committed entries", () => {
    for (const [changeAt, role] of [
      [2, "follower"],
      [9, "candidate"],
    ] as const) {
      const group = new Scenario({ asyncStorageWrites: true, maxCommittedBytesPerReady: 1 });
      const entries = Array.from({ length: 6 }, (_, i) => {
        const encoded = encodeConfChange({ version: 1, change: learn(9), context: NO_CONTEXT });
        const kind = i === changeAt ? encoded : ({ type: "normal", data: NO_CONTEXT } as const);
        return { ...kind, term: 1, index: i + 2, checksum: 0 };
      });
      group.deliver({
        type: "append",
        from: 2,
        to: 1,
        term: 1,
        prevIndex: 1,
        prevTerm: 1,
        entries,
        commit: 6,
        quiet: false,
      });
      group.member(1).act((node) => node.campaign());
      expect(group.see(1).role).toBe(role);
    }
  });

  it("E1 a removed voter's answers count no more", () => {
    const group = leading();
    group.change(1, "auto", remove(3));
    const answer: Message = {
      type: "append-response",
      from: 3,
      to: 1,
      term: 1,
      index: 3,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    };
    expect(group.deliver(answer)).toBe("peer-not-found");
  });

  it("C6 with a voter gone more may be committed at once", () => {
    const group = leading({ voters: [1, 2] });
    group.proposeChange(1, { version: 1, change: remove(2), context: NO_CONTEXT });
    // The change needs 2's word; what comes after it does not.
    group.isolate(2);
    group.propose(1, "a");
    expect(group.commands(1)).toEqual(["a"]);
  });
});

describe("thesis §4.3 joint consensus", () => {
  it.each(["auto", "joint-implicit"] as const)(
    "E1 §4.3 %s: enters the joint configuration and leaves it by itself",
    (way) => {
      const group = leading();
      for (const id of [4, 5]) group.addEmpty(id);
      group.change(1, way, add(4), add(5), remove(2));
      expect(group.member(1).conf).toEqual({
        voters: [1, 3, 4, 5],
        votersOutgoing: [],
        learners: [],
        learnersNext: [],
        autoLeave: false,
      });
      expect(group.member(4).conf).toEqual(group.member(1).conf);
    },
  );

  it("E1 §4.3 joint-explicit stays joint, and decides by both majorities, until it is left", () => {
    const group = leading();
    for (const id of [4, 5, 6]) group.addEmpty(id);
    group.change(1, "joint-explicit", add(4), add(5), add(6), remove(2), remove(3));
    expect(group.member(1).conf).toMatchObject({ voters: [1, 4, 5, 6], votersOutgoing: [1, 2, 3], autoLeave: false });
    // All of the new ones, and not enough of the old.
    group.isolate(2, 3);
    group.propose(1, "a");
    expect(group.commands(1)).toEqual([]);
    group.heal();
    expect(group.commands(1)).toEqual(["a"]);
    // All of the old ones, and not enough of the new.
    group.isolate(4, 5, 6);
    group.propose(1, "b");
    expect(group.commands(1)).toEqual(["a"]);
    group.heal();
    group.change(1, "auto");
    expect(group.member(5).conf).toMatchObject({ voters: [1, 4, 5, 6], votersOutgoing: [] });
  });

  it("E1 while joint, only a change that leaves is let in; while not, none that leaves", () => {
    const group = leading();
    expect(group.change(1, "auto")).toMatchObject({ refusal: "not-joint" });
    group.addEmpty(4);
    group.change(1, "joint-explicit", add(4));
    expect(group.change(1, "auto", remove(2))).toMatchObject({ refusal: "already-joint" });
    expect(group.change(1, "joint-explicit")).toMatchObject({ refusal: "already-joint" });
    expect(group.change(1, "auto")).toMatchObject({ refusal: undefined });
    expect(group.member(1).conf).toMatchObject({ voters: [1, 2, 3, 4], votersOutgoing: [] });
  });

  it("E1 §4.3 an election while joint needs both majorities", () => {
    const group = leading();
    group.addEmpty(4);
    group.addEmpty(5);
    group.change(1, "joint-explicit", add(4), add(5), remove(2), remove(3));
    group.crash(1);
    group.isolate(2, 3);
    group.campaign(4);
    expect(group.see(4).role).toBe("candidate");
    group.heal();
    group.elect(4);
  });

  it("E1 a voter demoted in a joint change votes in the old half, and becomes a learner when it is left", () => {
    const group = leading();
    group.addEmpty(4);
    group.change(1, "joint-explicit", learn(3), add(4));
    expect(group.member(3).conf).toMatchObject({ voters: [1, 2, 4], learnersNext: [3], learners: [] });
    group.change(1, "auto");
    expect(group.member(3).conf).toMatchObject({ voters: [1, 2, 4], learnersNext: [], learners: [3] });
  });

  it("E1 it is left once, however much is applied before the leaving is", () => {
    const group = leading({ maxCommittedBytesPerReady: 1 });
    group.addEmpty(4);
    group
      .member(1)
      .act((node) =>
        node.proposeConfChange({ version: 2, transition: "joint-implicit", changes: [add(4)], context: NO_CONTEXT }),
      );
    for (const command of ["a", "b", "c"]) group.proposeOnly(1, command);
    group.settle();
    const applied = group.member(1).applied.map(({ data }) => data);
    expect(applied).toEqual(["", "add-voter 4", "a", "b", "c", "leave joint"]);
  });

  it("E1 the next leader leaves a joint configuration, if this one did not get to it", () => {
    const group = leading();
    group.addEmpty(4);
    const outcome = group
      .member(1)
      .act((node) =>
        node.proposeConfChange({ version: 2, transition: "joint-implicit", changes: [add(4)], context: NO_CONTEXT }),
      );
    expect(outcome.kind).toBe("accepted");
    while (group.member(2).conf.votersOutgoing.length === 0) group.turn();
    group.crash(1);
    group.settle();
    group.elect(2);
    group.heartbeat();
    expect(group.member(2).conf).toMatchObject({ voters: [1, 2, 3, 4], votersOutgoing: [], autoLeave: false });
  });

  it("E1 a leader that hands over does not leave the joint configuration: whoever leads next does", () => {
    const group = handingOverInJoint();
    group.heal();
    group.heartbeat();
    expect(group.leader()).toBe(2);
    expect(group.member(1).conf).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [] });
  });

  it("E1 D5 a leader that gives a transfer up leaves the joint configuration then, though nobody writes", () => {
    const group = handingOverInJoint();
    expect(group.member(1).conf).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [1, 2, 3] });
    group.tick(1, ELECTION_TICKS);
    group.settle();
    expect(group.member(1).conf).toMatchObject({ voters: [1, 2, 4], votersOutgoing: [] });
  });

  it("D5 a transfer to a node that is removed meanwhile is given up", () => {
    const group = leading();
    group.member(1).act((node) => node.proposeConfChange({ version: 1, change: remove(3), context: NO_CONTEXT }));
    group.isolate(3);
    group.member(1).act((node) => node.transferLeader(3));
    expect(group.propose(1, "a").kind).toBe("dropped");
    expect(group.propose(1, "a").kind).toBe("accepted");
  });
});

describe("F1 beginnings", () => {
  it("F1 a group begins from a snapshot that holds its configuration and nothing else", () => {
    const group = leading();
    expect(group.see(1)).toMatchObject({ commit: 2, role: "leader" });
    expect(group.member(2).node.status().conf.voters).toEqual([1, 2, 3]);
  });

  it("F1 a node that begins from nothing waits to be told of its group", () => {
    const group = leading();
    group.addEmpty(4);
    expect(group.see(4)).toMatchObject({ role: "follower", term: 0, lastIndex: 0 });
    expect(group.member(4).node.hasReady()).toBe(false);
    group.timeOut(4);
    expect(group.see(4).role).toBe("follower");
    group.change(1, "auto", add(4));
    expect(group.see(4)).toMatchObject({ term: 1, lead: 1, commit: 3 });
  });

  it("F1 a configuration that cannot be is refused at the door", () => {
    const conf = { voters: [1], votersOutgoing: [], learners: [1], learnersNext: [], autoLeave: false };
    const group = new Scenario();
    const { storage } = group.member(1);
    storage.applySnapshot({ meta: { index: 5, term: 1, confState: conf }, data: new Uint8Array(0) });
    expect(() => group.restart(1)).toThrow(BalsaError);
  });
});
