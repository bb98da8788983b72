import { describe, expect, it } from "vitest";
import { ELECTION_TICKS } from "./member.js";
import { Scenario } from "./scenario.js";

function leading(options?: ConstructorParameters<typeof Scenario>[0]): Scenario {
  const group = new Scenario(options);
  group.elect(1);
  return group;
}

describe("thesis §3.10 leadership transfer", () => {
  it("D5 §3.10 to a peer that is up to date: it is told to campaign at once, and is elected", () => {
    const group = leading({ preVote: true, checkQuorum: true });
    group.transfer(1, 2);
    expect(group.leader()).toBe(2);
    expect(group.see(1)).toMatchObject({ role: "follower", term: 2 });
    // Without asking first whether it may.
    expect(group.sent.filter((m) => m.type === "pre-vote" && m.from === 2)).toEqual([]);
    expect(group.sent.filter((m) => m.type === "vote" && m.from === 2)).toMatchObject([
      { to: 1, transfer: true },
      { to: 3, transfer: true },
    ]);
  });

  it("D5 (RELIABILITY §3.16) to a peer that is behind: it is brought up to date first", () => {
    const group = leading();
    group.isolate(3);
    group.propose(1, "a");
    group.member(1).act((node) => node.transferLeader(3));
    group.settle();
    expect(group.leader()).toBe(1);
    expect(group.sent.filter(({ type }) => type === "timeout-now")).toEqual([]);
    group.heal();
    group.heartbeat();
    expect(group.leader()).toBe(3);
    expect(group.commands(3)).toEqual(["a"]);
  });

  it("D5 a follower passes the wish on", () => {
    const group = leading();
    group.transfer(2, 3);
    expect(group.sent.filter(({ type }) => type === "transfer-leader")).toMatchObject([
      { from: 2, to: 1, term: 1, transferee: 3 },
    ]);
    expect(group.leader()).toBe(3);
  });

  it("D5 a follower passes another's wish on as its own", () => {
    const group = leading();
    group.deliver({ type: "transfer-leader", from: 3, to: 2, term: 1, transferee: 3 });
    group.settle();
    expect(group.leader()).toBe(3);
  });

  it("D5 who knows of no leader, or campaigns, lets it be", () => {
    const group = new Scenario();
    group.transfer(1, 2);
    group.isolate(3);
    group.campaign(3);
    group.transfer(3, 2);
    group.deliver({ type: "transfer-leader", from: 1, to: 3, term: 1, transferee: 2 });
    expect(group.sent.filter(({ type }) => type === "transfer-leader")).toEqual([]);
  });

  it("C2 D5 while it is under way proposals are dropped", () => {
    const group = leading();
    group.isolate(1);
    group.transfer(1, 2);
    expect(group.propose(1, "a")).toEqual({ kind: "dropped", reason: "transferring" });
    expect(group.member(1).node.status().leadTransferee).toBe(2);
  });

  it("D5 after an election timeout without success the leader leads on", () => {
    const group = leading();
    group.isolate(2);
    group.transfer(1, 2);
    group.tick(1, ELECTION_TICKS - 1);
    expect(group.proposeOnly(1, "a").kind).toBe("dropped");
    group.tick(1);
    expect(group.proposeOnly(1, "a").kind).toBe("accepted");
  });

  it("D5 the timeout counts from the request", () => {
    const group = leading();
    group.tick(1, ELECTION_TICKS - 1);
    group.isolate(2);
    group.transfer(1, 2);
    group.tick(1, ELECTION_TICKS - 1);
    expect(group.proposeOnly(1, "a").kind).toBe("dropped");
  });

  it("D5 naming the leader itself calls it off; naming another goes there", () => {
    const group = leading();
    group.isolate(2);
    group.transfer(1, 2);
    group.transfer(1, 1);
    expect(group.member(1).node.status().leadTransferee).toBe(0);
    group.transfer(1, 2);
    group.transfer(1, 3);
    expect(group.leader()).toBe(3);
  });

  it("D5 asking again for the same changes nothing", () => {
    const group = leading();
    group.isolate(2);
    group.transfer(1, 2);
    group.tick(1, 3);
    const { electionElapsedTicks } = group.member(1).state();
    group.transfer(1, 2);
    expect(group.member(1).state().electionElapsedTicks).toBe(electionElapsedTicks);
  });

  it.each([
    { what: "a learner", to: 4 },
    { what: "a stranger", to: 9 },
    { what: "the leader itself", to: 1 },
  ])("D5 not to $what", ({ to }) => {
    const group = leading({ learners: [4] });
    group.transfer(1, to);
    expect(group.leader()).toBe(1);
    expect(group.propose(1, "a").kind).toBe("accepted");
  });

  it("D5 a candidate does not heed a bidding to campaign", () => {
    const group = leading();
    group.isolate(3);
    group.campaign(3);
    const before = group.see(3);
    group.deliver({ type: "timeout-now", from: 1, to: 3, term: before.term });
    expect(group.see(3)).toEqual(before);
  });

  it("D5 a leader does not heed it either", () => {
    const group = leading();
    group.deliver({ type: "timeout-now", from: 2, to: 1, term: 1 });
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });
});

describe("D5 forget-leader", () => {
  it("D5 a follower that forgets its leader grants votes, in the same term, its timer untouched", () => {
    const group = leading();
    group.tick(2, 3);
    group.member(2).act((node) => node.forgetLeader());
    expect(group.see(2)).toMatchObject({ role: "follower", term: 1, lead: 0 });
    expect(group.member(2).state().electionElapsedTicks).toBe(3);
    group.heartbeat();
    expect(group.see(2).lead).toBe(1);
  });

  it("D5 a no-op on leaders and candidates", () => {
    const group = leading();
    group.isolate(3);
    group.campaign(3);
    for (const id of [1, 3]) {
      const before = group.member(id).state();
      group.member(id).act((node) => node.forgetLeader());
      expect(group.member(id).state()).toEqual(before);
    }
  });

  it("D5 ignored under lease-based reads", () => {
    const group = leading({ checkQuorum: true, readOnly: "lease-based" });
    group.member(2).act((node) => node.forgetLeader());
    expect(group.see(2).lead).toBe(1);
  });

  it("D4 D5 a quorum that forgets a dead leader elects another without waiting for the lease", () => {
    const group = leading({ preVote: true, checkQuorum: true });
    group.crash(1);
    group.campaign(2);
    expect(group.leader()).toBe(0);
    group.member(2).act((node) => node.forgetLeader());
    group.member(3).act((node) => node.forgetLeader());
    group.elect(2);
  });
});
