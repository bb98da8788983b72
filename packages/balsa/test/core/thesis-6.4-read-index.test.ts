import { describe, expect, it } from "vitest";
import { MAX_WAITING_READS } from "../../src/core/limits.js";
import { ELECTION_TICKS } from "./member.js";
import { Scenario } from "./scenario.js";

function leading(options?: ConstructorParameters<typeof Scenario>[0]): Scenario {
  const group = new Scenario(options);
  group.elect(1);
  return group;
}

describe("thesis §6.4 linearizable reads", () => {
  it("E3 §6.4 the leader answers with its commit index, once a quorum has confirmed that it leads", () => {
    const group = leading();
    group.propose(1, "a");
    expect(group.askRead(1, 7)).toBe("accepted");
    expect(group.member(1).takeReady().readStates).toEqual([]);
    group.member(1).act((node) => node.advance());
    group.askRead(1, 8);
    group.settle();
    expect(group.member(1).readStates).toEqual([7, 8].map((requestId) => ({ index: 3, requestId })));
  });

  it("E3 without a quorum there is no answer", () => {
    const group = leading();
    group.isolate(1);
    group.askRead(1, 7);
    group.settle();
    expect(group.member(1).readStates).toEqual([]);
  });

  it("E3 an old leader, replaced and not knowing it, gives none", () => {
    const group = leading();
    group.isolate(1);
    group.elect(2);
    group.propose(2, "a");
    group.askRead(1, 7);
    group.settle();
    group.heal();
    expect(group.member(1).readStates).toEqual([]);
  });

  it("E3 a follower asks the leader, and gets the answer", () => {
    const group = leading();
    group.propose(1, "a");
    expect(group.askRead(3, 7)).toBe("forwarded");
    group.settle();
    expect(group.member(3).readStates).toEqual([{ index: 3, requestId: 7 }]);
    expect(group.sent.filter(({ type }) => type === "read-index")).toMatchObject([{ from: 3, to: 1, term: 0 }]);
  });

  it("E3 a learner too", () => {
    const group = leading({ learners: [4] });
    group.askRead(4, 7);
    group.settle();
    expect(group.member(4).readStates).toEqual([{ index: 2, requestId: 7 }]);
  });

  it("E3 what reaches a former leader is passed on, and answered to who asked", () => {
    const group = leading();
    group.askRead(3, 7);
    group.processReady(group.member(3));
    const asked = group.intercept(({ type }) => type === "read-index");
    group.elect(2);
    for (const message of asked) group.deliver(message);
    group.settle();
    expect(group.sent.filter(({ type }) => type === "read-index")).toMatchObject([
      { from: 3, to: 1, requestId: 7 },
      { from: 3, to: 2, requestId: 7 },
    ]);
    expect(group.sent.filter(({ type }) => type === "read-index-response")).toMatchObject([{ to: 3, requestId: 7 }]);
  });

  it("E3 who knows of no leader drops it", () => {
    const group = new Scenario();
    expect(group.askRead(1, 7)).toBe("dropped");
    group.isolate(2);
    group.campaign(2);
    expect(group.askRead(2, 7)).toBe("dropped");
  });

  it("E3 (RELIABILITY §3.5) held until the leader has committed an entry of its own term", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1", 2: "1 1", 3: "1 1" });
    group.isolate(1);
    group.member(1).act((node) => node.campaign());
    group.processReady(group.member(1));
    for (const from of [2, 3]) group.deliver({ type: "vote-response", from, to: 1, term: 2, rejected: false });
    group.askRead(1, 7);
    group.settle();
    expect(group.member(1).state().heldReads).toEqual([{ from: 1, requestId: 7 }]);
    expect(group.member(1).readStates).toEqual([]);
    group.heal();
    expect(group.member(1).readStates).toEqual([{ index: 4, requestId: 7 }]);
  });

  it("E3 a group's only voter answers at once, but not before it has committed in its own term", () => {
    const group = new Scenario({ voters: [1] });
    group.giveLogs({ 1: "1 1" });
    group.member(1).act((node) => node.campaign());
    group.processReady(group.member(1));
    expect(group.see(1)).toMatchObject({ role: "leader", commit: 1 });
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([]);
    group.settle();
    expect(group.member(1).readStates).toEqual([{ index: 4, requestId: 7 }]);
    group.askRead(1, 8);
    expect(group.member(1).state().readStates).toEqual([{ index: 4, requestId: 8 }]);
  });

  it("E3 not so a leader that removed itself and left one voter", () => {
    const group = leading({ voters: [1, 2] });
    group.change(1, "auto", { kind: "remove", id: 1 });
    group.isolate(1);
    group.elect(2);
    group.propose(2, "a");
    group.askRead(1, 7);
    group.settle();
    expect(group.see(1).role).toBe("leader");
    expect(group.member(1).readStates).toEqual([]);
  });

  it("E3 any number of reads share a confirmation: the answer to a round confirms all rounds before", () => {
    const group = leading();
    for (const requestId of [1, 2, 3]) group.askRead(1, requestId);
    group.processReady(group.member(1));
    // All but the last heartbeat of each are lost.
    const heartbeats = group.intercept(({ type }) => type === "heartbeat");
    for (const heartbeat of heartbeats.slice(-2)) group.deliver(heartbeat);
    group.settle();
    expect(group.member(1).readStates.map(({ requestId }) => requestId)).toEqual([1, 2, 3]);
  });

  it("E3 the answer to an earlier round does not confirm a later one", () => {
    const group = leading();
    group.askRead(1, 1);
    group.processReady(group.member(1));
    const early = group.intercept(({ type }) => type === "heartbeat");
    group.askRead(1, 2);
    group.processReady(group.member(1));
    group.intercept(({ type }) => type === "heartbeat");
    for (const heartbeat of early) group.deliver(heartbeat);
    group.settle();
    expect(group.member(1).readStates.map(({ requestId }) => requestId)).toEqual([1]);
  });

  it("E3 periodic heartbeats ask again, in case the first were lost", () => {
    const group = leading();
    group.askRead(1, 1);
    group.processReady(group.member(1));
    group.intercept(({ type }) => type === "heartbeat");
    group.heartbeat();
    expect(group.member(1).readStates).toEqual([{ index: 2, requestId: 1 }]);
  });

  it("E3 (RELIABILITY §3.6) an answer to another leadership's round confirms nothing", () => {
    const group = leading();
    group.askRead(1, 1);
    group.processReady(group.member(1));
    group.inFlight = [];
    group.elect(2);
    group.elect(1);
    expect(group.member(1).state()).toMatchObject({ readRound: 0, waitingReads: [] });
    group.askRead(1, 2);
    group.processReady(group.member(1));
    group.inFlight = [];
    for (const from of [2, 3]) group.deliver({ type: "heartbeat-response", from, to: 1, term: 1, readRound: 1 });
    expect(group.member(1).state().waitingReads).toHaveLength(1);
  });

  it("E3 while joint both majorities must confirm", () => {
    const group = leading();
    for (const id of [4, 5]) group.addEmpty(id);
    group.change(
      1,
      "joint-explicit",
      { kind: "add-voter", id: 4 },
      { kind: "add-voter", id: 5 },
      { kind: "remove", id: 2 },
      { kind: "remove", id: 3 },
    );
    group.isolate(2, 3);
    group.askRead(1, 1);
    group.settle();
    expect(group.member(1).readStates).toEqual([]);
    group.heal();
    expect(group.member(1).readStates).toHaveLength(1);
  });

  it("E3 a learner's answer confirms nothing", () => {
    const group = leading({ voters: [1, 2], learners: [3] });
    group.isolate(2);
    group.askRead(1, 1);
    group.settle();
    expect(group.member(1).readStates).toEqual([]);
  });

  it("E3 reads that wait are limited in number", () => {
    const { node } = leading().member(1);
    for (let requestId = 1; requestId <= MAX_WAITING_READS; requestId++) node.readIndex(requestId);
    expect(node.readIndex(0)).toBe("dropped");
  }, 60_000);
});

