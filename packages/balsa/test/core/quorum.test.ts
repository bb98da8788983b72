import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jointCommittedIndex, jointVoteResult } from "../../src/core/joint-quorum.js";
import type { AcknowledgedIndexes } from "../../src/core/majority-quorum.js";
import { majorityCommittedIndex, majorityVoteResult } from "../../src/core/majority-quorum.js";

class Indexes implements AcknowledgedIndexes {
  private readonly byId: ReadonlyMap<number, number>;

  constructor(byId: Iterable<readonly [number, number]>) {
    this.byId = new Map(byId);
  }

  acknowledgedIndex(id: number): number {
    return this.byId.get(id) ?? 0;
  }
}

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 });
const indexes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 })))
  .map((pairs) => new Indexes(pairs));
const votes = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { selector: ([id]) => id })
  .map((pairs) => ({
    granted: pairs.filter(([, yes]) => yes).map(([id]) => id),
    rejected: pairs.filter(([, yes]) => !yes).map(([id]) => id),
  }));

/** All subsets that are more than half. */
function majorities(ids: readonly number[]): number[][] {
  const subsets = ids.reduce<number[][]>((sets, id) => [...sets, ...sets.map((set) => [...set, id])], [[]]);
  return subsets.filter((set) => set.length * 2 > ids.length);
}

/** By definition: the largest index that all members of some majority have reached. */
function definedIndex(ids: readonly number[], acked: Indexes): number {
  if (ids.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(...majorities(ids).map((set) => Math.min(...set.map((id) => acked.acknowledgedIndex(id)))));
}

/** By definition: won if some majority granted, lost if none can any more. */
function definedVote(ids: readonly number[], granted: readonly number[], rejected: readonly number[]): string {
  if (ids.length === 0) return "won";
  if (majorities(ids).some((set) => set.every((id) => granted.includes(id)))) return "won";
  return majorities(ids).some((set) => !set.some((id) => rejected.includes(id))) ? "pending" : "lost";
}

describe("E2 majorities", () => {
  it("E2 the committed index is the largest that some majority has reached", () => {
    fc.assert(
      fc.property(voters, indexes, (ids, acked) => {
        expect(majorityCommittedIndex(ids, acked)).toBe(definedIndex(ids, acked));
      }),
    );
  });

  it("E2 a vote is won with a majority's grants, lost when none can come about, pending in between", () => {
    fc.assert(
      fc.property(voters, votes, (ids, { granted, rejected }) => {
        expect(majorityVoteResult(ids, granted, rejected)).toBe(definedVote(ids, granted, rejected));
      }),
    );
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])("E2 of %i voters it takes %i, so that two majorities always share one", (size, needed) => {
    const ids = Array.from({ length: size }, (_, i) => i + 1);
    const reached = (count: number): Indexes => new Indexes(ids.slice(0, count).map((id) => [id, 7]));
    expect(majorityCommittedIndex(ids, reached(needed))).toBe(7);
    expect(majorityCommittedIndex(ids, reached(needed - 1))).toBe(0);
  });

  it("E2 the empty majority commits everything and wins every vote", () => {
    expect(majorityCommittedIndex([], new Indexes([]))).toBe(Number.POSITIVE_INFINITY);
    expect(majorityVoteResult([], [], [1, 2])).toBe("won");
  });
});

describe("E2 joint majorities", () => {
  it("E2 both halves must agree", () => {
    fc.assert(
      fc.property(voters, voters, indexes, votes, (incoming, outgoing, acked, { granted, rejected }) => {
        const halves = { voters: incoming, votersOutgoing: outgoing };
        expect(jointCommittedIndex(halves, acked)).toBe(
          Math.min(definedIndex(incoming, acked), definedIndex(outgoing, acked)),
        );
        const results = [definedVote(incoming, granted, rejected), definedVote(outgoing, granted, rejected)];
        const joint = results.includes("lost") ? "lost" : results.includes("pending") ? "pending" : "won";
        expect(jointVoteResult(halves, granted, rejected)).toBe(joint);
      }),
    );
  });
});
