import { describe, expect, it } from "vitest";
import type { AppendMessage, Message, StorageAppend } from "../../src/core/index.js";
import {
  EMPTY_CONF_STATE,
  encodeConfChange,
  LOCAL_APPEND,
  LOCAL_APPLY,
  MemoryStorage,
  NO_CONTEXT,
  RawNode,
} from "../../src/core/index.js";
import { entriesFrom, positions } from "./entries.js";
import { Scenario } from "./scenario.js";

function append(
  term: number,
  prevIndex: number,
  prevTerm: number,
  terms: readonly number[],
  commit = 0,
): AppendMessage {
  const entries = entriesFrom(prevIndex + 1, ...terms);
  return { type: "append", from: 2, to: 1, term, prevIndex, prevTerm, entries, commit, quiet: false };
}

/** Takes a Ready of member 1 and queues its work. */
function turn(group: Scenario): void {
  group.processReady(group.member(1));
}

function pendingWrites(group: Scenario): string[] {
  return group.member(1).appendWork.map((work: StorageAppend) => positions(work.entries));
}

describe("C9 asynchronous storage writes", () => {
  it("C9 writes and applying go out as messages, with their answers in them", () => {
    const group = new Scenario({ voters: [1], asyncStorageWrites: true });
    group.elect(1);
    group.proposeOnly(1, "a");
    const first = group.member(1).takeReady();
    const [write] = first.messages;
    expect(first.messages).toHaveLength(1);
    expect(write).toMatchObject({ type: "storage-append", from: 1, to: LOCAL_APPEND, term: 0, hardState: undefined });
    expect((write as StorageAppend).responses).toMatchObject([
      { type: "append-response", from: 1, to: 1, index: 3 },
      { type: "storage-append-response", from: LOCAL_APPEND, to: 1, index: 3, logTerm: 1 },
    ]);
    group.member(1).store(undefined, first.entries, undefined);
    for (const answer of (write as StorageAppend).responses) group.deliver(answer);
    const second = group.member(1).takeReady();
    expect(second.messages).toMatchObject([
      { type: "storage-append", term: 1, hardState: { term: 1, vote: 1, commit: 3 }, entries: [], responses: [] },
      { type: "storage-apply", from: 1, to: LOCAL_APPLY, entries: [{ index: 3 }], responses: [{ from: LOCAL_APPLY }] },
    ]);
  });

  it("C9 many writes may be under way; each acknowledges everything up to its last entry", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    group.deliver(append(1, 1, 1, [1]));
    turn(group);
    group.deliver(append(1, 2, 1, [1, 1]));
    turn(group);
    expect(pendingWrites(group)).toEqual(["1/2", "1/3 1/4"]);
    group.completeWrite(1);
    expect(group.member(1).state().unstable.offset).toBe(3);
    group.completeWrite(1);
    expect(group.member(1).state().unstable.entries).toEqual([]);
  });

  it("C9 nothing is handed to storage twice, and what was overwritten is handed out again", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    group.deliver(append(1, 1, 1, [1, 1, 1]));
    turn(group);
    group.deliver(append(2, 2, 1, [2]));
    turn(group);
    expect(pendingWrites(group)).toEqual(["1/2 1/3 1/4", "2/3"]);
    group.completeWrite(1);
    group.completeWrite(1);
    expect(group.logs()[1]).toBe("1 2");
  });

  /** The same entry, gone and come back, while its first write is under way. */
  it("C9 (RELIABILITY §3.14) a late answer for an overwritten index does not pass for the present entry's", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    // A: the leader of term 1 sends 1/2. B: the leader of term 2 overwrites it with 2/2. A again: a leader of term 3
    // that has 1/2 overwrites 2/2 with it.
    group.deliver(append(1, 1, 1, [1]));
    turn(group);
    group.deliver(append(2, 1, 1, [2]));
    turn(group);
    group.deliver(append(3, 1, 1, [1]));
    turn(group);
    expect(pendingWrites(group)).toEqual(["1/2", "2/2", "1/2"]);

    const unstable = (): string => positions(group.member(1).state().unstable.entries);
    group.completeWrite(1);
    // Storage has 1/2 now; but the write of 2/2 is still to come, after which it has not.
    expect(unstable()).toBe("1/2");
    group.completeWrite(1);
    expect(unstable()).toBe("1/2");
    expect(group.logs()[1]).toBe("2");
    group.completeWrite(1);
    expect(unstable()).toBe("");
    expect(group.logs()[1]).toBe("1");
  });

  it("C9 entries that are committed and not stored here are not applied here", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    group.deliver(append(1, 1, 1, [1, 1], 3));
    turn(group);
    expect(group.see(1)).toMatchObject({ commit: 3, applied: 1 });
    expect(group.member(1).applyWork).toEqual([]);
    group.releaseStorage(1);
    expect(group.see(1).applied).toBe(3);
  });

  it("C9 a message that waits for writes waits for all that are pending, even with nothing to write itself", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.holdStorage(1);
    group.deliver(append(1, 1, 1, [1]));
    turn(group);
    group.inFlight = [];
    group.deliver(append(1, 1, 1, [1]));
    turn(group);
    expect(group.inFlight).toEqual([]);
    group.completeWrite(1);
    group.completeWrite(1);
    const answers = group.inFlight.map((m: Message) => (m.type === "append-response" ? m.index : m.type));
    expect(answers).toEqual([2, 2]);
  });

  it("C9 what is sent later does not slip into the answers of an earlier write", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    group.holdStorage(1);
    group.proposeOnly(1, "a");
    turn(group);
    group.completeWrite(1);
    group.settle();
    // A commit index alone: nothing waits for its write.
    const [write] = group.member(1).appendWork;
    expect(write).toMatchObject({ hardState: { commit: 3 }, entries: [], responses: [] });
    group.proposeOnly(1, "b");
    expect(write?.responses).toEqual([]);
  });

  it("D2 D3 a quorum of others elects nobody whose own vote is not durable: it could be elected in that term twice", () => {
    const group = new Scenario({ voters: [1, 2, 3], asyncStorageWrites: true });
    group.holdStorage(1);
    group.campaign(1);
    expect(group.see(1)).toMatchObject({ role: "candidate", term: 1 });
    group.releaseStorage(1);
    expect(group.see(1)).toMatchObject({ role: "leader", term: 1 });
  });

  it("F1 a crash with writes under way loses them, and nothing that was promised", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(2);
    group.holdStorage(1);
    group.propose(2, "a");
    group.crash(1);
    group.restart(1);
    expect(group.logs()[1]).toBe("1");
    group.releaseStorage(1);
    group.heartbeat();
    expect(group.commands(1)).toEqual(["a"]);
  });

  it("F4 a slow state machine holds up neither elections nor replication", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    group.elect(1);
    const member = group.member(1);
    // Only writes are done, nothing is applied.
    for (const command of ["a", "b", "c"]) {
      group.proposeOnly(1, command);
      for (let i = 0; i < 4; i++) {
        group.processReady(member);
        while (member.appendWork.length > 0) group.completeWrite(1);
        for (const id of [2, 3]) {
          for (const message of group.intercept(({ to }) => to === id)) group.deliver(message);
          group.processReady(group.member(id));
          while (group.member(id).appendWork.length > 0) group.completeWrite(id);
        }
        for (const message of group.intercept(({ to }) => to === 1)) group.deliver(message);
      }
    }
    expect(group.see(1)).toMatchObject({ commit: 5, applied: 2 });
    group.settle();
    expect(group.commands(1)).toEqual(["a", "b", "c"]);
  });

  it("C9 advance is not for asynchronous writes", () => {
    const { node } = new Scenario({ asyncStorageWrites: true }).member(1);
    expect(() => node.advance()).toThrow("asynchronous");
    // That was the caller's mistake, not the node's end.
    expect(node.hasReady()).toBe(false);
    node.tick();
  });

  it("a Ready is dealt with before the next one is taken, in plain mode", () => {
    const { node } = new Scenario().member(1);
    node.campaign();
    node.ready();
    expect(() => node.ready()).toThrow("advance");
  });

  it("a storage message that comes from elsewhere is refused", () => {
    const group = new Scenario({ asyncStorageWrites: true });
    const { node } = group.member(1);
    const stored = {
      type: "storage-append-response",
      to: 1,
      term: 1,
      index: 1,
      logTerm: 1,
      snapshot: undefined,
    } as const;
    const applied = { type: "storage-apply-response", to: 1, term: 0, entries: [], bytes: 0 } as const;
    expect(node.step({ ...stored, from: 2 })).toBe("local-message");
    expect(node.step({ ...applied, from: 2 })).toBe("local-message");
    expect(node.step({ ...applied, from: LOCAL_APPLY })).toBe("stepped");
    expect(node.step({ type: "storage-apply", from: 2, to: 1, term: 0, entries: [], responses: [] })).toBe(
      "local-message",
    );
  });

  it("E1 C8 C9 a change that a snapshot has overtaken while it waited to be applied is not made again", () => {
    const storage = new MemoryStorage();
    const confState = { ...EMPTY_CONF_STATE, voters: [1, 2, 3] };
    const data = new Uint8Array(0);
    storage.applySnapshot({ meta: { index: 1, term: 1, confState }, data });
    storage.setHardState({ term: 1, vote: 0, commit: 1 });
    const timing = { electionTicks: 10, heartbeatTicks: 1, random: () => 0 };
    const node = new RawNode({ id: 3, storage, asyncStorageWrites: true, ...timing });

    // The addition of 4 is committed, stored, and handed out for applying, which takes its time.
    const change = { version: 1, change: { kind: "add-voter", id: 4 }, context: NO_CONTEXT } as const;
    const entry = { ...encodeConfChange(change), term: 1, index: 2, checksum: 0 };
    node.step({
      type: "append",
      from: 1,
      to: 3,
      term: 1,
      prevIndex: 1,
      prevTerm: 1,
      entries: [entry],
      commit: 2,
      quiet: false,
    });
    for (const message of node.ready().messages) {
      if (message.type !== "storage-append") continue;
      storage.append(message.entries);
      for (const response of message.responses) if (response.to === 3) node.step(response);
    }
    expect(node.ready().committedEntries).toEqual([entry]);

    // Meanwhile 4 was removed again, and a snapshot comes that says so.
    node.step({
      type: "snapshot",
      from: 1,
      to: 3,
      term: 1,
      snapshot: { meta: { index: 9, term: 1, confState }, data },
    });
    expect(node.applyConfChange(change, entry.index).voters).toEqual([1, 2, 3]);
    expect(node.status().conf.voters).toEqual([1, 2, 3]);

    // Nor when the snapshot is stored by then.
    for (const message of node.ready().messages) {
      if (message.type !== "storage-append") continue;
      if (message.snapshot !== undefined) storage.applySnapshot(message.snapshot);
      for (const response of message.responses) if (response.to === 3) node.step(response);
    }
    expect(node.applied).toBe(9);
    expect(node.applyConfChange(change, entry.index).voters).toEqual([1, 2, 3]);
    expect(node.applyConfChange(change, 10).voters).toEqual([1, 2, 3, 4]);
  });
});
