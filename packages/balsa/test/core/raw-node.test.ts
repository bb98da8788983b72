import { describe, expect, it } from "vitest";
import type { Config } from "../../src/core/index.js";
import { MemoryStorage, RawNode, StorageError, sameNodeState } from "../../src/core/index.js";
import { entriesFrom, snapshotAt } from "./entries.js";
import { Scenario } from "./scenario.js";

function config(changes: Partial<Config> = {}): Config {
  return { id: 1, electionTicks: 10, heartbeatTicks: 1, storage: new MemoryStorage(), random: () => 0, ...changes };
}

describe("configuration", () => {
  it.each([
    { id: 0 },
    { id: -1 },
    { id: 1.5 },
    { id: 2 ** 53 },
    { heartbeatTicks: 0 },
    { electionTicks: 0 },
    { electionTicks: 1, heartbeatTicks: 1 },
    { maxInflightMessages: 0 },
    { maxBytesPerMessage: 0 },
    { maxCommittedBytesPerReady: -1 },
    { maxUncommittedBytes: Number.NaN },
    { maxInflightBytes: 10, maxBytesPerMessage: 11 },
    { readOnly: "lease-based" },
    { applied: -1 },
  ] as const)("refuses %o, and says what it must be", (changes) => {
    const names = [...Object.keys(changes), "electionTicks", "checkQuorum"];
    const message = expect.stringMatching(new RegExp(`^(${names.join("|")}) must be `)) as string;
    expect(() => new RawNode(config(changes))).toThrow(expect.objectContaining({ code: "invalid-argument", message }));
  });

  it("takes Infinity for no limit", () => {
    const none = Number.POSITIVE_INFINITY;
    const node = new RawNode(
      config({
        maxBytesPerMessage: none,
        maxInflightBytes: none,
        maxUncommittedBytes: none,
        maxCommittedBytesPerReady: none,
      }),
    );
    expect(node.hasReady()).toBe(false);
  });

  /** Entries 4 and 5 behind a snapshot at 3. */
  const stored = (commit: number): RawNode => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1));
    storage.append(entriesFrom(4, 1, 1));
    storage.setHardState({ term: 1, vote: 0, commit });
    return new RawNode(config({ storage }));
  };

  it("F1 refuses a stored commit index past the stored log", () => {
    expect(() => stored(6)).toThrow(expect.objectContaining({ code: "corrupt" }));
  });

  it("F1 a stored commit index behind the snapshot is the snapshot's", () => {
    expect(stored(2)).toMatchObject({ commit: 3, applied: 3 });
  });
});

describe("F1 restart", () => {
  it("F1 resumes with term, vote, log and commit index, and nothing to do but to apply", () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1));
    storage.append(entriesFrom(4, 1, 2, 2));
    storage.setHardState({ term: 3, vote: 2, commit: 5 });
    const node = new RawNode(config({ storage }));
    expect(node.status()).toMatchObject({
      term: 3,
      vote: 2,
      commit: 5,
      applied: 3,
      firstIndex: 4,
      lastIndex: 6,
      role: "follower",
      lead: 0,
      conf: { voters: [1, 2, 3] },
    });
    const ready = node.ready();
    expect(ready).toMatchObject({
      softState: undefined,
      hardState: undefined,
      entries: [],
      messages: [],
      mustSync: false,
    });
    expect(ready.committedEntries.map(({ index }) => index)).toEqual([4, 5]);
    node.advance();
    expect(node.applied).toBe(5);
    expect(node.hasReady()).toBe(false);
  });

  it("a storage that cannot say yet which snapshot it has, says where its log begins", () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1));
    storage.snapshot = () => {
      throw new StorageError("snapshot-temporarily-unavailable");
    };
    expect(new RawNode(config({ storage })).status()).toMatchObject({ commit: 3, applied: 3 });
  });

  it("a configuration stored in any order is the same configuration", () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1, [3, 1, 2]));
    expect(new RawNode(config({ storage })).status().conf.voters).toEqual([1, 2, 3]);
  });
});

