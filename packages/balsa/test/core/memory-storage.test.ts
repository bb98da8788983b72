import { describe, expect, it } from "vitest";
import { EMPTY_CONF_STATE, entryBytes, MemoryStorage } from "../../src/core/index.js";
import { entriesFrom, entry, positions, snapshotAt } from "./entries.js";

const ALL = Number.POSITIVE_INFINITY;

/** Entries 4 to 6 behind a snapshot at 3. */
function storage(): MemoryStorage {
  const memory = new MemoryStorage();
  memory.applySnapshot(snapshotAt(3, 3));
  memory.append(entriesFrom(4, 4, 5, 6));
  return memory;
}

function content(memory: MemoryStorage): string {
  return positions(memory.entries(memory.firstIndex(), memory.lastIndex() + 1, ALL));
}

describe("A1 the read side of storage", () => {
  it("A1 an empty storage begins at 1 and ends at 0, with a known term 0 before", () => {
    const memory = new MemoryStorage();
    expect([memory.firstIndex(), memory.lastIndex(), memory.term(0)]).toEqual([1, 0, 0]);
    expect(memory.initialState()).toEqual({ hardState: { term: 0, vote: 0, commit: 0 }, confState: EMPTY_CONF_STATE });
    expect(memory.snapshot().meta.index).toBe(0);
  });

  it("A1 knows the term just before its first entry", () => {
    const memory = storage();
    expect([3, 4, 5, 6].map((i) => memory.term(i))).toEqual([3, 4, 5, 6]);
    expect(() => memory.term(2)).toThrow("compacted");
    expect(() => memory.term(7)).toThrow("unavailable");
  });

  it.each([
    { lo: 4, hi: 7, max: ALL, expected: "4/4 5/5 6/6" },
    { lo: 5, hi: 6, max: ALL, expected: "5/5" },
    { lo: 5, hi: 5, max: ALL, expected: "" },
    { lo: 4, hi: 7, max: 1, expected: "4/4" },
    { lo: 4, hi: 7, max: 2 * entryBytes(entry(4, 4)), expected: "4/4 5/5" },
    { lo: 4, hi: 7, max: 3 * entryBytes(entry(4, 4)) - 1, expected: "4/4 5/5" },
  ])("A1 entries of [$lo, $hi) within $max bytes are: $expected", ({ lo, hi, max, expected }) => {
    expect(positions(storage().entries(lo, hi, max))).toBe(expected);
  });

  it("A1 tells apart what is compacted and what is not there yet", () => {
    expect(() => storage().entries(3, 5, ALL)).toThrow("compacted");
    expect(() => storage().entries(4, 8, ALL)).toThrow("unavailable");
  });
});

describe("A2 the write side in memory", () => {
  it.each([
    { what: "behind the last entry", entries: entriesFrom(7, 6), expected: "4/4 5/5 6/6 6/7" },
    { what: "over the last entries, which go", entries: entriesFrom(5, 7), expected: "4/4 7/5" },
    { what: "over the same entries", entries: entriesFrom(4, 4, 5, 6), expected: "4/4 5/5 6/6" },
    { what: "from within the compacted part on", entries: entriesFrom(2, 3, 3, 4, 9), expected: "4/4 9/5" },
    { what: "within the compacted part", entries: entriesFrom(2, 3, 3), expected: "4/4 5/5 6/6" },
    { what: "nothing", entries: [], expected: "4/4 5/5 6/6" },
  ])("A2 appends $what", ({ entries, expected }) => {
    const memory = storage();
    memory.append(entries);
    expect(content(memory)).toBe(expected);
  });

  it("A2 refuses to append behind a gap", () => {
    expect(() => storage().append(entriesFrom(8, 6))).toThrow("gap");
  });

  it("A2 what was read stays as it was", () => {
    const memory = storage();
    const read = memory.entries(4, 7, ALL);
    memory.append(entriesFrom(5, 9, 9));
    memory.compact(5);
    expect(positions(read)).toBe("4/4 5/5 6/6");
  });

  it("A2 compacts up to an index, whose term it keeps", () => {
    const memory = storage();
    memory.compact(5);
    expect([memory.firstIndex(), memory.term(5), content(memory)]).toEqual([6, 5, "6/6"]);
    memory.compact(6);
    expect([memory.firstIndex(), memory.lastIndex(), memory.term(6)]).toEqual([7, 6, 6]);
    expect(() => memory.compact(6)).toThrow("compacted");
    expect(() => memory.compact(7)).toThrow("unavailable");
  });

  it("A2 a snapshot from elsewhere replaces everything; an older one is out of date", () => {
    const memory = storage();
    memory.applySnapshot(snapshotAt(9, 7));
    expect([memory.firstIndex(), memory.lastIndex(), memory.term(9)]).toEqual([10, 9, 7]);
    expect(memory.initialState().confState.voters).toEqual([1, 2, 3]);
    expect(() => memory.applySnapshot(snapshotAt(9, 7))).toThrow("snapshot-out-of-date");
  });

  it("A2 a snapshot of its own leaves the log as it is", () => {
    const memory = storage();
    const conf = { ...EMPTY_CONF_STATE, voters: [1, 2] };
    const made = memory.createSnapshot(5, conf, new Uint8Array([1]));
    expect(made.meta).toEqual({ index: 5, term: 5, confState: conf });
    expect(memory.snapshot()).toBe(made);
    expect(content(memory)).toBe("4/4 5/5 6/6");
    expect(() => memory.createSnapshot(5, conf, new Uint8Array(0))).toThrow("snapshot-out-of-date");
    expect(() => memory.createSnapshot(7, conf, new Uint8Array(0))).toThrow("unavailable");
  });

  it("A2 keeps the hard state", () => {
    const memory = storage();
    memory.setHardState({ term: 6, vote: 2, commit: 5 });
    expect(memory.initialState().hardState).toEqual({ term: 6, vote: 2, commit: 5 });
  });

  it("a copy goes its own way", () => {
    const memory = storage();
    const copy = memory.copy();
    copy.append(entriesFrom(5, 9));
    copy.setHardState({ term: 9, vote: 9, commit: 5 });
    expect(content(memory)).toBe("4/4 5/5 6/6");
    expect(content(copy)).toBe("4/4 9/5");
    expect(memory.initialState().hardState.term).toBe(0);
  });
});
