import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyVersion } from "../../src/mvcc/key-version.js";

function chain(modRevisions: readonly number[]): KeyVersion | undefined {
  let newest: KeyVersion | undefined;
  for (const [i, modRevision] of modRevisions.entries()) {
    const write = { key: "k", value: "", lease: 0n, createRevision: 1, modRevision, sub: 0, version: i + 1 };
    newest = new KeyVersion(write, newest);
  }
  return newest;
}

function byWalking(newest: KeyVersion | undefined, revision: number): KeyVersion | undefined {
  let at = newest;
  while (at !== undefined && at.modRevision > revision) at = at.previous;
  return at;
}

describe("versions of a key", () => {
  it("the newest at or before a revision is found, as by walking", () => {
    const histories = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(histories, fc.integer({ min: -1, max: 200 }), (steps, revision) => {
        let at = 1;
        const newest = chain(steps.map((step) => (at += step)));
        expect(newest?.asOf(revision)).toBe(byWalking(newest, revision));
      }),
    );
  });

  it("among 100,000 versions any is found in steps that grow with the logarithm", () => {
    const count = 100_000;
    const newest = chain(Array.from({ length: count }, (_, i) => i + 1));
    let steps = 0;
    for (const revision of [1, 2, 777, 50_000, 99_999, count]) {
      let at: KeyVersion | undefined = newest;
      // The same links that asOf follows, counted.
      while (at !== undefined && at.modRevision > revision) {
        const { jump } = at as unknown as { jump: KeyVersion | undefined };
        at = jump !== undefined && jump.modRevision > revision ? jump : at.previous;
        steps++;
      }
      expect(at).toBe(newest?.asOf(revision));
      expect(at?.modRevision).toBe(revision);
    }
    expect(steps).toBeLessThan(6 * 3 * Math.ceil(Math.log2(count)));
  });
});
