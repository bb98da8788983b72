import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/index.js";
import { snapshotAt } from "./entries.js";
import { ELECTION_TICKS } from "./member.js";
import { BEGINNING, Scenario } from "./scenario.js";

/** Raft §5.1 and §5.2, rule by rule. */
describe("Raft §5.1 terms", () => {
  it.each(["append", "heartbeat", "append-response", "heartbeat-response", "vote-response"] as const)(
    "D2 §5.1 a higher term in a message of type %s makes a leader a follower",
    (type) => {
      const group = new Scenario();
      group.elect(1);
      group.deliver(message(type, 2, 1, 9));
      expect(group.see(1)).toMatchObject({ term: 9, role: "follower" });
    },
  );

  it("D2 §5.1 the sender of an append or heartbeat of a higher term is its leader; of others nobody", () => {
    const group = new Scenario();
    group.deliver(message("heartbeat", 2, 1, 3));
    expect(group.member(1).node.lead).toBe(2);
    group.deliver(message("heartbeat-response", 3, 1, 4));
    expect(group.member(1).node.lead).toBe(0);
  });

  it("D2 §5.1 a message of a lower term is passed over", () => {
    const group = new Scenario();
    group.elect(1);
    group.elect(2);
    const before = group.member(1).state();
    for (const type of ["append", "heartbeat", "append-response", "heartbeat-response", "vote"] as const) {
      group.deliver(message(type, 3, 1, 1));
    }
    expect(group.member(1).state()).toEqual(before);
  });

  it("a message that says nothing of its term is passed over", () => {
    const group = new Scenario();
    const before = group.member(1).state();
    group.deliver(message("append", 2, 1, 0));
    expect(group.member(1).state()).toEqual(before);
  });

  it("a snapshot that says nothing of its term is taken in, the term staying what it is", () => {
    const group = new Scenario();
    group.isolate(1);
    group.campaign(1);
    group.deliver({ type: "snapshot", from: 2, to: 1, term: 0, snapshot: snapshotAt(9, 1) });
    expect(group.see(1)).toMatchObject({ role: "follower", term: 1, commit: 9 });
  });
});

