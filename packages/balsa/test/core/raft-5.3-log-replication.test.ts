import { describe, expect, it } from "vitest";
import type { AppendMessage, AppendResponse, Message } from "../../src/core/index.js";
import { entriesFrom, positions } from "./entries.js";
import { BEGINNING, Scenario } from "./scenario.js";

/** Raft §5.3 and §5.4, rule by rule, and the figures. */
describe("Raft §5.3 log replication, the leader", () => {
  it("C1 §5.3 a new leader probes everyone from its last entry, and appends an empty entry of its term", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1 2" });
    group.isolate(2, 3);
    group.member(1).act((node) => node.campaign());
    group.processReady(group.member(1));
    for (const from of [2, 3]) {
      group.deliver({ type: "vote-response", from, to: 1, term: 3, rejected: false });
    }
    expect(group.see(1)).toMatchObject({ role: "leader", lead: 1, lastIndex: 5 });
    const ready = group.member(1).takeReady();
    expect(positions(ready.entries)).toBe("3/5");
    expect(ready.entries[0]?.data).toHaveLength(0);
    expect(ready.messages).toMatchObject(
      [2, 3].map((to) => ({ type: "append", to, prevIndex: 4, prevTerm: 2, commit: BEGINNING.index })),
    );
    expect(group.progress(1, 2)).toMatchObject({ match: 0, next: 5, state: "probe", appendPaused: true });
    expect(group.progress(1, 1)).toMatchObject({ match: 4, state: "replicate" });
  });

  it("C3 a proposal is sent at once, not at the next heartbeat", () => {
    const group = new Scenario();
    group.elect(1);
    group.proposeOnly(1, "a");
    const appends = group.member(1).takeReady().messages;
    expect(appends).toMatchObject([2, 3].map((to) => ({ type: "append", to, prevIndex: 2, commit: 2 })));
  });

  it("C3 proposals that arrive together travel, and are synced, together", () => {
    const group = new Scenario();
    group.elect(1);
    expect(group.proposeOnly(1, "a", "b", "c")).toEqual({ kind: "accepted", index: 3, term: 1, refusal: undefined });
    const ready = group.member(1).takeReady();
    expect(positions(ready.entries)).toBe("1/3 1/4 1/5");
    expect(ready.mustSync).toBe(true);
    const appends = ready.messages as AppendMessage[];
    expect(appends.map(({ entries }) => positions(entries))).toEqual(["1/3 1/4 1/5", "1/3 1/4 1/5"]);
  });

  it("C6 §5.3 an entry is committed once a majority has it, and all are told at once", () => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5] });
    group.elect(1);
    group.isolate(4, 5);
    group.propose(1, "a");
    expect([1, 2, 3].map((id) => group.commands(id))).toEqual([["a"], ["a"], ["a"]]);
    group.isolate(3);
    group.propose(1, "b");
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("C6 tells each peer of a new commit index once", () => {
    const group = new Scenario();
    group.elect(1);
    group.propose(1, "a");
    const told = group.sent.filter((m) => m.type === "append" && m.entries.length === 0 && m.commit === 3);
    expect(told.map(({ to }) => to)).toEqual([2, 3]);
  });

  it("C9 the leader counts itself only when its own write is durable", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    group.holdStorage(1);
    group.isolate(3);
    group.propose(1, "a");
    expect(group.see(1)).toMatchObject({ commit: 2, lastIndex: 3 });
    group.releaseStorage(1);
    expect(group.see(1)).toMatchObject({ commit: 3 });
  });

  it("C9 a quorum of followers is enough, even before the leader's own write is durable", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    group.holdStorage(1);
    group.propose(1, "a");
    expect(group.see(1)).toMatchObject({ commit: 3 });
    // What it has not stored itself it does not apply.
    expect(group.commands(1)).toEqual([]);
    expect(group.commands(2)).toEqual(["a"]);
    group.releaseStorage(1);
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("C9 (RELIABILITY §3.17) a group of one acknowledges nothing before its own sync", () => {
    const group = new Scenario({ voters: [1], asyncStorageWrites: true });
    group.elect(1);
    group.holdStorage(1);
    group.propose(1, "a");
    expect(group.see(1).commit).toBe(2);
    group.releaseStorage(1);
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("§5.3 a leader never overwrites or drops its own entries", () => {
    const group = new Scenario();
    group.elect(1);
    group.propose(1, "a");
    const before = group.logs()[1];
    group.deliver(append({ from: 2, term: 1, prevIndex: 1, terms: [1] }));
    expect(group.logs()[1]).toBe(before);
  });

  it("C7 heartbeats carry what the peer is known to have, and never more", () => {
    const group = new Scenario();
    group.elect(1);
    group.isolate(3);
    group.propose(1, "a");
    group.tick(1);
    const heartbeats = group.member(1).takeReady().messages;
    expect(heartbeats).toMatchObject([
      { type: "heartbeat", to: 2, commit: 3 },
      { type: "heartbeat", to: 3, commit: 2 },
    ]);
  });

  it("C7 a follower that lost appends resumes when it answers a heartbeat", () => {
    const group = new Scenario();
    group.elect(1);
    group.isolate(3);
    group.propose(1, "a");
    group.heal();
    expect(group.commands(3)).toEqual(["a"]);
  });
});

describe("Raft §5.3 log replication, the follower", () => {
  const cases = [
    { ours: "1 1", prevIndex: 3, prevTerm: 1, terms: [2], log: "1 1 2", answer: { index: 4, rejected: false } },
    { ours: "1 1", prevIndex: 1, prevTerm: 1, terms: [1, 1], log: "1 1", answer: { index: 3, rejected: false } },
    { ours: "1 1 1", prevIndex: 2, prevTerm: 1, terms: [2], log: "1 2", answer: { index: 3, rejected: false } },
    { ours: "1 1 1", prevIndex: 2, prevTerm: 1, terms: [1], log: "1 1 1", answer: { index: 3, rejected: false } },
    {
      ours: "1 1",
      prevIndex: 4,
      prevTerm: 1,
      terms: [2],
      log: "1 1",
      answer: { index: 4, rejected: true, hintIndex: 3 },
    },
    {
      ours: "1 1",
      prevIndex: 3,
      prevTerm: 2,
      terms: [2],
      log: "1 1",
      answer: { index: 3, rejected: true, hintIndex: 3 },
    },
    {
      ours: "1 2",
      prevIndex: 3,
      prevTerm: 1,
      terms: [3],
      log: "1 2",
      answer: { index: 3, rejected: true, hintIndex: 2 },
    },
  ];
  it.each(cases)("C5 §5.3 $ours gets $terms behind $prevTerm/$prevIndex: $log", (example) => {
    const { ours, prevIndex, prevTerm, terms, log, answer } = example;
    const group = new Scenario();
    group.giveLogs({ 1: ours });
    group.deliver(append({ from: 2, term: 5, prevIndex, prevTerm, terms }));
    group.processReady(group.member(1));
    expect(group.logs()[1]).toBe(log);
    expect(group.inFlight).toMatchObject([{ type: "append-response", to: 2, term: 5, ...answer }]);
  });

  it("C5 an append below the commit index is answered with the commit index, and changes nothing", () => {
    const group = new Scenario();
    group.elect(2);
    group.propose(2, "a", "b");
    group.deliver(append({ from: 2, term: 1, prevIndex: 1, terms: [1] }));
    group.processReady(group.member(1));
    expect(group.inFlight).toMatchObject([{ type: "append-response", index: 4, rejected: false }]);
  });

  it("C5 (RELIABILITY §3.10) an empty append commits up to what it has shown to match", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1 1" });
    group.deliver(append({ from: 2, term: 5, prevIndex: 2, terms: [], commit: 4 }));
    expect(group.see(1).commit).toBe(2);
  });

  it("C5 (RELIABILITY §3.11) a short, late or doubled append cuts off nothing", () => {
    const group = new Scenario();
    const [long, short] = [[1, 1, 1], [1]].map((terms) => append({ from: 2, term: 1, prevIndex: 1, terms }));
    for (const message of [long, short, long]) if (message !== undefined) group.deliver(message);
    group.processReady(group.member(1));
    expect(group.logs()[1]).toBe("1 1 1");
  });

  it("C5 appends that arrive out of order are all taken in the end", () => {
    const group = new Scenario();
    group.elect(1);
    for (const command of ["a", "b", "c"]) group.proposeOnly(1, command);
    group.processReady(group.member(1));
    group.inFlight.reverse();
    group.settle();
    expect(group.commands(2)).toEqual(["a", "b", "c"]);
  });

  it("A4 a heartbeat that commits what the follower has lost is fatal", () => {
    const group = new Scenario();
    const { node } = group.member(1);
    const heartbeat: Message = { type: "heartbeat", from: 2, to: 1, term: 1, commit: 9, readRound: 0 };
    expect(() => node.step(heartbeat)).toThrow("past the log's end");
    // It takes no further part.
    expect(() => node.tick()).toThrow("past the log's end");
    expect(() => node.ready()).toThrow("past the log's end");
  });

  it("D3 answers to appends wait until all writes that are pending are durable; answers to heartbeats don't", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.deliver(append({ from: 2, term: 1, prevIndex: 1, terms: [1] }));
    group.holdStorage(1);
    group.processReady(group.member(1));
    group.deliver(append({ from: 2, term: 1, prevIndex: 1, terms: [1] }));
    group.deliver({ type: "heartbeat", from: 2, to: 1, term: 1, commit: 0, readRound: 0 });
    group.processReady(group.member(1));
    expect(group.inFlight.map(({ type }) => type)).toEqual(["heartbeat-response"]);
    group.inFlight = [];
    group.completeWrite(1);
    expect(group.inFlight.map(({ type }) => type)).toEqual(["append-response"]);
    group.completeWrite(1);
    expect(group.inFlight.map(({ type }) => type)).toEqual(["append-response", "append-response"]);
  });
});

