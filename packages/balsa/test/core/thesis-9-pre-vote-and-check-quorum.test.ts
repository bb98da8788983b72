import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/index.js";
import { ELECTION_TICKS } from "./member.js";
import { Scenario } from "./scenario.js";

function preVote(from: number, to: number, term: number, lastTerm = 9): Message {
  return { type: "pre-vote", from, to, term, lastIndex: 9, lastTerm, transfer: false };
}

function vote(from: number, to: number, term: number, transfer = false): Message {
  return { type: "vote", from, to, term, lastIndex: 9, lastTerm: 9, transfer };
}

/** What member `id` has to say, taken out of the network. */
function says(group: Scenario, id: number): Message[] {
  group.processReady(group.member(id));
  return group.intercept((message) => message.from === id);
}

describe("thesis §9.6 pre-vote", () => {
  it("D4 §9.6 a pre-candidate asks about the next term, and changes neither term nor vote", () => {
    const group = new Scenario({ preVote: true });
    group.member(1).act((node) => node.campaign());
    expect(group.see(1)).toMatchObject({ role: "pre-candidate", term: 0, lead: 0 });
    const ready = group.member(1).takeReady();
    expect(ready.hardState).toBeUndefined();
    expect(ready.messages).toMatchObject([2, 3].map((to) => ({ type: "pre-vote", to, term: 1 })));
  });

  it("D4 §9.6 with a majority's pre-votes it campaigns, and is elected", () => {
    const group = new Scenario({ preVote: true });
    group.elect(1);
    expect(group.see(1).term).toBe(1);
  });

  it("D4 a group of one elects itself", () => {
    const group = new Scenario({ preVote: true, voters: [1] });
    group.elect(1);
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });

  it("D4 §9.6 a member that was cut off does not raise the term when it returns", () => {
    const group = new Scenario({ preVote: true });
    group.elect(1);
    group.isolate(3);
    for (let i = 0; i < 5; i++) group.timeOut(3);
    group.propose(1, "a");
    group.heal();
    expect([1, 2, 3].map((id) => group.see(id).term)).toEqual([1, 1, 1]);
    expect(group.leader()).toBe(1);
    expect(group.commands(3)).toEqual(["a"]);
  });

  it("D2 a pre-vote is granted for a term that does not exist yet, to any number, to logs as up to date", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 2" });
    group.deliver(preVote(2, 1, 3));
    group.deliver(preVote(3, 1, 3));
    group.deliver(preVote(3, 1, 3, 1));
    expect(says(group, 1)).toMatchObject([
      { type: "pre-vote-response", to: 2, term: 3, rejected: false },
      { type: "pre-vote-response", to: 3, term: 3, rejected: false },
      { type: "pre-vote-response", to: 3, term: 2, rejected: true },
    ]);
    expect(group.member(1).state()).toMatchObject({ term: 2, vote: 0 });
  });

  it("D2 a rejection of a higher term makes a pre-candidate a follower of that term", () => {
    const group = new Scenario({ preVote: true });
    group.member(1).act((node) => node.campaign());
    group.deliver({ type: "pre-vote-response", from: 2, to: 1, term: 7, rejected: true });
    expect(group.see(1)).toMatchObject({ role: "follower", term: 7 });
  });

  it("D4 a majority's rejections end it, in the same term", () => {
    const group = new Scenario({ preVote: true });
    group.giveLogs({ 1: "1", 2: "2", 3: "2" });
    group.campaign(1);
    expect(group.see(1)).toMatchObject({ role: "follower", term: 2 });
  });

  it("D4 (RELIABILITY §3.7) a pre-vote of a lower term is rejected, not passed over: the longer log at the lower term wins", () => {
    const group = new Scenario({ preVote: true });
    // 3 is alone with the longer log, of an old term; 1 and 2 have raised theirs, and cannot win against it.
    group.giveLogs({ 1: "1", 2: "1", 3: "1 1" });
    for (const id of [1, 2]) group.deliver({ type: "heartbeat-response", from: 2, to: id, term: 9, readRound: 0 });
    group.crash(2);
    group.campaign(1);
    expect(group.leader()).toBe(0);
    group.campaign(3);
    expect(group.see(3).term).toBe(9);
    group.elect(3);
  });

  it("D1 a pre-vote that is granted restarts no timer; a vote does", () => {
    const group = new Scenario();
    group.tick(1, 4);
    group.deliver(preVote(2, 1, 5));
    expect(group.member(1).state().electionElapsedTicks).toBe(4);
    group.deliver(vote(2, 1, 5));
    expect(group.member(1).state().electionElapsedTicks).toBe(0);
  });

  it("D2 a late pre-vote's answer says nothing to a candidate", () => {
    const group = new Scenario({ preVote: true, voters: [1, 2, 3, 4, 5] });
    group.member(1).act((node) => node.campaign());
    group.processReady(group.member(1));
    for (const from of [2, 3]) {
      group.deliver({ type: "pre-vote-response", from, to: 1, term: 1, rejected: false });
    }
    expect(group.see(1).role).toBe("candidate");
    for (const from of [4, 5]) group.deliver({ type: "pre-vote-response", from, to: 1, term: 1, rejected: false });
    expect(group.see(1).role).toBe("candidate");
  });

  it("D4 a pre-candidate that times out asks again; it follows a leader that it hears of", () => {
    const group = new Scenario({ preVote: true });
    group.isolate(1);
    group.timeOut(1);
    group.timeOut(1);
    expect(group.see(1)).toMatchObject({ role: "pre-candidate", term: 0 });
    group.elect(2);
    group.heal();
    expect(group.see(1)).toMatchObject({ role: "follower", lead: 2, term: 1 });
  });
});

