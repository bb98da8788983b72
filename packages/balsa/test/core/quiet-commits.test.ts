import { describe, expect, it } from "vitest";
import type { AppendMessage, Message } from "../../src/core/index.js";
import { Scenario, type ScenarioOptions } from "./scenario.js";

// Appends that only tell of the commit index want no answer (core/replication.ts).

function led(options: ScenarioOptions = {}): Scenario {
  const group = new Scenario({ quietCommits: true, ...options });
  group.elect(1);
  return group;
}

const isQuiet = (message: Message): message is AppendMessage => message.type === "append" && message.quiet;

/** What went between members while `story` happened. */
function sentIn(group: Scenario, story: () => void): readonly Message[] {
  const before = group.sent.length;
  story();
  return group.sent.slice(before);
}

/** Member 1 proposes; of the messages that follow those that fit are lost. */
function proposeWithout(group: Scenario, lost: (message: Message) => boolean): void {
  group.proposeOnly(1, "a");
  for (let busy = true; busy; ) {
    for (const member of group.members.values()) while (group.processReady(member));
    group.intercept(lost);
    busy = group.turn();
  }
}

describe("C6 quiet commits", () => {
  it.each([
    { quietCommits: false, answers: 8 },
    { quietCommits: true, answers: 4 },
  ])("C6 five members answer a write's appends $answers times, quiet: $quietCommits", ({ quietCommits, answers }) => {
    const group = led({ voters: [1, 2, 3, 4, 5], quietCommits });
    const sent = sentIn(group, () => group.propose(1, "a"));
    const types = sent.map(({ type }) => type);
    expect(types.filter((type) => type === "append")).toHaveLength(8);
    expect(types.filter((type) => type === "append-response")).toHaveLength(answers);
    for (const id of [1, 2, 3, 4, 5]) expect(group.commands(id)).toEqual(["a"]);
    expect([2, 3, 4, 5].map((id) => group.progress(1, id).match)).toEqual([3, 3, 3, 3]);
  });

  it("B1 C6 under load, too: entries are answered, and what only tells of the commit index is not", () => {
    const group = led({ maxBytesPerMessage: 1 });
    const sent = sentIn(group, () => {
      group.proposeOnly(1, "a", "b", "c");
      group.proposeOnly(1, "d");
      group.settle();
    });
    const withEntries = sent.filter((message) => message.type === "append" && message.entries.length > 0);
    expect(sent.filter(({ type }) => type === "append-response")).toHaveLength(withEntries.length);
    expect(group.commands(3)).toEqual(["a", "b", "c", "d"]);
    expect(group.progress(1, 2)).toMatchObject({ match: 6, next: 7, inflights: [], appendPaused: false });
  });

  it("§5.3 whoever lacks the entries refuses a quiet append, and gets them without a heartbeat", () => {
    const group = led();
    proposeWithout(group, (message) => message.type === "append" && message.to === 2 && message.entries.length > 0);
    expect(group.sent.filter((message) => isQuiet(message) && message.to === 2)).not.toEqual([]);
    expect(group.sent.filter((message) => message.type === "append-response" && message.rejected)).not.toEqual([]);
    group.settle();
    // What it then asked for was lost as well: a probe is repeated once a heartbeat is answered.
    group.heartbeat();
    expect(group.commands(2)).toEqual(["a"]);
    expect(group.progress(1, 2)).toMatchObject({ match: 3, state: "replicate" });
  });

  it("B3 where the answer to the entries is lost, the next heartbeat has the leader ask for it", () => {
    const group = led();
    proposeWithout(group, ({ type, from }) => type === "append-response" && from === 2);
    expect(group.commands(2)).toEqual(["a"]);
    expect(group.progress(1, 2)).toMatchObject({ match: 2, next: 4 });
    const sent = sentIn(group, () => group.heartbeat());
    expect(sent.filter((message) => message.type === "append")).toMatchObject([{ to: 2, prevIndex: 3, quiet: false }]);
    expect(group.progress(1, 2)).toMatchObject({ match: 3, next: 4 });
  });

  it("thesis §3.10 a transfer whose target's answer was lost asks for it at once", () => {
    const group = led();
    proposeWithout(group, ({ type, from }) => type === "append-response" && from === 2);
    group.transfer(1, 2);
    expect(group.leader()).toBe(2);
  });

  it("B2 a probe is never quiet, and ends with its answer", () => {
    const group = led();
    group.isolate(2);
    group.proposeOnly(1, "a");
    group.settle();
    group.member(1).act((node) => node.reportUnreachable(2));
    group.reconnect();
    expect(group.progress(1, 2)).toMatchObject({ state: "probe", match: 2 });
    const sent = sentIn(group, () => group.propose(1, "b"));
    expect(sent.filter((message) => isQuiet(message) && message.prevIndex < 4)).toEqual([]);
    expect(group.progress(1, 2)).toMatchObject({ state: "replicate", match: 4 });
  });

  it("B6 an append into a full window is a probe, and not quiet", () => {
    const group = led({ maxInflightMessages: 1 });
    group.cutOneWay(2, 1);
    group.propose(1, "a");
    expect(group.progress(1, 2)).toMatchObject({ appendPaused: true, match: 2 });
    expect(group.sent.filter((message) => isQuiet(message) && message.to === 2 && message.prevIndex === 3)).toEqual([]);
    group.heal();
    group.heartbeat();
    expect(group.progress(1, 2)).toMatchObject({ appendPaused: false, match: 3, inflights: [] });
    expect(group.commands(2)).toEqual(["a"]);
  });

  it.each([
    { preVote: true, checkQuorum: false },
    { preVote: false, checkQuorum: true },
  ])("D4 a leader of an earlier term learns of the later one by its quiet append's answer, %o", (options) => {
    const group = led(options);
    group.propose(1, "a");
    group.isolate(1);
    // Two of the three have forgotten the old leader by then.
    for (let tries = 0; tries < 4 && group.leader() === 1; tries++) group.timeOut(2 + (tries % 2));
    const later = group.leader();
    expect(later).not.toBe(1);
    const { term } = group.see(later);
    const place = { prevIndex: 3, prevTerm: 1, entries: [], commit: 3 };
    group.deliver({ type: "append", from: 1, to: later, term: 1, ...place, quiet: true });
    group.processReady(group.member(later));
    expect(group.intercept(({ to }) => to === 1)).toContainEqual(
      expect.objectContaining({ type: "append-response", term }),
    );
  });

  it("B3 who has more committed than a quiet append says answers that", () => {
    const group = led();
    group.propose(1, "a");
    group.deliver({
      type: "append",
      from: 1,
      to: 2,
      term: 1,
      ...{ prevIndex: 2, prevTerm: 1, entries: [] },
      commit: 2,
      quiet: true,
    });
    group.processReady(group.member(2));
    expect(group.intercept(({ from }) => from === 2)).toMatchObject([
      { type: "append-response", index: 3, rejected: false },
    ]);
  });

  it("D4 a leader to whom nobody answers anything but heartbeats leads on", () => {
    const group = led({ checkQuorum: true });
    for (let round = 0; round < 30; round++) {
      group.propose(1, `${round}`);
      group.heartbeat();
      expect(group.leader()).toBe(1);
    }
    expect(group.commands(3)).toHaveLength(30);
  });

  it("a quiet append is heeded by whoever sends none", () => {
    const group = led({ only: { 2: { quietCommits: false }, 3: { quietCommits: false } } });
    const sent = sentIn(group, () => group.propose(1, "a"));
    expect(sent.filter(({ type }) => type === "append-response")).toHaveLength(2);
  });
});