describe("Raft Figure 7", () => {
  const FIGURE_7 = {
    1: "1 1 1 4 4 5 5 6 6 6",
    2: "1 1 1 4 4 5 5 6 6",
    3: "1 1 1 4",
    4: "1 1 1 4 4 5 5 6 6 6 6",
    5: "1 1 1 4 4 5 5 6 6 6 7 7",
    6: "1 1 1 4 4 4 4",
    7: "1 1 1 2 2 2 3 3 3 3 3",
  };

  it("§5.3 Figure 7: whatever the followers' logs, the leader brings them into agreement with its own", () => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5, 6, 7] });
    group.giveLogs(FIGURE_7);
    // For term 8; by the votes of 2, 3, 6 and 7, as the logs of 4 and 5 are more up to date.
    group.elect(1);
    group.heartbeat();
    expect(new Set(Object.values(group.logs()))).toEqual(new Set([`${FIGURE_7[1]} 8`]));
  });

  it.each([
    { id: 1, wins: true },
    { id: 2, wins: true },
    { id: 3, wins: false },
    { id: 4, wins: true },
    { id: 5, wins: true },
    { id: 6, wins: false },
    { id: 7, wins: false },
  ])("§5.4.1 Figure 7: member $id can win an election: $wins", ({ id, wins }) => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5, 6, 7] });
    group.giveLogs(FIGURE_7);
    group.campaign(id);
    expect(group.see(id).role === "leader").toBe(wins);
  });

  it("B5 a long divergent tail is found in rounds proportional to terms, not entries", () => {
    const group = new Scenario({ voters: [1, 2] });
    const common = "1 1";
    group.giveLogs({ 1: `${common}${" 4".repeat(200)}`, 2: `${common}${" 2".repeat(50)}${" 3".repeat(50)}` });
    group.elect(1);
    const appends = group.sent.filter(({ type }) => type === "append").length;
    expect(group.logs()[2]).toBe(group.logs()[1]);
    expect(appends).toBeLessThanOrEqual(6);
  });
});

