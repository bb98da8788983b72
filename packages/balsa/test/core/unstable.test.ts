import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/core/index.js";
import { Unstable } from "../../src/core/unstable.js";
import { entriesFrom, positions, snapshotAt } from "./entries.js";

/** Entries from 5 on, of which none was handed out. */
function unstable(...terms: number[]): Unstable {
  const tail = new Unstable(5);
  if (terms.length > 0) tail.truncateAndAppend(entriesFrom(5, ...terms));
  return tail;
}

function content(tail: Unstable): string {
  return positions(tail.slice(tail.offset, tail.offset + tail.length));
}

describe("A3 what is known of the log", () => {
  it("A3 nothing, of an empty tail", () => {
    const tail = unstable();
    expect([tail.firstIndex(), tail.lastIndex(), tail.term(4), tail.term(5)]).toEqual([0, 0, 0, 0]);
  });

  it("A3 the last index and the terms, of entries", () => {
    const tail = unstable(1, 2);
    expect([tail.firstIndex(), tail.lastIndex()]).toEqual([0, 6]);
    expect([4, 5, 6, 7].map((i) => tail.term(i))).toEqual([0, 1, 2, 0]);
  });

  it("A3 the first index, and the term at its own, of a snapshot", () => {
    const tail = unstable();
    tail.restore(snapshotAt(8, 3));
    expect([tail.firstIndex(), tail.lastIndex(), tail.term(8), tail.term(7), tail.term(9)]).toEqual([9, 8, 3, 0, 0]);
    tail.truncateAndAppend(entriesFrom(9, 3, 4));
    expect([tail.firstIndex(), tail.lastIndex(), tail.term(8), tail.term(10)]).toEqual([9, 10, 3, 4]);
  });
});

describe("A3 handing out to storage", () => {
  it("A3 nothing is handed out twice", () => {
    const tail = unstable(1, 1);
    expect(positions(tail.nextEntries())).toBe("1/5 1/6");
    tail.acceptInProgress();
    expect(tail.nextEntries()).toEqual([]);
    expect(tail.hasNextEntries()).toBe(false);
    tail.truncateAndAppend(entriesFrom(7, 1));
    expect(positions(tail.nextEntries())).toBe("1/7");
  });

  it("A3 a truncation below what was handed out pulls the mark back", () => {
    const tail = unstable(1, 1, 1);
    tail.acceptInProgress();
    tail.truncateAndAppend(entriesFrom(6, 2));
    expect(positions(tail.nextEntries())).toBe("2/6");
    tail.acceptInProgress();
    tail.truncateAndAppend(entriesFrom(4, 3));
    expect(positions(tail.nextEntries())).toBe("3/4");
  });

  it("A3 a snapshot is handed out once", () => {
    const tail = unstable();
    const snapshot = snapshotAt(8, 3);
    tail.restore(snapshot);
    expect(tail.nextSnapshot()).toBe(snapshot);
    tail.acceptInProgress();
    expect(tail.nextSnapshot()).toBeUndefined();
    tail.stableSnapshotTo(7);
    expect(tail.snapshot).toBe(snapshot);
    tail.stableSnapshotTo(8);
    expect(tail.snapshot).toBeUndefined();
    tail.stableSnapshotTo(8);
  });
});

describe("A3 acknowledged writes", () => {
  it.each([
    { what: "all of it", index: 7, term: 2, left: "" },
    { what: "a part", index: 6, term: 1, left: "2/7" },
    { what: "another term's entry: ignored", index: 6, term: 2, left: "1/5 1/6 2/7" },
    { what: "what is stable already: ignored", index: 4, term: 1, left: "1/5 1/6 2/7" },
    { what: "what is not there: ignored", index: 8, term: 2, left: "1/5 1/6 2/7" },
  ])("A3 $what", ({ index, term, left }) => {
    const tail = unstable(1, 1, 2);
    tail.acceptInProgress();
    tail.stableTo(index, term);
    expect(content(tail)).toBe(left);
    expect(tail.offset + tail.length).toBe(8);
    expect(tail.hasNextEntries()).toBe(false);
  });
});

describe("A3 truncate and append", () => {
  it.each([
    { what: "extends", from: 7, expected: "1/5 1/6 9/7" },
    { what: "overlaps", from: 6, expected: "1/5 9/6" },
    { what: "replaces all", from: 5, expected: "9/5" },
    { what: "replaces all and goes below", from: 3, expected: "9/3" },
  ])("A3 $what", ({ from, expected }) => {
    const tail = unstable(1, 1);
    tail.truncateAndAppend(entriesFrom(from, 9));
    expect(content(tail)).toBe(expected);
  });

  it("A3 refuses a gap", () => {
    expect(() => unstable(1, 1).truncateAndAppend(entriesFrom(8, 1))).toThrow("gap");
  });

  it("A4 a slice out of bounds is fatal", () => {
    expect(() => unstable(1).slice(4, 6)).toThrow("within");
    expect(() => unstable(1).slice(5, 7)).toThrow("within");
  });
});

it("A3 does what a plain list does, and never touches a slice it handed out", () => {
  const operation = fc.oneof(
    fc.record({ op: fc.constant("append" as const), back: fc.nat(4), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ op: fc.constant("accept" as const) }),
    fc.record({ op: fc.constant("stable" as const), place: fc.nat(8), otherTerm: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50 }), (operations) => {
      const tail = new Unstable(10);
      let model: Entry[] = [];
      let offset = 10;
      let handedOut = 10;
      let term = 1;
      const slices: { readonly slice: readonly Entry[]; readonly text: string }[] = [];
      for (const operation of operations) {
        if (operation.op === "append") {
          const from = Math.max(1, offset + model.length - operation.back);
          if (operation.back > 0) term++;
          const entries = entriesFrom(from, ...new Array<number>(operation.count).fill(term));
          tail.truncateAndAppend(entries);
          if (from <= offset) {
            offset = from;
            model = [];
          } else model = model.slice(0, from - offset);
          handedOut = Math.min(handedOut, from);
          model = [...model, ...entries];
        } else if (operation.op === "accept") {
          tail.acceptInProgress();
          handedOut = offset + model.length;
        } else if (model.length > 0) {
          const known = model[operation.place % model.length] as Entry;
          tail.stableTo(known.index, operation.otherTerm ? known.term + 1 : known.term);
          if (!operation.otherTerm) {
            model = model.slice(known.index + 1 - offset);
            offset = known.index + 1;
            handedOut = Math.max(handedOut, offset);
          }
        }
        expect(tail.offset).toBe(offset);
        expect(content(tail)).toBe(positions(model));
        expect(positions(tail.nextEntries())).toBe(positions(model.slice(handedOut - offset)));
        const slice = tail.slice(tail.offset, tail.offset + tail.length);
        slices.push({ slice, text: positions(slice) });
      }
      for (const { slice, text } of slices) expect(positions(slice)).toBe(text);
    }),
  );
});

it("A3 memory is given back when less than half of it is in use", () => {
  const tail = unstable(...new Array<number>(100).fill(1));
  const held = (): number => (tail as unknown as { entries: Entry[] }).entries.length;
  tail.stableTo(5 + 39, 1);
  expect(held()).toBe(100);
  tail.stableTo(5 + 59, 1);
  expect(held()).toBe(40);
  tail.stableTo(5 + 99, 1);
  expect(held()).toBe(0);
});