describe("thesis §6.4.1 lease-based reads", () => {
  const leased = { checkQuorum: true, readOnly: "lease-based" } as const;

  it("E3 §6.4.1 are answered at once", () => {
    const group = leading(leased);
    group.heartbeat();
    group.isolate(1);
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([{ index: 2, requestId: 7 }]);
  });

  it("D4 §6.4.1 need a quorum that was heard of: before the first answer to a heartbeat there is no lease", () => {
    const group = leading(leased);
    group.isolate(1);
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([]);
  });

  it("D4 §6.4.1 end before the voters' patience does, though the leader's next quorum check is yet to come", () => {
    const group = leading(leased);
    for (let tick = 0; tick < ELECTION_TICKS - 1; tick++) group.heartbeat();
    group.isolate(1);
    // The check at this tick finds that all were heard of since the last one: the leader leads on, for as long again.
    group.tick(1, ELECTION_TICKS);
    group.tick(2, ELECTION_TICKS);
    group.tick(3, ELECTION_TICKS);
    group.elect(2);
    group.propose(2, "a");
    expect(group.see(1).role).toBe("leader");
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([]);
  });

  it("D4 §6.4.1 are renewed by heartbeats, and a read that meets none begins one", () => {
    const group = leading(leased);
    for (let tick = 0; tick < 5 * ELECTION_TICKS; tick++) group.heartbeat();
    group.tick(1, ELECTION_TICKS - 2);
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([{ index: 2, requestId: 7 }]);
    group.tick(1, 1);
    group.askRead(1, 8);
    expect(group.member(1).state().readStates).toEqual([{ index: 2, requestId: 7 }]);
    group.settle();
    expect(group.member(1).readStates).toEqual([7, 8].map((requestId) => ({ index: 2, requestId })));
  });

  it("E3 to a follower as well", () => {
    const group = leading(leased);
    group.askRead(2, 7);
    group.settle();
    expect(group.member(2).readStates).toEqual([{ index: 2, requestId: 7 }]);
  });

  it("E3 are held, as others, until the leader has committed in its own term", () => {
    const group = new Scenario(leased);
    group.giveLogs({ 1: "1 1", 2: "1 1", 3: "1 1" });
    group.isolate(1);
    group.member(1).act((node) => node.campaign());
    group.processReady(group.member(1));
    for (const from of [2, 3]) group.deliver({ type: "vote-response", from, to: 1, term: 2, rejected: false });
    group.askRead(1, 7);
    expect(group.member(1).state().readStates).toEqual([]);
  });

  it("E3 D5 the lease is surrendered before a transfer: from then on a quorum must confirm", () => {
    const group = leading(leased);
    group.heartbeat();
    group.member(1).act((node) => node.transferLeader(2));
    group.isolate(1);
    group.askRead(1, 7);
    group.settle();
    expect(group.member(1).readStates).toEqual([]);
  });
});