describe("thesis §6.2 check-quorum", () => {
  it("D4 §6.2 a leader that hears of no majority for an election timeout steps down", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.isolate(1);
    // What it heard last counts for the first timeout.
    group.tick(1, ELECTION_TICKS);
    expect(group.see(1).role).toBe("leader");
    group.tick(1, ELECTION_TICKS);
    expect(group.see(1)).toMatchObject({ role: "follower", term: 1, lead: 0 });
  });

  it("D4 it leads on while a majority answers", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.isolate(3);
    for (let i = 0; i < 5 * ELECTION_TICKS; i++) group.heartbeat();
    expect(group.see(1).role).toBe("leader");
  });

  it("D4 learners' answers don't count", () => {
    const group = new Scenario({ checkQuorum: true, voters: [1, 2], learners: [3] });
    group.elect(1);
    group.isolate(2);
    for (let i = 0; i < 2 * ELECTION_TICKS; i++) group.heartbeat();
    expect(group.see(1).role).toBe("follower");
  });

  it("D4 without it a leader that is cut off leads on in its own view", () => {
    const group = new Scenario();
    group.elect(1);
    group.isolate(1);
    group.tick(1, 10 * ELECTION_TICKS);
    expect(group.see(1).role).toBe("leader");
  });

  it("E1 a member that was added lately counts as active until it had time to answer", () => {
    const group = new Scenario({ checkQuorum: true, voters: [1] });
    group.elect(1);
    group.addEmpty(2);
    group.isolate(2);
    group.change(1, "auto", { kind: "add-voter", id: 2 });
    group.tick(1, ELECTION_TICKS);
    expect(group.see(1).role).toBe("leader");
    group.tick(1, ELECTION_TICKS);
    expect(group.see(1).role).toBe("follower");
  });
});

describe("thesis §4.2.3 the lease that check-quorum brings", () => {
  it.each(["vote", "pre-vote"] as const)(
    "D4 §4.2.3 a %s request of a higher term within the lease is answered with silence",
    (type) => {
      const group = new Scenario({ checkQuorum: true });
      group.elect(1);
      group.deliver({ ...vote(3, 2, 9), type } as Message);
      expect(group.see(2)).toMatchObject({ term: 1, lead: 1 });
      expect(says(group, 2)).toEqual([]);
    },
  );

  it("D4 the leader itself heeds its lease", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.deliver(vote(3, 1, 9));
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });

  it("D4 it ends an election timeout, unrandomized, after the leader was last heard of", () => {
    const group = new Scenario({ checkQuorum: true, random: (bound) => bound - 1 });
    group.elect(1);
    group.tick(2, ELECTION_TICKS - 1);
    group.deliver(vote(3, 2, 9));
    expect(group.see(2).term).toBe(1);
    group.tick(2);
    group.deliver(vote(3, 2, 9));
    expect(group.see(2).term).toBe(9);
  });

  it("D4 it does not bind who knows of no leader", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.member(2).act((node) => node.forgetLeader());
    group.deliver(vote(3, 2, 9));
    expect(says(group, 2)).toMatchObject([{ type: "vote-response", rejected: false }]);
  });

  it("D4 D5 a transfer's election passes over it", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.deliver(vote(3, 2, 9, true));
    expect(group.see(2).term).toBe(9);
  });

  it("D4 (RELIABILITY §3.9) a removed member that was not told cannot depose the leader", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.isolate(3);
    group.change(1, "auto", { kind: "remove", id: 3 });
    for (let i = 0; i < 3; i++) {
      group.heal();
      group.campaign(3);
    }
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });
});

