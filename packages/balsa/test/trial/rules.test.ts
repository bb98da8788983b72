import { describe, expect, test } from "vitest";
import type { ConfState, Entry, HardState, PeerMessage, Ready, StorageAppend } from "../../src/core/index.js";
import type { CoreState } from "../../src/node/index.js";
import { Coverage } from "../../src/trial/coverage.js";
import { GroupRecord } from "../../src/trial/group-record.js";
import { Journal } from "../../src/trial/journal.js";
import { MemberRecord } from "../../src/trial/member-record.js";
import type { Rule } from "../../src/trial/violation.js";

const CONF: ConfState = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

function entry(index: number, term: number, checksum = index): Entry {
  return { type: "normal", index, term, data: new Uint8Array(1), checksum };
}

function ready(parts: { hardState?: HardState; entries?: readonly Entry[]; snapshot?: Ready["snapshot"] } = {}): Ready {
  return {
    softState: undefined,
    hardState: parts.hardState,
    readStates: [],
    entries: parts.entries ?? [],
    snapshot: parts.snapshot,
    committedEntries: [],
    messages: [],
    mustSync: true,
  };
}

function state(parts: Partial<CoreState> = {}): CoreState {
  return { term: 1, role: "follower", lead: 0, commit: 1, applied: 1, confState: CONF, ...parts };
}

function write(of: Ready): StorageAppend {
  const { hardState, entries, snapshot } = of;
  return { type: "storage-append", from: 1, to: -1, term: 0, hardState, entries, snapshot, responses: [] };
}

/** Two members of a group of three that has just begun. */
function group() {
  const coverage = new Coverage();
  const record = new GroupRecord(coverage);
  let onQuorum = true;
  let othersTerm = 0;
  const members: MemberRecord[] = [];
  const peers = {
    durableOnQuorum: () => onQuorum,
    hasHeld: (memberId: number, index: number, term: number) =>
      members.some((member) => member.hasHeld(memberId, index, term)),
    isBeyond: (memberId: number, term: number) => members.some((member) => member.isBeyond(memberId, term)),
    highestTerm: () => othersTerm,
  };
  const open = (name: string, memberId: number): MemberRecord => {
    const member = new MemberRecord(name, record, peers, coverage);
    members.push(member);
    reopen(member, memberId, { term: 1, vote: 0, commit: 1 }, [1]);
    return member;
  };
  const a = open("a", 1);
  const b = open("b", 2);
  return {
    record,
    a,
    b,
    loseQuorum: () => void (onQuorum = false),
    othersAreIn: (term: number) => void (othersTerm = term),
  };
}

/** A life begins with a log whose terms are these, from index 1 on. */
function reopen(member: MemberRecord, memberId: number, hardState: HardState, terms: readonly number[]): void {
  member.opened({
    memberId,
    incarnation: memberId,
    hardState,
    snapshot: { index: 1, term: 1, confState: CONF },
    firstIndex: 2,
    lastIndex: terms.length,
    term: (index) => terms[index - 1] as number,
  });
}

/** Hands something out, and makes it durable. */
function store(member: MemberRecord, what: Ready, as: CoreState): void {
  member.ready(what, as);
  member.written(write(what));
}

function expectBroken(rule: Rule, act: () => void): void {
  expect(act).toThrow(rule);
}

