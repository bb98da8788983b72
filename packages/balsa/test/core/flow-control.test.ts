import { describe, expect, it } from "vitest";
import type { AppendMessage, Message } from "../../src/core/index.js";
import { entryBytes } from "../../src/core/index.js";
import { entry, positions } from "./entries.js";
import { Scenario } from "./scenario.js";

const PAYLOAD = "x".repeat(100);
const ENTRY_BYTES = entryBytes(entry(1, 5, PAYLOAD.length));

function appendsTo(group: Scenario, to: number): AppendMessage[] {
  return group.inFlight.filter((m): m is AppendMessage => m.type === "append" && m.to === to);
}

/** Elects 1; then what it sends piles up. */
function leading(options: ConstructorParameters<typeof Scenario>[0]): Scenario {
  const group = new Scenario(options);
  group.elect(1);
  return group;
}

function proposeMany(group: Scenario, count: number): void {
  for (let i = 0; i < count; i++) group.proposeOnly(1, PAYLOAD);
  group.processReady(group.member(1));
}

describe("B6 flow control", () => {
  it("B6 a message holds as many entries as fit, one at the least", () => {
    for (const [limit, each] of [
      [1, 1],
      [ENTRY_BYTES * 2, 2],
      [ENTRY_BYTES * 3 - 1, 2],
    ] as const) {
      const group = leading({ maxBytesPerMessage: limit });
      group.isolate(2);
      proposeMany(group, 6);
      group.settle();
      group.sent.splice(0);
      group.heal();
      const full = group.sent.filter(
        (m): m is AppendMessage => m.type === "append" && m.to === 2 && m.entries.length > 0,
      );
      expect(Math.max(...full.map(({ entries }) => entries.length))).toBe(each);
      expect(group.commands(2)).toHaveLength(6);
    }
  });

  it("B6 so many messages are on their way to a peer, and no more", () => {
    const group = leading({ maxInflightMessages: 3 });
    proposeMany(group, 5);
    expect(appendsTo(group, 2).map(({ entries }) => positions(entries))).toEqual(["1/3", "1/4", "1/5"]);
    expect(group.progress(1, 2)).toMatchObject({ next: 6, appendPaused: true });
    // Each acknowledgement frees its place, and what waits follows.
    group.settle();
    expect(group.commands(2)).toHaveLength(5);
  });

  it("B6 so many bytes are on their way to a peer, the message that crosses the limit being the last", () => {
    const group = leading({ maxInflightBytes: 250, maxBytesPerMessage: 250 });
    proposeMany(group, 5);
    expect(appendsTo(group, 2)).toHaveLength(3);
    group.settle();
    expect(group.commands(2)).toHaveLength(5);
  });

  it("B6 a full window lets one append without entries through for each heartbeat's answer, and frees nothing", () => {
    const group = leading({ maxInflightMessages: 2 });
    proposeMany(group, 3);
    group.intercept(({ to }) => to === 2);
    const answer: Message = { type: "heartbeat-response", from: 2, to: 1, term: 1, readRound: 0 };
    for (let i = 0; i < 3; i++) {
      group.deliver(answer);
      group.deliver({ ...answer, type: "read-index-response", requestId: 1, index: 1 });
      group.processReady(group.member(1));
      expect(group.intercept((m) => m.to === 2 && m.type === "append")).toMatchObject([
        { prevIndex: 4, entries: [], commit: 2 },
      ]);
      expect(group.progress(1, 2).inflights).toHaveLength(2);
    }
    // Everything in flight was lost: the empty append is rejected, and replication begins anew.
    group.deliver(answer);
    group.settle();
    expect(group.commands(2)).toHaveLength(3);
  });

  it.each([
    { heartbeat: false, appends: [] },
    { heartbeat: true, appends: [{ entries: [], commit: 3 }] },
  ])("B1 what a heartbeat says of the commit index counts as the last word: $heartbeat", ({ heartbeat, appends }) => {
    const group = leading({});
    proposeMany(group, 1);
    for (const append of appendsTo(group, 3)) group.deliver(append);
    group.processReady(group.member(3));
    const acknowledgement = group.intercept(({ from }) => from === 3);
    // 3 is not told that the entry is committed: appends that say so are lost, and the heartbeat knows less.
    group.isolate(3);
    group.settle();
    if (heartbeat) group.tick(1);
    for (const message of acknowledgement) group.deliver(message);
    group.processReady(group.member(1));
    expect(appendsTo(group, 3)).toMatchObject(appends);
  });

  it("B2 a peer that cannot be reached is probed", () => {
    const group = leading({});
    group.member(1).act((node) => node.reportUnreachable(2));
    expect(group.progress(1, 2).state).toBe("probe");
    group.member(1).act((node) => node.reportUnreachable(9));
    group.member(2).act((node) => node.reportUnreachable(1));
    proposeMany(group, 3);
    expect(appendsTo(group, 2)).toHaveLength(1);
    expect(appendsTo(group, 3)).toHaveLength(3);
    group.settle();
    expect(group.progress(1, 2).state).toBe("replicate");
    expect(group.commands(2)).toHaveLength(3);
  });

  it("B3 an acknowledgement of what the leader has not is not believed", () => {
    const group = leading({});
    const before = group.member(1).state();
    group.deliver({
      type: "append-response",
      from: 2,
      to: 1,
      term: 1,
      index: 99,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
    expect(group.progress(1, 2).match).toBe(2);
    expect(group.member(1).state().committed).toBe(before.committed);
  });

  it("B4 a stale rejection changes nothing", () => {
    const group = leading({});
    group.propose(1, "a");
    const before = group.progress(1, 2);
    group.deliver({
      type: "append-response",
      from: 2,
      to: 1,
      term: 1,
      index: 2,
      rejected: true,
      hintIndex: 1,
      hintTerm: 1,
    });
    expect(group.progress(1, 2)).toEqual(before);
    expect(group.member(1).node.hasReady()).toBe(false);
  });

  it("an answer of a node that is no member is refused", () => {
    const group = leading({});
    const answer: Message = {
      type: "append-response",
      from: 9,
      to: 1,
      term: 1,
      index: 2,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    };
    expect(group.deliver(answer)).toBe("peer-not-found");
    expect(group.deliver({ type: "vote-response", from: 9, to: 1, term: 5, rejected: false })).toBe("peer-not-found");
    expect(group.see(1).term).toBe(1);
  });
});

describe("B7 the quota of what is uncommitted", () => {
  it("B7 refuses at once what is over it, and takes proposals again when entries are applied", () => {
    const group = leading({ maxUncommittedBytes: 250 });
    expect(group.proposeOnly(1, PAYLOAD)).toMatchObject({ kind: "accepted" });
    expect(group.proposeOnly(1, PAYLOAD)).toMatchObject({ kind: "accepted" });
    expect(group.proposeOnly(1, PAYLOAD)).toEqual({ kind: "dropped", reason: "over-quota" });
    expect(group.proposeOnly(1, "")).toMatchObject({ kind: "accepted" });
    group.settle();
    expect(group.member(1).state().uncommittedBytes).toBe(0);
    expect(group.proposeOnly(1, PAYLOAD)).toMatchObject({ kind: "accepted" });
  });

  it("B7 the first proposal goes through whatever its size", () => {
    const group = leading({ maxUncommittedBytes: 10 });
    expect(group.proposeOnly(1, PAYLOAD)).toMatchObject({ kind: "accepted" });
    expect(group.proposeOnly(1, "y")).toMatchObject({ kind: "dropped" });
  });

  it("B7 a batch is taken as a whole or not at all", () => {
    const group = leading({ maxUncommittedBytes: 250 });
    group.proposeOnly(1, PAYLOAD);
    expect(group.proposeOnly(1, PAYLOAD, PAYLOAD)).toMatchObject({ kind: "dropped" });
    group.settle();
    expect(group.commands(1)).toEqual([PAYLOAD]);
  });

  it("B7 it is the leader's, and begins anew with its leadership", () => {
    const group = leading({ maxUncommittedBytes: 150 });
    group.isolate(1);
    group.propose(1, PAYLOAD);
    group.elect(2);
    group.heal();
    expect(group.member(1).state().uncommittedBytes).toBe(0);
    group.elect(1);
    expect(group.propose(1, PAYLOAD)).toMatchObject({ kind: "accepted" });
  });

  it("C1 a new leader's empty entry does not count", () => {
    const group = leading({ maxUncommittedBytes: 1 });
    group.elect(2);
    expect(group.see(2).role).toBe("leader");
  });

  it("E1 a membership change that is over the quota is not pending", () => {
    const group = leading({ maxUncommittedBytes: 1 });
    group.isolate(1);
    group.propose(1, "a");
    const change = { version: 1, change: { kind: "add-learner", id: 4 }, context: new Uint8Array(0) } as const;
    expect(group.proposeChange(1, change)).toEqual({ kind: "dropped", reason: "over-quota" });
    group.heal();
    expect(group.proposeChange(1, change)).toMatchObject({ kind: "accepted", refusal: undefined });
    expect(group.member(1).conf.learners).toEqual([4]);
  });
});

describe("A5 applying in pages", () => {
  it("A5 a Ready holds committed entries up to a limit, the rest follows in the next ones", () => {
    const group = leading({ maxCommittedBytesPerReady: ENTRY_BYTES * 2 });
    group.isolate(3);
    proposeMany(group, 5);
    const pages: number[] = [];
    const member = group.member(3);
    group.settle();
    group.heal();
    expect(member.applied).toHaveLength(6);
    group.crash(3);
    group.restart(3);
    for (let i = 0; i < 5 && member.node.hasReady(); i++) {
      const ready = member.takeReady();
      pages.push(ready.committedEntries.length);
      member.store(ready.hardState, ready.entries, ready.snapshot);
      member.apply(ready.committedEntries);
      member.act((node) => node.advance());
    }
    // The leader's empty entry is small: it goes with the first one.
    expect(pages).toEqual([2, 2, 2]);
  });
});
