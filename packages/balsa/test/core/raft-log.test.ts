import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/core/index.js";
import { entryBytes, MemoryStorage, StorageError } from "../../src/core/index.js";
import { RaftLog, UNKNOWN_TERM } from "../../src/core/raft-log.js";
import { entriesFrom, entry, positions, snapshotAt } from "./entries.js";

const ALL = Number.POSITIVE_INFINITY;

/** Stable 1/4 … behind a snapshot 1/3, then the unstable tail; terms of each. */
function logWith(stable: number[], tail: number[], maxApplyingBytes = ALL): RaftLog {
  const storage = new MemoryStorage();
  storage.applySnapshot(snapshotAt(3, 1));
  storage.append(entriesFrom(4, ...stable));
  const log = new RaftLog(storage, maxApplyingBytes);
  log.append(entriesFrom(4 + stable.length, ...tail));
  return log;
}

function content(log: RaftLog): string {
  return sliceOf(log, log.firstIndex(), log.lastIndex() + 1, ALL);
}

function sliceOf(log: RaftLog, lo: number, hi: number, maxBytes: number): string {
  const slice = log.slice(lo, hi, maxBytes);
  return typeof slice === "object" ? positions(slice) : String(slice);
}

describe("A4 one log over stable storage and the unstable tail", () => {
  it("A4 starts committed and applied at what is compacted away", () => {
    const log = logWith([1, 1], []);
    expect([log.committed, log.applying, log.applied]).toEqual([3, 3, 3]);
    expect([log.firstIndex(), log.lastIndex()]).toEqual([4, 5]);
  });

  it("A4 knows terms from just before its first entry to its last", () => {
    const log = logWith([1, 2], [3, 3]);
    expect([2, 3, 4, 5, 6, 7, 8].map((i) => log.term(i))).toEqual([UNKNOWN_TERM, 1, 1, 2, 3, 3, UNKNOWN_TERM]);
    expect(log.lastTerm()).toBe(3);
  });

  it("A4 a snapshot that comes in hides all before it", () => {
    const log = logWith([1, 2], [3]);
    log.restore(snapshotAt(9, 4));
    expect([log.firstIndex(), log.lastIndex(), log.committed]).toEqual([10, 9, 9]);
    expect([log.term(9), log.term(8), log.term(5)]).toEqual([4, UNKNOWN_TERM, UNKNOWN_TERM]);
  });

  it.each([
    { lo: 4, hi: 8, bytes: ALL, expected: "1/4 1/5 2/6 2/7" },
    { lo: 4, hi: 6, bytes: ALL, expected: "1/4 1/5" },
    { lo: 6, hi: 8, bytes: ALL, expected: "2/6 2/7" },
    { lo: 5, hi: 7, bytes: ALL, expected: "1/5 2/6" },
    { lo: 5, hi: 5, bytes: ALL, expected: "" },
    { lo: 4, hi: 8, bytes: 0, expected: "1/4" },
    { lo: 4, hi: 8, bytes: 4, expected: "1/4" },
    { lo: 4, hi: 8, bytes: 8, expected: "1/4 1/5" },
    { lo: 4, hi: 8, bytes: 9, expected: "1/4 1/5" },
    { lo: 4, hi: 8, bytes: 12, expected: "1/4 1/5 2/6" },
    { lo: 6, hi: 8, bytes: 0, expected: "2/6" },
  ])("A4 [$lo, $hi) within $bytes bytes is: $expected", ({ lo, hi, bytes, expected }) => {
    expect(sliceOf(logWith([1, 1], [2, 2]), lo, hi, bytes)).toBe(expected);
  });

  it("A4 out of bounds below is compacted, above is fatal", () => {
    const log = logWith([1, 1], [2, 2]);
    expect(log.slice(3, 5, ALL)).toBeUndefined();
    expect(() => log.slice(4, 9, ALL)).toThrow("within the log");
  });

  it("A4 a slice is the same wherever the log is cut into stable and unstable, and never over its limit", () => {
    const sizes = fc.array(fc.nat(20), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(200), (payloads, cut, maxBytes) => {
        const entries = payloads.map((bytes, i) => entry(1, 4 + i, bytes));
        const storage = new MemoryStorage();
        storage.applySnapshot(snapshotAt(3, 1));
        storage.append(entries.slice(0, cut % (entries.length + 1)));
        const log = new RaftLog(storage, ALL);
        log.append(entries.slice(cut % (entries.length + 1)));
        let bytes = 0;
        const fits = entries.filter((e, i) => (bytes += entryBytes(e)) <= maxBytes || i === 0);
        expect(log.slice(4, 4 + entries.length, maxBytes)).toEqual(fits);
      }),
    );
  });
});

