import { describe, expect, it } from "vitest";
import type { AppendMessage } from "../../src/core/index.js";
import { RawNode, sameNodeState } from "../../src/core/index.js";
import { LateStorage } from "./late-storage.js";
import { ELECTION_TICKS, HEARTBEAT_TICKS } from "./member.js";
import { Scenario } from "./scenario.js";

/** A group whose storages, or the one of `only`, have nothing in memory while `isLate`. */
function lateGroup(options: ConstructorParameters<typeof Scenario>[0] = {}) {
  const storages = { isLate: false, only: 0, asked: 0 };
  const lateness = (member: number) => {
    storages.asked++;
    const isMeant = storages.only === 0 || storages.only === member;
    return storages.isLate && isMeant ? ("later" as const) : ("at-once" as const);
  };
  return { group: new Scenario({ ...options, lateness }), storages };
}

/** 1 leads; 3 was away for four commands that are in stable storage, and nowhere else. */
function withFollowerBehind(options: ConstructorParameters<typeof Scenario>[0] = {}) {
  const { group, storages } = lateGroup(options);
  group.elect(1);
  group.isolate(3);
  group.propose(1, "a", "b");
  group.propose(1, "c", "d");
  return { group, storages };
}

/** As `Scenario.settle`, but nobody fetches. */
function passMessages(group: Scenario): void {
  for (let i = 0; i < 10; i++) {
    for (const member of group.members.values()) group.processReady(member);
    for (const message of group.intercept(() => true)) group.arrive(message);
  }
}

describe("entries that storage has not in memory", () => {
  it("B2 the peer that needs them waits, as it is; the others go on", () => {
    const { group, storages } = withFollowerBehind();
    storages.only = 1;
    storages.isLate = true;
    // The network is whole again; 3 answers a heartbeat and is sent nothing.
    group.reconnect();
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    expect(group.progress(1, 3)).toMatchObject({ state: "probe", match: 2, next: 3, awaitsEntries: true });
    expect(group.member(1).node.entriesNeeded()).toEqual([{ from: 3, to: 7 }]);
    expect(group.member(1).node.status().progress[2]).toMatchObject({ paused: true });

    group.proposeOnly(1, "e");
    passMessages(group);
    expect(group.commands(2)).toEqual(["a", "b", "c", "d", "e"]);
    expect(group.commands(3)).toEqual([]);
    expect(group.progress(1, 3).awaitsEntries).toBe(true);

    storages.isLate = false;
    group.settle();
    expect(group.commands(3)).toEqual(["a", "b", "c", "d", "e"]);
    expect(group.progress(1, 3)).toMatchObject({ awaitsEntries: false, state: "replicate" });
  });

  it("B2 a peer that moves on asks for what it needs now", () => {
    const { group, storages } = withFollowerBehind();
    storages.isLate = true;
    group.reconnect();
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    const { next } = group.progress(1, 3);
    expect(group.progress(1, 3).awaitsEntries).toBe(true);
    // A late answer: it has more than the leader thought.
    group.deliver({
      type: "append-response",
      from: 3,
      to: 1,
      term: group.member(1).node.term,
      index: next,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
    expect(group.member(1).node.entriesNeeded()).toEqual([{ from: next + 1, to: 7 }]);
    group.member(1).act((node) => node.reportUnreachable(3));
    expect(group.member(1).node.entriesNeeded()).toEqual([]);
  });

  it("C4 what was compacted away meanwhile goes as a snapshot", () => {
    const { group, storages } = withFollowerBehind();
    storages.isLate = true;
    group.reconnect();
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    group.member(1).compact();
    group.settle();
    expect(group.sent.some(({ type, to }) => type === "snapshot" && to === 3)).toBe(true);
    expect(group.commands(3)).toEqual(["a", "b", "c", "d"]);
  });

  it.each([true, false])("F4 applying waits, and asks once (asynchronous writes: %s)", (asyncStorageWrites) => {
    const { group, storages } = lateGroup({ asyncStorageWrites });
    group.elect(1);
    group.propose(1, "a", "b");
    group.crash(2);
    storages.isLate = true;
    group.restart(2);
    const { node } = group.member(2);
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    expect(node.commit).toBe(4);
    expect(node.applied).toBe(1);
    const { asked } = storages;
    for (let i = 0; i < 5; i++) expect(node.hasReady()).toBe(false);
    expect(storages.asked).toBe(asked);
    expect(node.entriesNeeded()).toEqual([{ from: 2, to: 5 }]);

    group.fetchEntries(2);
    expect(node.hasReady()).toBe(true);
    group.processReady(group.member(2));
    expect(node.hasReady()).toBe(false);

    storages.isLate = false;
    group.settle();
    expect(group.commands(2)).toEqual(["a", "b"]);
  });

  it("D2 a campaign waits until it is known that no membership change waits to be applied", () => {
    const { group, storages } = lateGroup();
    group.elect(1);
    group.propose(1, "a", "b");
    group.crash(2);
    storages.isLate = true;
    group.restart(2);
    group.isolate(2);
    const { node } = group.member(2);
    const { term } = node;
    group.tick(2, 2 * ELECTION_TICKS);
    expect(node.role).toBe("follower");
    expect(group.member(2).state().pendingCampaign).toEqual({ kind: "election", scannedTo: 1 });
    expect(node.entriesNeeded()).toContainEqual({ from: 2, to: 5 });
    group.fetchEntries(2);
    expect(node.role).toBe("follower");
    storages.isLate = false;
    group.fetchEntries(2);
    expect(node.role).toBe("candidate");
    expect(node.term).toBe(term + 1);
    expect(node.entriesNeeded()).toEqual([]);
  });

  it("D2 a campaign that waits is given up when a leader is heard of", () => {
    const { group, storages } = lateGroup();
    group.elect(1);
    group.propose(1, "a", "b");
    group.crash(2);
    storages.isLate = true;
    group.restart(2);
    group.tick(2, 2 * ELECTION_TICKS);
    expect(group.member(2).state().pendingCampaign).toBeDefined();
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    expect(group.member(2).state().pendingCampaign).toBeUndefined();
    storages.isLate = false;
    group.settle();
    expect(group.leader()).toBe(1);
  });

  it("waiting is part of the state that is copied and restored", () => {
    const { group, storages } = withFollowerBehind();
    storages.isLate = true;
    group.reconnect();
    group.tick(1, HEARTBEAT_TICKS);
    passMessages(group);
    const state = group.member(1).state();
    const storage = group.member(1).storage;
    if (storage instanceof LateStorage) storage.isAskedByCore = false;
    const twin = new RawNode({ id: 1, electionTicks: ELECTION_TICKS, heartbeatTicks: 1, random: () => 0, storage });
    twin.restoreState(state);
    expect(sameNodeState(twin.copyState(), state)).toBe(true);
    twin.entriesFetched();
    const { messages } = twin.ready();
    const append = messages.find((m): m is AppendMessage => m.type === "append" && m.to === 3);
    expect(append?.entries.length).toBeGreaterThan(0);
  });
});