describe("Raft §5.4.2 and Figure 8", () => {
  it("C1 §5.4.2 Figure 8: an entry of an earlier term is not committed by counting copies", () => {
    // (a) S1 leads in term 2 and replicates the entry at index 2 to S2 alone.
    const group = new Scenario({ voters: [1, 2, 3, 4, 5] });
    group.giveLogs({ 1: "1", 2: "1", 3: "1", 4: "1", 5: "1" });
    group.isolate(1, 2);
    lead(group, 1, 2);
    group.crash(1);
    // (b) S5 is elected for term 3 by S3, S4 and itself, and accepts another entry at index 2.
    group.heal();
    group.isolate(5);
    lead(group, 5, 3, false);
    group.crash(5);
    group.heal();
    // (c) S1 restarts, is elected for term 4 and goes on replicating: the entry of term 2 is on a majority.
    group.restart(1);
    lead(group, 1, 4, false);
    const own = group.member(1).node.lastIndex;
    for (const follower of [2, 3]) {
      group.deliver(acknowledge(follower, 1, 4, own - 1));
    }
    expect(group.see(1)).toMatchObject({ role: "leader", commit: BEGINNING.index });
    // (e) With an entry of its own term on a majority, all before it is committed too.
    for (const follower of [2, 3]) group.deliver(acknowledge(follower, 1, 4, own));
    expect(group.see(1).commit).toBe(own);
  });

  it("§5.4.2 Figure 8 (d): a leader that had the entry on a majority, uncommitted, may lose it to a later term's", () => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5] });
    group.giveLogs({ 1: "1 2 4", 2: "1 2", 3: "1 2", 4: "1", 5: "1 3" });
    group.crash(1);
    group.elect(5);
    group.restart(1);
    group.heartbeat();
    expect(new Set(Object.values(group.logs()))).toEqual(new Set([group.logs()[5]]));
    expect(group.logs()[5]?.startsWith("1 3")).toBe(true);
  });

  it("§5.4.3 leader completeness: what is committed is in every later leader's log", () => {
    const group = new Scenario({ voters: [1, 2, 3, 4, 5] });
    group.elect(1);
    group.isolate(4, 5);
    group.propose(1, "kept");
    group.crash(1);
    group.heal();
    group.campaign(4);
    group.campaign(5);
    expect(group.leader()).toBe(0);
    group.campaign(2);
    group.elect(2);
    group.heartbeat();
    expect([2, 3, 4, 5].map((id) => group.commands(id))).toEqual([["kept"], ["kept"], ["kept"], ["kept"]]);
  });
});