describe("A4 appending what a leader sent", () => {
  // The log: 1/4 1/5 2/6, of which 4 is committed.
  const cases = [
    { what: "all present: nothing changes", prev: [3, 1], terms: [1, 1], after: "1/4 1/5 2/6", agreed: 5 },
    { what: "a new tail is appended", prev: [5, 1], terms: [2, 2, 3], after: "1/4 1/5 2/6 2/7 3/8", agreed: 8 },
    { what: "a conflict is overwritten from there on", prev: [4, 1], terms: [1, 3], after: "1/4 1/5 3/6", agreed: 6 },
    { what: "a conflict cuts off what is behind", prev: [4, 1], terms: [3], after: "1/4 3/5", agreed: 5 },
    { what: "a late, short message cuts off nothing", prev: [4, 1], terms: [1], after: "1/4 1/5 2/6", agreed: 5 },
    { what: "an empty message changes nothing", prev: [6, 2], terms: [], after: "1/4 1/5 2/6", agreed: 6 },
    { what: "another term before it: rejected", prev: [5, 2], terms: [2], after: "1/4 1/5 2/6", agreed: undefined },
    { what: "behind the log's end: rejected", prev: [7, 2], terms: [2], after: "1/4 1/5 2/6", agreed: undefined },
  ];
  it.each(cases)("A4 $what", ({ prev, terms, after, agreed }) => {
    const log = logWith([1, 1], [2]);
    log.commitTo(4);
    const [prevIndex = 0, prevTerm = 0] = prev;
    expect(log.maybeAppend(prevIndex, prevTerm, entriesFrom(prevIndex + 1, ...terms), 4)).toBe(agreed);
    expect(content(log)).toBe(after);
  });

  it("A4 a conflict at or below the commit index is fatal", () => {
    const log = logWith([1, 1], [2]);
    log.commitTo(5);
    expect(() => log.maybeAppend(4, 1, entriesFrom(5, 3), 5)).toThrow("conflict");
    expect(() => log.append(entriesFrom(5, 3))).toThrow("never gives way");
  });

  it("A4 commits up to what the message has shown to agree, and no further", () => {
    const log = logWith([1, 1], [2]);
    log.maybeAppend(4, 1, entriesFrom(5, 1), 6);
    expect(log.committed).toBe(5);
    log.maybeAppend(6, 2, [], 9);
    expect(log.committed).toBe(6);
  });

  it("A4 agrees with a plain list, whatever leaders send", () => {
    const message = fc.record({ prev: fc.nat(8), terms: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        const log = logWith([], []);
        let model: number[] = [1, 1, 1, 1];
        for (const { prev, terms } of messages) {
          // A leader's log: ours up to a point, then entries of terms that never fall.
          const prevIndex = Math.min(prev + 3, model.length - 1);
          const prevTerm = model[prevIndex] as number;
          let term = prevTerm;
          const sent = terms.map((step) => (term += step));
          const agreed = log.maybeAppend(prevIndex, prevTerm, entriesFrom(prevIndex + 1, ...sent), 0);
          expect(agreed).toBe(prevIndex + sent.length);
          const differs = sent.some((t, i) => model[prevIndex + 1 + i] !== t);
          if (differs) model = [...model.slice(0, prevIndex + 1), ...sent];
          expect(content(log)).toBe(positions(entriesFrom(4, ...model.slice(4))));
        }
      }),
    );
  });
});

describe("A4 the commit index", () => {
  it("A4 never falls, and never passes the last entry", () => {
    const log = logWith([1, 1], [1]);
    log.commitTo(5);
    log.commitTo(4);
    expect(log.committed).toBe(5);
    expect(() => log.commitTo(7)).toThrow("past the log's end");
  });

  it("C1 is moved by counting only to an entry of the current term", () => {
    const log = logWith([1, 1], [2]);
    expect(log.maybeCommit(5, 2)).toBe(false);
    expect(log.maybeCommit(6, 2)).toBe(true);
    expect(log.maybeCommit(6, 2)).toBe(false);
    expect(log.committed).toBe(6);
  });

  it.each([
    { term: 1, index: 99, upToDate: false },
    { term: 2, index: 5, upToDate: false },
    { term: 2, index: 6, upToDate: true },
    { term: 2, index: 7, upToDate: true },
    { term: 3, index: 1, upToDate: true },
  ])("§5.4.1 a log that ends in $term/$index is up to date with 2/6: $upToDate", ({ term, index, upToDate }) => {
    expect(logWith([1, 1], [2]).isUpToDate(index, term)).toBe(upToDate);
  });
});