describe("D4 hearing of a higher term from below", () => {
  it.each([{ checkQuorum: true }, { preVote: true }])(
    "D4 with %o an append or heartbeat of a lower term is answered with the own term",
    (options) => {
      const group = new Scenario(options);
      group.elect(1);
      group.deliver({ type: "heartbeat-response", from: 1, to: 3, term: 5, readRound: 0 });
      group.deliver({ type: "heartbeat", from: 1, to: 3, term: 1, commit: 0, readRound: 0 });
      const answers = says(group, 3);
      expect(answers).toMatchObject([{ type: "append-response", to: 1, term: 5, index: 0, rejected: false }]);
      for (const answer of answers) group.deliver(answer);
      expect(group.see(1)).toMatchObject({ role: "follower", term: 5 });
    },
  );

  it("D4 with neither it is passed over: the next campaign will tell", () => {
    const group = new Scenario();
    group.elect(1);
    group.deliver({ type: "heartbeat-response", from: 1, to: 3, term: 5, readRound: 0 });
    group.deliver({ type: "heartbeat", from: 1, to: 3, term: 1, commit: 0, readRound: 0 });
    expect(says(group, 3)).toEqual([]);
  });

  it("D4 a candidate that was cut off with check-quorum is let in again by its higher term", () => {
    const group = new Scenario({ checkQuorum: true });
    group.elect(1);
    group.isolate(3);
    for (let i = 0; i < 4; i++) group.timeOut(3);
    group.heal();
    for (let i = 0; i < 4 * ELECTION_TICKS; i++) group.heartbeat();
    expect(group.leader()).toBeGreaterThan(0);
    expect(new Set([1, 2, 3].map((id) => group.see(id).term)).size).toBe(1);
  });
});

describe("D4 both together, mixed with nodes that lack them", () => {
  it.each([
    { 1: {}, 2: { preVote: true, checkQuorum: true }, 3: { preVote: true, checkQuorum: true } },
    { 1: { preVote: true }, 2: { checkQuorum: true }, 3: {} },
    { 1: { preVote: true, checkQuorum: true }, 2: {}, 3: {} },
  ])("D4 a leader is found and kept, whoever was cut off before: %o", (only) => {
    for (const away of [1, 2, 3]) {
      const group = new Scenario({ only });
      const pass = (timeouts: number): void => {
        for (let i = 0; i < timeouts * ELECTION_TICKS; i++) group.heartbeat();
      };
      pass(4);
      const first = group.leader();
      expect(first).toBeGreaterThan(0);
      group.isolate(away);
      pass(6);
      group.heal();
      pass(10);
      const { term } = group.see(group.leader());
      pass(10);
      expect(group.see(group.leader()).term).toBe(term);
    }
  });

  it("D4 (RELIABILITY §3.8) two halves that share one node: one leader, and it stays", () => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5], preVote: true, checkQuorum: true });
    group.elect(1);
    // 1 and 2 on one side, 4 and 5 on the other; all reach 3.
    for (const a of [1, 2]) {
      for (const b of [4, 5]) {
        group.cutOneWay(a, b);
        group.cutOneWay(b, a);
      }
    }
    for (let i = 0; i < 10 * ELECTION_TICKS; i++) group.heartbeat();
    const leader = group.leader();
    const { term } = group.see(leader);
    group.propose(leader, "a");
    expect(group.commands(3)).toEqual(["a"]);
    for (let i = 0; i < 10 * ELECTION_TICKS; i++) group.heartbeat();
    expect(group.see(leader)).toMatchObject({ role: "leader", term });
  });
});