describe("Raft §5.2 leader election", () => {
  it("D1 §5.2 everyone starts as follower", () => {
    const group = new Scenario();
    expect([1, 2, 3].map((id) => group.member(id).node.role)).toEqual(["follower", "follower", "follower"]);
  });

  it("D1 §5.2 a follower that hears of no leader for an election timeout campaigns", () => {
    const group = new Scenario();
    const { randomizedElectionTicks } = group.member(1).state();
    group.tick(1, randomizedElectionTicks - 1);
    expect(group.member(1).node.role).toBe("follower");
    group.tick(1);
    expect(group.see(1)).toMatchObject({ role: "candidate", term: 1 });
  });

  it("D1 §5.2 a candidate increments its term, votes for itself, and asks all others", () => {
    const group = new Scenario();
    group.member(1).act((node) => node.campaign());
    const ready = group.member(1).takeReady();
    expect(ready.hardState).toEqual({ term: 1, vote: 1, commit: BEGINNING.index });
    expect(ready.messages).toEqual(
      [2, 3].map((to) => ({
        type: "vote",
        from: 1,
        to,
        term: 1,
        lastIndex: 1,
        lastTerm: 1,
        transfer: false,
      })),
    );
  });

  it("D1 §5.2 a candidate that neither wins nor loses starts over in a new term", () => {
    const group = new Scenario();
    group.isolate(1);
    group.campaign(1);
    group.timeOut(1);
    expect(group.see(1)).toMatchObject({ role: "candidate", term: 2 });
  });

  it.each([
    { voters: [1], others: [], role: "leader" },
    { voters: [1, 2, 3], others: [], role: "candidate" },
    { voters: [1, 2, 3], others: [2], role: "leader" },
    { voters: [1, 2, 3, 4], others: [2], role: "candidate" },
    { voters: [1, 2, 3, 4], others: [2, 3], role: "leader" },
    { voters: [1, 2, 3, 4, 5], others: [2, 3], role: "leader" },
  ])("D1 §5.2 of $voters with the votes of 1 and $others it is $role", ({ voters, others, role }) => {
    const group = new Scenario({ voters });
    group.crash(...voters.filter((id) => id !== 1 && !others.includes(id)));
    group.campaign(1);
    expect(group.member(1).node.role).toBe(role);
  });

  it("D1 §5.2 a candidate that a majority rejects becomes a follower again, in the same term", () => {
    const group = new Scenario();
    group.isolate(1);
    group.campaign(1);
    for (const from of [2, 3]) group.deliver(vote(from, 1, 1, true));
    expect(group.see(1)).toMatchObject({ role: "follower", term: 1 });
  });

  it("D2 §5.2 one vote a term, first come first served, and again to the same candidate", () => {
    const group = new Scenario();
    expect(askVote(group, 2, 1)).toBe("granted");
    expect(askVote(group, 2, 1)).toBe("granted");
    expect(askVote(group, 3, 1)).toBe("rejected");
    expect(askVote(group, 3, 2)).toBe("granted");
  });

  it("D2 no vote where a leader of the term is known", () => {
    const group = new Scenario();
    group.deliver(message("heartbeat", 2, 1, 3));
    expect(askVote(group, 3, 3)).toBe("rejected");
  });

  it("F1 never votes twice in a term, crash or no crash", () => {
    const group = new Scenario();
    expect(askVote(group, 2, 1)).toBe("granted");
    group.crash(1);
    group.restart(1);
    expect(group.member(1).node.term).toBe(1);
    expect(askVote(group, 3, 1)).toBe("rejected");
    expect(askVote(group, 2, 1)).toBe("granted");
  });

  it.each(["append", "heartbeat", "snapshot"] as const)(
    "D1 §5.2 a candidate that hears a leader of its term by %s follows it",
    (type) => {
      const group = new Scenario();
      group.isolate(1);
      group.campaign(1);
      group.deliver(message(type, 2, 1, 1));
      expect(group.see(1)).toMatchObject({ role: "follower", term: 1, lead: 2 });
    },
  );

  it("D2 answers of another election or role are ignored", () => {
    const group = new Scenario();
    group.isolate(1);
    group.campaign(1);
    group.campaign(1);
    group.deliver(vote(2, 1, 1, false));
    expect(group.see(1)).toMatchObject({ role: "candidate", term: 2 });
    group.deliver({ ...vote(2, 1, 2, false), type: "pre-vote-response" } as Message);
    expect(group.member(1).node.role).toBe("candidate");
    group.deliver(message("heartbeat", 3, 1, 2));
    group.deliver(vote(2, 1, 2, false));
    expect(group.member(1).node.role).toBe("follower");
  });

  it("D1 timeouts are spread over [T, 2T), redrawn with every role", () => {
    const seen = new Set<number>();
    let draw = 0;
    const group = new Scenario({ random: (bound) => draw++ % bound });
    group.isolate(1);
    for (let i = 0; i < 3 * ELECTION_TICKS; i++) {
      group.campaign(1);
      const { randomizedElectionTicks } = group.member(1).state();
      expect(randomizedElectionTicks).toBeGreaterThanOrEqual(ELECTION_TICKS);
      expect(randomizedElectionTicks).toBeLessThan(2 * ELECTION_TICKS);
      seen.add(randomizedElectionTicks);
    }
    expect(seen.size).toBe(ELECTION_TICKS);
  });

  it.each([
    { what: "an append of the leader", deed: (g: Scenario) => g.deliver(message("append", 2, 1, 1)), restarts: true },
    { what: "its heartbeat", deed: (g: Scenario) => g.deliver(message("heartbeat", 2, 1, 1)), restarts: true },
    { what: "its snapshot", deed: (g: Scenario) => g.deliver(message("snapshot", 2, 1, 1)), restarts: true },
    { what: "a vote that is granted", deed: (g: Scenario) => askVote(g, 2, 1), restarts: true },
    { what: "a vote that is refused", deed: (g: Scenario) => askVote(g, 2, 1, 0), restarts: false },
    {
      what: "a pre-vote",
      deed: (g: Scenario) => g.deliver({ ...voteRequest(2, 1, 2), type: "pre-vote" }),
      restarts: false,
    },
  ])("D1 the election timer restarts on $what: $restarts", ({ deed, restarts }) => {
    const group = new Scenario();
    group.deliver(message("heartbeat-response", 2, 1, 1));
    group.tick(1, 5);
    deed(group);
    expect(group.member(1).state().electionElapsedTicks).toBe(restarts ? 0 : 5);
  });

  it("D6 a leader sends a heartbeat at each heartbeat interval, to everyone", () => {
    const group = new Scenario({ heartbeatTicks: 2 });
    group.elect(1);
    group.tick(1, 6);
    const ready = group.member(1).takeReady();
    expect(ready.messages.map(({ type, to }) => `${type} ${to}`)).toEqual([
      "heartbeat 2",
      "heartbeat 3",
      "heartbeat 2",
      "heartbeat 3",
      "heartbeat 2",
      "heartbeat 3",
    ]);
  });

  it("D6 while a leader sends heartbeats nobody campaigns", () => {
    const group = new Scenario();
    group.elect(1);
    for (let i = 0; i < 5 * ELECTION_TICKS; i++) group.heartbeat();
    expect([1, 2, 3].map((id) => group.member(id).node.term)).toEqual([1, 1, 1]);
  });

  it("D6 when the leader dies another is elected within two election timeouts", () => {
    const group = new Scenario();
    group.elect(1);
    group.crash(1);
    for (let i = 0; i < 2 * ELECTION_TICKS; i++) group.heartbeat();
    expect([2, 3]).toContain(group.leader());
  });

  it("D2 a learner votes when it is asked: it may have become a voter without knowing", () => {
    const group = new Scenario({ voters: [1, 2], learners: [3] });
    expect(askVote(group, 2, 1, undefined, 3)).toBe("granted");
  });

  it("D1 a learner does not campaign, nor a node that is no member", () => {
    const group = new Scenario({ voters: [1, 2], learners: [3] });
    group.addEmpty(4);
    for (const id of [3, 4]) {
      group.timeOut(id);
      group.campaign(id);
      expect(group.see(id)).toMatchObject({ role: "follower", term: 0 });
    }
  });

  it("D1 a leader that is told to campaign goes on leading", () => {
    const group = new Scenario();
    group.elect(1);
    group.campaign(1);
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });
});