describe("what a member must not do is noticed", () => {
  test("D6 two leaders in a term", () => {
    const { a, b } = group();
    a.ready(ready({ hardState: { term: 2, vote: 1, commit: 1 } }), state({ term: 2, role: "leader" }));
    expectBroken("one leader a term", () => b.ready(ready(), state({ term: 2, role: "leader" })));
  });

  test("D6 one that leads in a term that it led in an earlier life", () => {
    const { a } = group();
    const elected = ready({ hardState: { term: 2, vote: 1, commit: 1 } });
    store(a, elected, state({ term: 2, role: "leader" }));
    reopen(a, 1, { term: 2, vote: 1, commit: 1 }, [1]);
    expectBroken("one leader a term", () => a.ready(ready(), state({ term: 2, role: "leader" })));
  });

  test("a leader that puts an entry anew", () => {
    const { a } = group();
    const lead = state({ term: 2, role: "leader" });
    a.ready(ready({ entries: [entry(2, 2)] }), lead);
    expectBroken("a leader's log only grows", () => a.ready(ready({ entries: [entry(2, 2)] }), lead));
  });

  test("C1 logs with different entries of one index and term, or behind different ones", () => {
    const { a, b } = group();
    a.ready(ready({ entries: [entry(2, 2), entry(3, 3)] }), state({ term: 3 }));
    expectBroken("log matching", () => b.ready(ready({ entries: [entry(2, 2, 99)] }), state({ term: 3 })));
    const { a: c, b: d } = group();
    c.ready(ready({ entries: [entry(2, 2), entry(3, 3)] }), state({ term: 3 }));
    expectBroken("log matching", () => d.ready(ready({ entries: [entry(2, 1), entry(3, 3)] }), state({ term: 3 })));
  });

  test("a leader without what was committed before its term", () => {
    const { a, b } = group();
    a.ready(ready({ entries: [entry(2, 2)] }), state({ term: 2, role: "leader", commit: 2 }));
    expectBroken("leader completeness", () => b.ready(ready(), state({ term: 3, role: "leader" })));
  });

  test("another entry committed, and a committed one replaced", () => {
    const { a, b } = group();
    a.ready(ready({ entries: [entry(2, 2)] }), state({ term: 2, commit: 2 }));
    b.ready(ready({ entries: [entry(2, 3)] }), state({ term: 3 }));
    expectBroken("committed entries stay", () => b.ready(ready(), state({ term: 3, commit: 2 })));
    expectBroken("committed entries stay", () =>
      a.ready(ready({ entries: [entry(2, 3)] }), state({ term: 3, commit: 2 })),
    );
  });

  test("a committed one replaced on a disk that may have counted; on that of one which had not come to the commit's term it may be", () => {
    // In between; on the way to the commit's term, in one turn; and there already.
    for (const [before, after] of [
      [2, 3],
      [2, 4],
      [4, 4],
    ] as const) {
      const { a, b } = group();
      store(b, ready({ entries: [entry(2, 2)] }), state({ term: 2 }));
      a.ready(ready({ entries: [entry(2, 2), entry(3, 4)] }), state({ term: 4, role: "leader", commit: 3 }));
      b.ready(ready(), state({ term: before }));
      const replace = () => b.ready(ready({ entries: [entry(2, 3)] }), state({ term: after }));
      if (before < 4) replace();
      else expectBroken("committed entries stay", replace);
    }
  });

  test("a commit that is not on the disks of a quorum", () => {
    const { a, loseQuorum } = group();
    loseQuorum();
    const commits = () => a.ready(ready({ entries: [entry(2, 2)] }), state({ term: 2, commit: 2 }));
    expectBroken("committed is on a durable quorum", commits);
  });

  test("terms and commit indexes that fall, and a commit behind the log's end", () => {
    const { a } = group();
    a.ready(ready({ entries: [entry(2, 3)] }), state({ term: 3, commit: 2 }));
    expectBroken("terms, votes, commit and applied only grow", () => a.ready(ready(), state({ term: 2, commit: 2 })));
    expectBroken("terms, votes, commit and applied only grow", () => a.ready(ready(), state({ term: 3, commit: 1 })));
    expectBroken("indexes are in order", () => a.ready(ready(), state({ term: 3, commit: 3 })));
  });

  test("D3 votes and acknowledgements that leave before they are durable", () => {
    const vote = { type: "vote-response", from: 1, to: 2, term: 2, rejected: false } as PeerMessage;
    const { a } = group();
    const voted = ready({ hardState: { term: 2, vote: 2, commit: 1 }, entries: [entry(2, 2)] });
    a.ready(voted, state({ term: 2 }));
    expectBroken("persist before send", () => a.sending([vote]));
    const acknowledged = { type: "append-response", from: 1, to: 2, term: 2, index: 2, rejected: false };
    expectBroken("persist before send", () => a.sending([acknowledged as PeerMessage]));
    a.written(write(voted));
    a.sending([vote, acknowledged as PeerMessage]);
  });

  test("D2 two votes in a term, in memory and on the wire", () => {
    const { a } = group();
    const voted = ready({ hardState: { term: 2, vote: 2, commit: 1 } });
    store(a, voted, state({ term: 2 }));
    a.sending([{ type: "vote-response", from: 1, to: 2, term: 2, rejected: false }]);
    expectBroken("one vote a term", () =>
      a.ready(ready({ hardState: { term: 2, vote: 3, commit: 1 } }), state({ term: 2 })),
    );
  });

  test("F1 a disk that comes back without what was durable; one with some of what was under way is right", () => {
    const { a } = group();
    store(a, ready({ hardState: { term: 2, vote: 0, commit: 1 }, entries: [entry(2, 2)] }), state({ term: 2 }));
    a.ready(ready({ entries: [entry(3, 2)] }), state({ term: 2 }));
    a.ready(ready({ entries: [entry(4, 2)] }), state({ term: 2 }));
    expectBroken("what was durable is recovered", () => reopen(a, 1, { term: 2, vote: 0, commit: 1 }, [1]));
    expectBroken("what was durable is recovered", () => reopen(a, 1, { term: 1, vote: 0, commit: 1 }, [1, 2]));
    reopen(a, 1, { term: 2, vote: 0, commit: 1 }, [1, 2, 2]);
  });

  test("F4 entries applied twice, with a gap, or that are not committed", () => {
    const { a } = group();
    a.ready(ready({ entries: [entry(2, 2), entry(3, 2), entry(4, 2)] }), state({ term: 2, commit: 3 }));
    a.applied(2, 2, "entry", CONF);
    expectBroken("applied in order, once", () => a.applied(2, 2, "entry", CONF));
    a.applied(3, 2, "entry", CONF);
    expectBroken("applied in order, once", () => a.applied(4, 2, "entry", CONF));
    expectBroken("applied in order, once", () => a.applied(5, 2, "entry", CONF));
  });

  test("E1 a change of the configuration while one is not applied, and quorums that need not meet", () => {
    const { a, record } = group();
    const change = (index: number): Entry => ({ ...entry(index, 2), type: "conf-change-v2" });
    const lead = state({ term: 2, role: "leader" });
    const committed = { ...lead, commit: 2 };
    a.ready(ready({ entries: [entry(2, 2)] }), lead);
    a.ready(ready(), committed);
    a.ready(ready({ entries: [change(3)] }), committed);
    expectBroken("one configuration change at a time", () => a.ready(ready({ entries: [change(4)] }), committed));
    const far = { ...CONF, voters: [1, 4, 5] };
    expectBroken("one configuration change at a time", () => record.configuredAt(9, far, CONF, "a"));
    const { record: other } = group();
    other.configuredAt(10, { ...CONF, voters: [1, 2, 3, 4] }, CONF, "a");
    expectBroken("the same state everywhere", () => other.configuredAt(10, CONF, CONF, "b"));
  });

  test("E1 a change of a leader that has committed nothing in its own term", () => {
    const { a } = group();
    const change: Entry = { ...entry(3, 2), type: "conf-change-v2" };
    const lead = state({ term: 2, role: "leader" });
    a.ready(ready({ entries: [entry(2, 2)] }), lead);
    expectBroken("one configuration change at a time", () => a.ready(ready({ entries: [change] }), lead));
  });

  test("E1 a campaign with a change committed and not applied", () => {
    const { a } = group();
    const preVote = { type: "pre-vote", from: 1, to: 2, term: 2, lastIndex: 2, lastTerm: 1, transfer: false } as const;
    const change: Entry = { ...entry(2, 1), type: "conf-change-v2" };
    a.ready(ready({ entries: [change] }), state({ commit: 2 }));
    // The commit may have come with the same turn as the campaign, and after it.
    a.sending([preVote]);
    a.ready(ready(), state({ commit: 2 }));
    expectBroken("no campaign over a change", () => a.sending([preVote]));
    expectBroken("no campaign over a change", () => a.sending([{ ...preVote, type: "vote" }]));
    a.applied(2, 1, "entry", CONF);
    a.sending([preVote]);
  });

  test("D6 an entry of an earlier term that is committed by counting", () => {
    const { a, b } = group();
    const lead = state({ term: 3, role: "leader" });
    store(a, ready({ entries: [entry(2, 2), entry(3, 2)] }), state({ term: 2 }));
    store(a, ready({ hardState: { term: 3, vote: 1, commit: 1 }, entries: [entry(4, 3)] }), lead);
    expectBroken("only the own term is committed by counting", () => a.ready(ready(), { ...lead, commit: 3 }));
    // What others have committed is told, not counted.
    store(b, ready({ entries: [entry(2, 2)] }), state({ term: 2, commit: 2 }));
  });

  test("C1 entries dropped for some of the same, or for a snapshot of what is there", () => {
    const held = () => {
      const { a } = group();
      a.ready(ready({ entries: [entry(2, 2), entry(3, 2), entry(4, 2)] }), state({ term: 2, commit: 2 }));
      return a;
    };
    const [term2, term3] = [state({ term: 2, commit: 2 }), state({ term: 3, commit: 2 })];
    expectBroken("entries give way only to others", () => held().ready(ready({ entries: [entry(3, 2)] }), term2));
    const snapshot = (index: number) => ({ meta: { index, term: 2, confState: CONF }, data: new Uint8Array(0) });
    const a = held();
    const all = state({ term: 2, commit: 4 });
    a.ready(ready(), all);
    expectBroken("indexes are in order", () => a.ready(ready({ snapshot: snapshot(4) }), all));
    const over = ready({ snapshot: snapshot(3) });
    expectBroken("entries give way only to others", () => held().ready(over, { ...term2, commit: 3 }));
    // Another entry, and the same ones under a leader that has come since.
    held().ready(ready({ entries: [entry(3, 3)] }), term3);
    held().ready(ready({ entries: [entry(3, 2)] }), term3);
  });

  test("D5 leadership that goes to one without the whole log", () => {
    const { a, b } = group();
    const lead = state({ term: 2, role: "leader" });
    const now: PeerMessage = { type: "timeout-now", from: 1, to: 2, term: 2 };
    store(a, ready({ entries: [entry(2, 2), entry(3, 2)] }), lead);
    store(b, ready({ entries: [entry(2, 2)] }), state({ term: 2 }));
    expectBroken("leadership goes to whole logs", () => a.sending([now]));
    store(b, ready({ entries: [entry(3, 2)] }), state({ term: 2 }));
    a.sending([now]);
    // Handed over, and then deposed, in one turn.
    a.ready(ready({ entries: [entry(4, 3)] }), state({ term: 3 }));
    a.sending([now]);
    expectBroken("leadership goes to whole logs", () => a.sending([{ ...now, term: 3 }]));
  });

  test("D5 leadership offered to one whose log a later leader has replaced since: it does not listen", () => {
    const { a, b } = group();
    const now: PeerMessage = { type: "timeout-now", from: 1, to: 2, term: 2 };
    store(a, ready({ entries: [entry(2, 2), entry(3, 2)] }), state({ term: 2, role: "leader" }));
    store(b, ready({ entries: [entry(2, 2), entry(3, 2)] }), state({ term: 2 }));
    const term3 = { term: 3, vote: 0, commit: 1 };
    // Replaced, and the later term, if it were only in memory, would not be why.
    store(b, ready({ entries: [entry(2, 3)] }), state({ term: 3 }));
    expectBroken("leadership goes to whole logs", () => a.sending([now]));
    store(b, ready({ hardState: term3 }), state({ term: 3 }));
    a.sending([now]);
    // Nor if its disk was lost after that.
    b.forget({ as: "back", voter: true });
    a.sending([now]);
    a.ready(ready({ hardState: { ...term3, vote: 1 } }), state({ term: 3, role: "leader" }));
    expectBroken("leadership goes to whole logs", () => a.sending([{ ...now, term: 3 }]));
  });

  test("E1 a change that overlaps one of an earlier life", () => {
    const { a } = group();
    const change = (index: number, term: number): Entry => ({ ...entry(index, term), type: "conf-change-v2" });
    store(a, ready({ entries: [change(2, 1)] }), state());
    reopen(a, 1, { term: 1, vote: 0, commit: 1 }, [1, 1]);
    const lead = state({ term: 2, role: "leader" });
    a.ready(ready({ hardState: { term: 2, vote: 1, commit: 1 }, entries: [entry(3, 2)] }), lead);
    expectBroken("one configuration change at a time", () => a.ready(ready({ entries: [change(4, 2)] }), lead));
  });

  test("E1 a change that is known from when it is applied, and one that no entry brought", () => {
    const { a } = group();
    const change: Entry = { ...entry(3, 1), type: "conf-change-v2" };
    const [pair, far]: ConfState[] = [
      { ...CONF, voters: [1, 2] },
      { ...CONF, voters: [4, 5, 6] },
    ];
    a.ready(ready({ entries: [entry(2, 1), change] }), state({ commit: 3 }));
    a.applied(2, 1, "entry", CONF);
    expectBroken("one configuration change at a time", () => a.applied(3, 1, "entry", far as ConfState));
    const { a: b, record: other } = group();
    b.ready(ready({ entries: [entry(2, 1), change] }), state({ commit: 3 }));
    b.applied(2, 1, "entry", CONF);
    // Without another Ready: with nobody else to tell, none need come.
    b.applied(3, 1, "entry", pair as ConfState);
    expect(b.confState).toBe(pair);
    expect(other.isGone(3)).toBe(true);
    expectBroken("one configuration change at a time", () => b.ready(ready(), state({ commit: 3, applied: 3 })));
  });

  test("E1 a member that is one again after its removal, in whatever order that is seen", () => {
    const { record } = group();
    const without: ConfState = { ...CONF, voters: [1, 2] };
    record.configuredAt(5, CONF, undefined, "a");
    expect(record.isGone(3)).toBe(false);
    record.configuredAt(7, without, undefined, "a");
    expect(record.isGone(3)).toBe(true);
    // Late, from a member that lags behind.
    record.configuredAt(6, CONF, undefined, "b");
    expectBroken("a removed member never comes back", () =>
      record.configuredAt(8, { ...without, learners: [3] }, undefined, "a"),
    );
  });

  test("a member that lost its disk owes nothing of it, and is back once it votes under a new ID", () => {
    const { a, b } = group();
    store(b, ready({ hardState: { term: 2, vote: 0, commit: 1 }, entries: [entry(2, 2)] }), state({ term: 2 }));
    expect(b.hasDurable(2, 2)).toBe(true);
    b.forget({ as: "back", voter: true });
    expect(b.hasDurable(2, 2)).toBe(false);
    // Its acknowledgement may still be on its way.
    expect(b.hasHeld(2, 2, 2)).toBe(true);
    expect(b.hasLostDisk).toBe(true);
    // At first it is what it was at the very first start, and takes no part.
    reopen(b, 2, { term: 1, vote: 0, commit: 1 }, [1]);
    b.ready(ready(), state());
    expect(b.hasLostDisk).toBe(true);
    // Then it learns, and only a voter is back.
    reopen(b, 4, { term: 2, vote: 0, commit: 1 }, [1, 2]);
    a.ready(ready({ entries: [entry(2, 2), entry(3, 2)] }), state({ term: 2, commit: 3 }));
    store(b, ready({ entries: [entry(3, 2)] }), state({ term: 2, commit: 3 }));
    const learning = { ...CONF, voters: [1, 3], learners: [4] };
    b.applied(2, 2, "entry", learning);
    expect(b.hasLostDisk).toBe(true);
    b.applied(3, 2, "entry", { ...CONF, voters: [1, 3, 4] });
    expect(b.isComing).toBe(false);
    expect(b.hasHeld(2, 2, 2)).toBe(false);
    expect(b.hasHeld(4, 3, 2)).toBe(true);
  });

  test("one that comes to vote has come, if it was made a learner again before it heard that it votes", () => {
    for (const wasVoter of [false, true]) {
      const { record, a, b } = group();
      b.forget({ as: "new", voter: true });
      reopen(b, 4, { term: 2, vote: 0, commit: 1 }, [1, 2]);
      a.ready(ready({ entries: [entry(2, 2), entry(3, 2)] }), state({ term: 2, commit: 3 }));
      if (wasVoter) record.configuredAt(2, { ...CONF, voters: [1, 3, 4] }, undefined, "a");
      store(b, ready({ entries: [entry(3, 2)] }), state({ term: 2, commit: 3 }));
      const learning = { ...CONF, voters: [1, 3], learners: [4] };
      b.applied(2, 2, "entry", CONF);
      b.applied(3, 2, "entry", learning);
      expect(b.isComing).toBe(!wasVoter);
    }
  });
});

