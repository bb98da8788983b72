import { describe, expect, it } from "vitest";
import type { Message, Snapshot } from "../../src/core/index.js";
import { MemoryStorage, RawNode, StorageError } from "../../src/core/index.js";
import { entriesFrom, snapshotAt } from "./entries.js";
import { ELECTION_TICKS } from "./member.js";
import { BEGINNING, Scenario } from "./scenario.js";

function snapshotMessage(snapshot: Snapshot, term = 5): Message {
  return { type: "snapshot", from: 2, to: 1, term, snapshot };
}

/** What member 3 says to an append behind 1/5: its log ends at 1/2. */
const rejection: Message = {
  type: "append-response",
  from: 3,
  to: 1,
  term: 1,
  index: 5,
  rejected: true,
  hintIndex: 2,
  hintTerm: 1,
};

/** Member 3 has missed what is compacted away by now at the leader, 1. */
function behind(): Scenario {
  const group = new Scenario();
  group.elect(1);
  group.isolate(3);
  group.propose(1, "a");
  group.propose(1, "b");
  group.member(1).compact();
  group.propose(1, "c");
  return group;
}

describe("C8 snapshots, the leader", () => {
  it("C4 C8 a follower whose entries are compacted away gets a snapshot, then what follows", () => {
    const group = behind();
    group.heal();
    expect(group.sent.filter(({ type, to }) => type === "snapshot" && to === 3)).toHaveLength(1);
    expect(group.commands(3)).toEqual(["a", "b", "c"]);
    expect(group.member(3).storage.firstIndex()).toBe(5);
    expect(group.progress(1, 3)).toMatchObject({ state: "replicate", match: 5 });
  });

  it("C4 only to a peer that was heard of lately", () => {
    const group = new Scenario({ checkQuorum: true, preVote: true });
    group.elect(1);
    group.isolate(3);
    group.propose(1, "a");
    group.member(1).act((node) => node.reportUnreachable(3));
    group.member(1).compact();
    // The quorum check counts 3 as away.
    for (let i = 0; i < 2 * ELECTION_TICKS; i++) group.heartbeat();
    group.propose(1, "b");
    expect(group.progress(1, 3)).toMatchObject({ state: "probe", next: 3, recentlyActive: false });
    expect(group.sent.some(({ type }) => type === "snapshot")).toBe(false);
    group.heal();
    expect(group.sent.some(({ type }) => type === "snapshot")).toBe(true);
    expect(group.commands(3)).toEqual(["a", "b"]);
  });

  it("C8 waits while there is no snapshot yet, and asks again", () => {
    const group = behind();
    const { storage } = group.member(1);
    const made = storage.snapshot();
    let busy = true;
    storage.snapshot = () => {
      if (busy) throw new StorageError("snapshot-temporarily-unavailable");
      return made;
    };
    group.heal();
    expect(group.progress(1, 3).state).toBe("probe");
    busy = false;
    group.heartbeat();
    expect(group.commands(3)).toEqual(["a", "b", "c"]);
  });

  /** The snapshot to 3 is lost on its way, and 1 waits for news of it. */
  const lost = (): Scenario => {
    const group = behind();
    group.deliver(rejection);
    group.processReady(group.member(1));
    expect(group.intercept(({ type }) => type === "snapshot")).toHaveLength(1);
    expect(group.progress(1, 3)).toMatchObject({ state: "snapshot", pendingSnapshot: 4, next: 5 });
    return group;
  };

  it("C8 while it is on its way nothing else is sent, heartbeats excepted", () => {
    const group = lost();
    group.proposeOnly(1, "d");
    group.deliver({ type: "heartbeat-response", from: 3, to: 1, term: 1, readRound: 0 });
    group.tick(1);
    group.processReady(group.member(1));
    expect(group.inFlight.filter(({ to }) => to === 3).map(({ type }) => type)).toEqual(["heartbeat"]);
  });

  it.each([
    { outcome: "success", next: 5 },
    { outcome: "failure", next: 3 },
  ] as const)("C8 after a report of $outcome it probes from $next, when it is heard of again", ({ outcome, next }) => {
    const group = lost();
    group.member(1).act((node) => node.reportSnapshot(3, outcome));
    expect(group.progress(1, 3)).toMatchObject({ state: "probe", next, pendingSnapshot: 0, appendPaused: true });
    group.heal();
    expect(group.commands(3)).toEqual(["a", "b", "c"]);
  });

  it("C8 a report about a peer that gets no snapshot changes nothing", () => {
    const group = lost();
    const before = group.member(1).state();
    group.member(1).act((node) => node.reportSnapshot(2, "failure"));
    group.member(1).act((node) => node.reportSnapshot(9, "failure"));
    group.member(2).act((node) => node.reportSnapshot(3, "failure"));
    expect(group.member(1).state()).toEqual(before);
  });

  it("B2 any acknowledgement that the log can go on from ends the waiting, whichever index it has", () => {
    const group = lost();
    const acknowledge = (index: number): Message => ({
      type: "append-response",
      from: 3,
      to: 1,
      term: 1,
      index,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
    group.deliver(acknowledge(3));
    expect(group.progress(1, 3)).toMatchObject({ state: "snapshot", match: 3 });
    // It is no reason to send the snapshot again.
    group.processReady(group.member(1));
    expect(group.intercept(({ type }) => type === "snapshot")).toEqual([]);
    group.deliver(acknowledge(4));
    expect(group.progress(1, 3)).toMatchObject({ state: "replicate", match: 4 });
  });

  it("A1 storage that has lost its snapshot makes the node inoperable", () => {
    const group = behind();
    group.member(1).storage.snapshot = () => {
      throw new Error("disk on fire");
    };
    const { node } = group.member(1);
    expect(() => node.step(rejection)).toThrow(expect.objectContaining({ code: "storage-failed" }));
    for (const deed of [
      () => node.tick(),
      () => node.campaign(),
      () => node.step(rejection),
      () => node.propose(new Uint8Array(0)),
      () => node.readIndex(1),
      () => node.transferLeader(2),
      () => node.forgetLeader(),
      () => node.reportUnreachable(2),
      () => node.reportSnapshot(2, "success"),
      () => node.ready(),
      () => node.advance(),
    ]) {
      expect(deed).toThrow(expect.objectContaining({ code: "storage-failed" }));
    }
    expect(node.status().role).toBe("leader");
  });
});

describe("C8 snapshots, the follower", () => {
  it("C8 one behind the commit index is ignored, and answered with the commit index", () => {
    const group = new Scenario();
    group.elect(2);
    group.propose(2, "a");
    group.deliver(snapshotMessage(snapshotAt(2, 1), 1));
    group.processReady(group.member(1));
    expect(group.inFlight).toMatchObject([{ type: "append-response", index: 3, rejected: false }]);
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("C8 one of a prefix of the log moves the commit index and leaves the log as it is", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1 2" });
    group.deliver(snapshotMessage(snapshotAt(3, 1)));
    const ready = group.member(1).takeReady();
    expect(ready.snapshot).toBeUndefined();
    expect(ready.hardState?.commit).toBe(3);
    expect(ready.messages).toMatchObject([{ type: "append-response", index: 3 }]);
    expect(group.see(1).lastIndex).toBe(4);
  });

  it("C8 (RELIABILITY §3.15) one that conflicts with the log replaces it", () => {
    const group = new Scenario();
    group.giveLogs({ 1: "1 1 1 1" });
    const data = new TextEncoder().encode("[]");
    group.deliver(snapshotMessage({ ...snapshotAt(3, 2, [1, 2]), data }));
    expect(group.see(1)).toMatchObject({ lastIndex: 3, commit: 3 });
    group.settle();
    expect(group.member(1).logTerms()).toBe("");
    expect(group.member(1).storage.term(3)).toBe(2);
    expect(group.member(1).node.status().conf.voters).toEqual([1, 2]);
  });

  it("C8 one of a configuration without this node is refused", () => {
    const group = new Scenario();
    group.deliver(snapshotMessage(snapshotAt(9, 2, [2, 3])));
    expect(group.see(1)).toMatchObject({ commit: BEGINNING.index, lastIndex: BEGINNING.index });
  });

  it("C8 entries that follow a snapshot in the same Ready are stored behind it, and applied after it", () => {
    const group = new Scenario();
    group.deliver(snapshotMessage({ ...snapshotAt(9, 2), data: new TextEncoder().encode("[]") }));
    const entries = entriesFrom(10, 5);
    group.deliver({
      type: "append",
      from: 2,
      to: 1,
      term: 5,
      prevIndex: 9,
      prevTerm: 2,
      entries,
      commit: 10,
      quiet: false,
    });
    const ready = group.member(1).takeReady();
    expect(ready.snapshot?.meta.index).toBe(9);
    expect(ready.entries).toEqual(entries);
    expect(ready.committedEntries).toEqual([]);
    group.member(1).store(ready.hardState, ready.entries, ready.snapshot);
    group.member(1).act((node) => node.advance());
    expect(group.see(1).applied).toBe(9);
    expect(group.member(1).takeReady().committedEntries).toEqual(entries);
  });

  it("D1 a node does not campaign while a snapshot is on its way in", () => {
    const group = new Scenario();
    group.deliver(snapshotMessage({ ...snapshotAt(9, 2), data: new TextEncoder().encode("[]") }));
    group.member(1).act((node) => node.campaign());
    expect(group.see(1).role).toBe("follower");
    group.settle();
    group.member(1).act((node) => node.campaign());
    expect(group.see(1).role).toBe("candidate");
  });

  it("C8 with asynchronous writes its storing is acknowledged even from an earlier term", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    group.deliver(snapshotMessage({ ...snapshotAt(9, 2), data: new TextEncoder().encode("[]") }));
    group.processReady(group.member(1));
    group.deliver({ type: "heartbeat", from: 3, to: 1, term: 6, commit: 9, readRound: 0 });
    group.completeWrite(1);
    expect(group.see(1)).toMatchObject({ applied: 9, term: 6 });
  });
});

describe("F2 compaction", () => {
  it("F2 a tail may be kept for slow followers: then they need no snapshot", () => {
    const group = new Scenario();
    group.elect(1);
    group.isolate(3);
    group.propose(1, "a");
    group.propose(1, "b");
    const { storage, conf } = group.member(1);
    storage.createSnapshot(4, conf, new TextEncoder().encode(JSON.stringify(group.member(1).applied)));
    storage.compact(2);
    group.heal();
    expect(group.sent.some(({ type }) => type === "snapshot")).toBe(false);
    expect(group.commands(3)).toEqual(["a", "b"]);
  });

  it("F1 F2 a member restarts from its snapshot and what follows", () => {
    const group = behind();
    group.crash(1, 2, 3);
    group.restart(1, 2, 3);
    expect(group.commands(1)).toEqual(["a", "b"]);
    group.elect(1);
    group.heal();
    expect([1, 2, 3].map((id) => group.commands(id))).toEqual(Array.from({ length: 3 }, () => ["a", "b", "c"]));
  });

  it("F1 the commit index may come back lower: what was acknowledged is committed again", () => {
    const group = new Scenario();
    group.elect(1);
    group.propose(1, "a");
    group.crash(1, 2, 3);
    for (const id of [1, 2, 3]) {
      group.member(id).storage.setHardState({ term: 1, vote: 1, commit: BEGINNING.index });
    }
    group.restart(1, 2, 3);
    expect(group.commands(1)).toEqual([]);
    group.elect(3);
    group.heartbeat();
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("F4 what the caller has applied already is not handed out again", () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1, [1]));
    storage.append(entriesFrom(4, 1, 1, 1));
    storage.setHardState({ term: 1, vote: 1, commit: 6 });
    const common = { id: 1, electionTicks: 10, heartbeatTicks: 1, storage, random: () => 0 };
    expect(new RawNode(common).ready().committedEntries.map(({ index }) => index)).toEqual([4, 5, 6]);
    expect(new RawNode({ ...common, applied: 5 }).ready().committedEntries.map(({ index }) => index)).toEqual([6]);
    expect(() => new RawNode({ ...common, applied: 7 })).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("F2 F4 a snapshot in front of a log that begins before it: applying goes on behind the snapshot", () => {
    const storage = new MemoryStorage();
    storage.applySnapshot(snapshotAt(3, 1, [1]));
    storage.append(entriesFrom(4, 1, 1, 1));
    storage.setHardState({ term: 1, vote: 1, commit: 4 });
    storage.createSnapshot(5, snapshotAt(5, 1, [1, 2]).meta.confState, new Uint8Array(0));
    const node = new RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, random: () => 0, applied: 4 });
    expect(node.status()).toMatchObject({ firstIndex: 4, commit: 5, applied: 5, conf: { voters: [1, 2] } });
  });
});