describe("Raft §5.4.1 election restriction", () => {
  it.each([
    { ours: "1 1 2", last: [2, 4], granted: true, why: "the same" },
    { ours: "1 1 2", last: [2, 3], granted: false, why: "shorter" },
    { ours: "1 1 2", last: [2, 9], granted: true, why: "longer" },
    { ours: "1 1 2", last: [1, 9], granted: false, why: "longer, of a lower term" },
    { ours: "1 1 2", last: [3, 2], granted: true, why: "shorter, of a higher term" },
  ])("D2 §5.4.1 to a log that is $why: granted $granted", ({ ours, last, granted }) => {
    const group = new Scenario();
    group.giveLogs({ 1: ours });
    const [lastTerm = 0, lastIndex = 0] = last;
    group.deliver({ ...voteRequest(2, 1, 5), lastIndex, lastTerm });
    const answers = group.member(1).takeReady().messages;
    expect(answers).toMatchObject([{ type: "vote-response", to: 2, term: 5, rejected: !granted }]);
  });

  it("D2 a vote that is refused raises the term and gives no vote away", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1 2" });
    expect(askVote(group, 2, 5, 1)).toBe("rejected");
    expect(askVote(group, 3, 5)).toBe("granted");
  });
});

function askVote(group: Scenario, from: number, term: number, lastTerm = 99, to = 1): string {
  group.deliver({ ...voteRequest(from, to, term), lastTerm });
  const ready = group.member(to).takeReady();
  group.member(to).store(ready.hardState, ready.entries, ready.snapshot);
  group.member(to).act((node) => node.advance());
  const answer = ready.messages.find((m) => m.type === "vote-response" && m.to === from);
  if (answer?.type !== "vote-response") throw new Error("no answer to a vote request");
  return answer.rejected ? "rejected" : "granted";
}

function voteRequest(from: number, to: number, term: number): Extract<Message, { type: "vote" | "pre-vote" }> {
  return { type: "vote", from, to, term, lastIndex: 9, lastTerm: 9, transfer: false };
}

function vote(from: number, to: number, term: number, rejected: boolean): Message {
  return { type: "vote-response", from, to, term, rejected };
}

function message(type: Message["type"], from: number, to: number, term: number): Message {
  const common = { from, to, term };
  const { index: prevIndex, term: prevTerm } = BEGINNING;
  switch (type) {
    case "append":
      return { type, ...common, prevIndex, prevTerm, entries: [], commit: 0, quiet: false };
    case "append-response":
      return { type, ...common, index: 1, rejected: false, hintIndex: 0, hintTerm: 0 };
    case "heartbeat":
      return { type, ...common, commit: 0, readRound: 0 };
    case "heartbeat-response":
      return { type, ...common, readRound: 0 };
    case "vote":
      return { type, ...common, lastIndex: 9, lastTerm: 9, transfer: false };
    case "vote-response":
      return { type, ...common, rejected: false };
    case "snapshot": {
      const confState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
      return { type, ...common, snapshot: { meta: { ...BEGINNING, confState }, data: new Uint8Array(0) } };
    }
    case "timeout-now":
      return { type, ...common };
    default:
      throw new Error(`no example of ${type}`);
  }
}