describe("what state machines and callers see is held against the journal", () => {
  const applied = { index: 5, term: 2, commandId: 1, result: 7, before: 0 };

  function journal(): Journal {
    const journal = new Journal(new Coverage());
    journal.propose();
    journal.propose();
    journal.apply("a", applied);
    return journal;
  }

  test("F4 another command, another answer, another order, the same command again", () => {
    const { apply, again } = { apply: journal(), again: journal() };
    expectBroken("the same state everywhere", () => apply.apply("b", { ...applied, commandId: 2 }));
    expectBroken("the same state everywhere", () => apply.apply("b", { ...applied, result: 8 }));
    expectBroken("applied in order, once", () => apply.apply("b", { ...applied, before: 4 }));
    expectBroken("applied in order, once", () => again.apply("b", { ...applied, index: 6 }));
  });

  test("what nobody proposed", () => {
    expectBroken("nothing out of nowhere", () => journal().apply("a", { ...applied, index: 6, commandId: 3 }));
  });

  test("F1 an acknowledged command that is not there; a refused one that is", () => {
    const held = journal();
    held.acknowledge(1, 5, 2, 7);
    expectBroken("an acknowledged write is applied", () => held.acknowledge(2, 6, 2, 7));
    expectBroken("an acknowledged write is applied", () => held.acknowledge(1, 5, 2, 8));
    expectBroken("a refused write is not applied", () => held.refuse(1));
    held.refuse(2);
    const late = { ...applied, index: 6, commandId: 2, before: 5 };
    expectBroken("a refused write is not applied", () => held.apply("b", late));
  });

  test("states that differ at one index", () => {
    const held = journal();
    held.digest("a", { index: 5, digest: 1 });
    held.digest("b", { index: 5, digest: 1 });
    expectBroken("the same state everywhere", () => held.digest("c", { index: 5, digest: 2 }));
  });
});

