import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IntervalSet } from "../../src/mvcc/interval-set.js";

const texts = fc.string({ unit: fc.constantFrom("\0", "a", "b"), maxLength: 3 });
const intervals = fc.record({ from: texts, to: texts });

describe("a set of intervals", () => {
  it("has what any of them covers, however additions and questions alternate", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(intervals, texts)), (steps) => {
        const set = new IntervalSet();
        const added: { from: string; to: string }[] = [];
        for (const step of steps) {
          if (typeof step === "string") {
            expect(set.has(step)).toBe(added.some(({ from, to }) => from <= step && step < to));
          } else {
            set.add(step);
            added.push(step);
          }
        }
      }),
    );
  });

  it("takes over those of another", () => {
    const set = new IntervalSet();
    const other = new IntervalSet();
    set.add({ from: "a", to: "c" });
    expect(set.has("x")).toBe(false);
    other.add({ from: "x", to: "z" });
    expect(other.has("x")).toBe(true);
    set.addAll(other);
    expect(["a", "bb", "c", "x", "z"].map((key) => set.has(key))).toEqual([true, true, false, true, false]);
  });
});