describe("Ready", () => {
  it("must be synced for entries, term and vote; not for a commit index or a snapshot alone", () => {
    const group = new Scenario();
    group.member(1).act((node) => node.campaign());
    expect(group.member(1).takeReady()).toMatchObject({ mustSync: true, hardState: { term: 1, vote: 1 } });
    const other = new Scenario();
    other.elect(2);
    other.deliver({
      type: "append",
      from: 2,
      to: 1,
      term: 1,
      prevIndex: 2,
      prevTerm: 1,
      entries: entriesFrom(3, 1),
      commit: 2,
      quiet: false,
    });
    expect(other.member(1).takeReady()).toMatchObject({ mustSync: true, hardState: undefined });
    other.member(1).store(undefined, entriesFrom(3, 1), undefined);
    other.member(1).act((node) => node.advance());
    other.deliver({
      type: "append",
      from: 2,
      to: 1,
      term: 1,
      prevIndex: 3,
      prevTerm: 1,
      entries: [],
      commit: 3,
      quiet: false,
    });
    expect(other.member(1).takeReady()).toMatchObject({ mustSync: false, hardState: { commit: 3 } });
    other.member(1).act((node) => node.advance());
    other.deliver({ type: "snapshot", from: 2, to: 1, term: 1, snapshot: snapshotAt(9, 1) });
    expect(other.member(1).takeReady()).toMatchObject({ mustSync: false, snapshot: { meta: { index: 9 } } });
  });

  it("F1 must be synced for a vote in a term that is stored already", () => {
    const group = new Scenario();
    group.deliver({ type: "heartbeat-response", from: 2, to: 1, term: 5, readRound: 0 });
    group.settle();
    group.deliver({ type: "vote", from: 2, to: 1, term: 5, lastIndex: 9, lastTerm: 4, transfer: false });
    expect(group.member(1).takeReady()).toMatchObject({ mustSync: true, hardState: { term: 5, vote: 2 } });
  });

  it("tells of role and leader when they change, and not again", () => {
    const group = new Scenario();
    group.elect(1);
    expect(group.member(1).node.hasReady()).toBe(false);
    group.member(1).act((node) => node.campaign());
    expect(group.member(1).node.hasReady()).toBe(false);
    group.member(2).act((node) => node.forgetLeader());
    expect(group.member(2).takeReady().softState).toEqual({ lead: 0, role: "follower" });
  });

  it("is empty when there is nothing to do", () => {
    const node = new RawNode(config());
    expect(node.hasReady()).toBe(false);
    expect(node.ready()).toEqual({
      softState: undefined,
      hardState: undefined,
      readStates: [],
      entries: [],
      snapshot: undefined,
      committedEntries: [],
      messages: [],
      mustSync: false,
    });
  });
});

describe("status", () => {
  it("shows a leader's view of every member", () => {
    const group = new Scenario({ learners: [4], maxInflightMessages: 2 });
    group.elect(1);
    group.isolate(4);
    group.propose(1, "a");
    group.propose(1, "b");
    const { progress, ...status } = group.member(1).node.status();
    expect(status).toMatchObject({ id: 1, term: 1, vote: 1, role: "leader", lead: 1, commit: 4, applied: 4 });
    const peer = { isLearner: false, state: "replicate", match: 4, next: 5, pendingSnapshot: 0, recentlyActive: true };
    const idle = { paused: false, inflightMessages: 0, inflightBytes: 0, inflightsFull: false };
    expect(progress).toEqual([
      { id: 1, ...peer, ...idle },
      { id: 2, ...peer, ...idle },
      { id: 3, ...peer, ...idle },
      {
        id: 4,
        ...peer,
        isLearner: true,
        match: 2,
        paused: true,
        inflightMessages: 2,
        inflightBytes: 2,
        inflightsFull: true,
      },
    ]);
    expect(group.member(2).node.status().progress).toEqual([]);
  });
});