test("F1 a repair may lose a term in which a member voted for itself alone, and nothing that another knows of", () => {
  const { a, othersAreIn } = group();
  const repairedTo = (promised: HardState, found: HardState): void => {
    a.forget(undefined);
    reopen(a, 1, promised, [1]);
    a.repairStarted();
    a.repaired({ exact: false });
    reopen(a, 1, found, [1]);
  };
  const at = (term: number, vote: number): HardState => ({ term, vote, commit: 1 });
  othersAreIn(10);
  expect(() => repairedTo(at(11, 1), at(10, 1))).not.toThrow();
  expect(() => repairedTo(at(11, 1), at(9, 1))).toThrow("was repaired to term 9");
  expect(() => repairedTo(at(11, 2), at(10, 1))).toThrow("was repaired to term 10");
  othersAreIn(11);
  expect(() => repairedTo(at(11, 1), at(10, 1))).toThrow("was repaired to term 10");
  expect(() => repairedTo(at(11, 1), at(11, 2))).toThrow("vote 2");
});

test("F1 what a repair calls exact is held to what was durable; not so behind a repair that did not come to its end", () => {
  const { a } = group();
  const ahead: HardState = { term: 2, vote: 0, commit: 1 };
  const life = (isAfterAnother: boolean): void => {
    a.forget(undefined);
    reopen(a, 1, { term: 1, vote: 0, commit: 1 }, [1]);
    if (isAfterAnother) a.repairStarted();
    a.repairStarted();
    a.repaired({ exact: true });
    reopen(a, 1, ahead, [1]);
  };
  expect(() => life(false)).toThrow("what was durable is recovered");
  expect(() => life(true)).not.toThrow();
});