/** Makes a member leader of a term by force of the votes it needs, without anything being replicated yet. */
function lead(group: Scenario, id: number, term: number, replicate = true): void {
  const others = [...group.members.keys()].filter((other) => other !== id);
  group.deliver({ type: "heartbeat-response", from: others[0] as number, to: id, term: term - 1, readRound: 0 });
  group.member(id).act((node) => node.campaign());
  group.processReady(group.member(id));
  group.inFlight = [];
  for (const from of others.slice(0, 3)) group.deliver({ type: "vote-response", from, to: id, term, rejected: false });
  if (group.see(id).role !== "leader") throw new Error(`member ${id} was not elected`);
  group.processReady(group.member(id));
  if (replicate) group.settle();
  group.inFlight = [];
}

function acknowledge(from: number, to: number, term: number, index: number): AppendResponse {
  return { type: "append-response", from, to, term, index, rejected: false, hintIndex: 0, hintTerm: 0 };
}

interface AppendExample {
  readonly from: number;
  readonly term: number;
  readonly prevIndex: number;
  readonly prevTerm?: number;
  readonly terms: readonly number[];
  readonly commit?: number;
}

function append({ from, term, prevIndex, prevTerm = 1, terms, commit = 0 }: AppendExample): AppendMessage {
  const entries = entriesFrom(prevIndex + 1, ...terms);
  return { type: "append", from, to: 1, term, prevIndex, prevTerm, entries, commit, quiet: false };
}