describe("B5 finding where logs may agree", () => {
  it.each([
    { index: 8, term: 9, found: { index: 8, term: 5 } },
    { index: 8, term: 4, found: { index: 6, term: 3 } },
    { index: 8, term: 2, found: { index: 4, term: 1 } },
    { index: 2, term: 1, found: { index: 2, term: 0 } },
    { index: 20, term: 1, found: { index: 20, term: 0 } },
    { index: 0, term: 1, found: { index: 0, term: 0 } },
  ])("B5 from $index down with a term of $term at most", ({ index, term, found }) => {
    expect(logWith([1, 3, 3], [5, 5]).findConflictByTerm(index, term)).toEqual(found);
  });

  it("B5 goes down to the log's beginning", () => {
    const log = new RaftLog(new MemoryStorage(), ALL);
    log.append(entriesFrom(1, 5, 5));
    expect(log.findConflictByTerm(2, 4)).toEqual({ index: 0, term: 0 });
  });
});

describe("A5 what to hand the application", () => {
  /** Entries 4 to 7, of 4 bytes each, all committed, 4 and 5 of them stable. */
  const committed = (maxApplyingBytes: number): RaftLog => {
    const log = logWith([1, 1], [1, 1], maxApplyingBytes);
    log.commitTo(7);
    return log;
  };

  it.each([
    { unstable: true, bytes: ALL, expected: "1/4 1/5 1/6 1/7" },
    { unstable: false, bytes: ALL, expected: "1/4 1/5" },
    { unstable: true, bytes: 9, expected: "1/4 1/5" },
    { unstable: true, bytes: 1, expected: "1/4" },
  ])("A5 unstable ones too: $unstable, within $bytes bytes: $expected", ({ unstable, bytes, expected }) => {
    const log = committed(bytes);
    expect(log.hasNextCommittedEntries(unstable)).toBe(true);
    expect(positions(log.nextCommittedEntries(unstable))).toBe(expected);
  });

  const sizeOf = (entries: readonly Entry[]): number => entries.reduce((sum, e) => sum + entryBytes(e), 0);

  it("A5 pauses while what was handed out is not applied, and goes on then", () => {
    const log = committed(9);
    const first = log.nextCommittedEntries(true);
    log.acceptApplying(5, sizeOf(first), true);
    expect(log.hasNextCommittedEntries(true)).toBe(false);
    expect(log.nextCommittedEntries(true)).toEqual([]);
    log.appliedTo(5, sizeOf(first));
    expect(positions(log.nextCommittedEntries(true))).toBe("1/6 1/7");
  });

  it("A5 hands nothing out twice", () => {
    const log = committed(ALL);
    log.acceptApplying(7, 16, true);
    expect(log.nextCommittedEntries(true)).toEqual([]);
  });

  it("A5 entries handed out and not applied count against the limit", () => {
    const log = logWith([1, 1], [1, 1], 9);
    log.commitTo(4);
    log.acceptApplying(4, sizeOf(log.nextCommittedEntries(true)), true);
    log.commitTo(7);
    expect(positions(log.nextCommittedEntries(true))).toBe("1/5");
  });

  it("A5 hands nothing out while a snapshot is on its way", () => {
    const log = logWith([1, 1], [1]);
    log.restore(snapshotAt(9, 2));
    log.append(entriesFrom(10, 2));
    log.commitTo(10);
    expect(log.nextCommittedEntries(true)).toEqual([]);
    log.unstable.stableSnapshotTo(9);
    log.appliedTo(9, 0);
    expect(positions(log.nextCommittedEntries(true))).toBe("2/10");
  });

  it("A4 applied grows, and stays within what is committed", () => {
    const log = committed(ALL);
    log.appliedTo(5, 0);
    expect(() => log.appliedTo(4, 0)).toThrow("applied grows");
    expect(() => log.appliedTo(8, 0)).toThrow("applied grows");
    expect(() => log.acceptApplying(8, 0, true)).toThrow("only committed");
  });

  it("A5 bytes that were never handed out are not given back", () => {
    const log = committed(ALL);
    log.appliedTo(5, 1000);
    expect(log.applyingBytes).toBe(0);
  });
});

describe("A1 snapshots", () => {
  it("A1 one on its way in is the newest", () => {
    const log = logWith([1], []);
    const incoming = snapshotAt(9, 4);
    log.restore(incoming);
    expect(log.snapshot()).toBe(incoming);
  });

  it("A1 temporarily unavailable is no error; any other is", () => {
    class Busy extends MemoryStorage {
      error: Error = new StorageError("snapshot-temporarily-unavailable");
      override snapshot(): never {
        throw this.error;
      }
    }
    const storage = new Busy();
    const log = new RaftLog(storage, ALL);
    expect(log.snapshot()).toBeUndefined();
    storage.error = new Error("disk on fire");
    expect(() => log.snapshot()).toThrow("disk on fire");
  });
});