describe("the whole state", () => {
  /** A leader in the thick of it: a read waits, a peer gets a snapshot, another has a window. */
  function busy(): Scenario {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    group.isolate(3);
    group.propose(1, "a");
    group.member(1).compact();
    group.deliver({
      type: "append-response",
      from: 3,
      to: 1,
      term: 1,
      index: 3,
      rejected: true,
      hintIndex: 1,
      hintTerm: 1,
    });
    group.proposeOnly(1, "b");
    group.askRead(1, 5);
    return group;
  }

  it("is copied, compared and restored", () => {
    const group = busy();
    const { node, storage } = group.member(1);
    const state = node.copyState();
    expect(sameNodeState(state, node.copyState())).toBe(true);

    const kept = storage.copy();
    group.settle();
    node.tick();
    expect(sameNodeState(state, node.copyState())).toBe(false);

    const other = new RawNode(config({ asyncStorageWrites: true, storage: kept, random: () => 3 }));
    other.restoreState(state);
    expect(other.copyState()).toEqual(state);
    expect(sameNodeState(state, other.copyState())).toBe(true);
  });

  it("is not changed by what happens to the node it was copied from, and two nodes go the same way from it", () => {
    const group = busy();
    const { node, storage } = group.member(1);
    const state = node.copyState();
    const frozen = JSON.stringify(state);
    const twin = new RawNode(
      config({ asyncStorageWrites: true, storage: storage.copy(), random: (bound) => 3 % bound }),
    );
    twin.restoreState(state);
    for (const one of [node, twin]) {
      one.tick();
      one.propose(new TextEncoder().encode("c"));
      one.step({
        type: "append-response",
        from: 2,
        to: 1,
        term: 1,
        index: 4,
        rejected: false,
        hintIndex: 0,
        hintTerm: 0,
      });
      one.step({ type: "heartbeat-response", from: 2, to: 1, term: 1, readRound: 1 });
      one.ready();
    }
    expect(JSON.stringify(state)).toBe(frozen);
    expect(twin.copyState()).toEqual(node.copyState());
  });

  it("in plain mode what is to be stepped at advance is part of it", () => {
    const group = new Scenario({ voters: [1] });
    group.member(1).act((node) => node.campaign());
    group.member(1).takeReady();
    const state = group.member(1).state();
    group.member(1).act((node) => node.advance());
    expect(group.see(1).role).toBe("leader");
    group.member(1).node.restoreState(state);
    expect(group.see(1).role).toBe("candidate");
    group.member(1).act((node) => node.advance());
    expect(group.see(1).role).toBe("leader");
  });
});

describe("A1 storage that fails", () => {
  const context = new Uint8Array(0);

  /** A node whose storage answers every question with an error from now on. */
  function broken(begin: (group: Scenario) => void = () => {}): Scenario {
    const group = new Scenario();
    begin(group);
    const { storage } = group.member(1);
    for (const question of ["term", "entries", "firstIndex", "lastIndex", "snapshot"] as const) {
      storage[question] = () => {
        throw new Error("disk on fire");
      };
    }
    return group;
  }
  const failure = expect.objectContaining({
    code: "storage-failed",
    cause: expect.objectContaining({ message: "disk on fire" }) as Error,
  }) as Error;

  it.each<[string, (node: RawNode) => void]>([
    ["tick", (node) => Array.from({ length: 20 }, () => node.tick())],
    ["campaign", (node) => node.campaign()],
    [
      "step",
      (node) => node.step({ type: "vote", from: 2, to: 1, term: 1, lastIndex: 1, lastTerm: 1, transfer: false }),
    ],
  ])("A1 makes a follower inoperable: %s throws, and then everything", (_, deed) => {
    const { node } = broken().member(1);
    expect(() => deed(node)).toThrow(failure);
    expect(() => node.tick()).toThrow(failure);
  });

  it.each<[string, (node: RawNode) => unknown]>([
    ["propose", (node) => node.propose(new Uint8Array(1))],
    ["readIndex", (node) => node.readIndex(1)],
    ["transferLeader", (node) => node.transferLeader(2)],
    ["applyConfChange", (node) => node.applyConfChange({ version: 1, change: { kind: "remove", id: 3 }, context })],
  ])("A1 makes a leader inoperable: %s throws", (_, deed) => {
    const { node } = broken((group) => group.elect(1)).member(1);
    expect(() => deed(node)).toThrow(failure);
    expect(() => node.ready()).toThrow(failure);
  });

  it("A1 makes a node inoperable that is about to advance", () => {
    const group = new Scenario({ voters: [1] });
    group.member(1).act((node) => node.campaign());
    group.member(1).takeReady();
    const { node, storage } = group.member(1);
    storage.lastIndex = () => {
      throw new Error("disk on fire");
    };
    expect(() => node.advance()).toThrow(failure);
    expect(() => node.advance()).toThrow(failure);
  });
});
