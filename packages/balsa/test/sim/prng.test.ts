import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uniformBelow } from "../../src/platform/index.js";
import { Prng } from "../../src/sim/index.js";
import { TextHash } from "../../src/sim/text-hash.js";

function draws(prng: Prng, count: number): number[] {
  return Array.from({ length: count }, () => prng.uint32());
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}

describe("Prng", () => {
  test("a seed means the same numbers for ever: in every engine, on every machine", () => {
    expect(draws(new Prng(1), 4)).toEqual([2044699967, 3215477501, 2053209365, 3991579878]);
    expect(draws(new Prng("1"), 4)).toEqual(draws(new Prng(1), 4));
  });

  test("another seed gives other numbers", () => {
    const firsts = new Set(Array.from({ length: 2000 }, (_, seed) => new Prng(seed).uint32()));
    expect(firsts.size).toBeGreaterThan(1995);
  });

  test("a stream is its name's alone: what is drawn elsewhere does not move it", () => {
    const quiet = new Prng(7);
    const busy = new Prng(7);
    draws(busy, 100);
    draws(busy.stream("disk"), 5);
    expect(draws(busy.stream("network"), 5)).toEqual(draws(quiet.stream("network"), 5));
    expect(draws(quiet.stream("disk"), 5)).not.toEqual(draws(quiet.stream("network"), 5));
  });

  test("between gives both ends and nothing outside", () => {
    const prng = new Prng("between");
    const drawn = new Set(Array.from({ length: 500 }, () => prng.between(-2, 3)));
    expect(sorted([...drawn])).toEqual([-2, -1, 0, 1, 2, 3]);
  });

  test("below gives what anyone makes of the same draws who promises that no number is likelier than another", () => {
    const bounds = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 53 }),
      fc.integer({ min: 1, max: 2 ** 32 }),
      fc.nat(100).map((n) => 2 ** 31 + n - 50),
      fc.constant(3 * 2 ** 30),
    );
    fc.assert(
      fc.property(fc.array(bounds), fc.string(), (list, seed) => {
        const [prng, source] = [new Prng(seed), new Prng(seed)];
        for (const bound of list) expect(prng.below(bound)).toBe(uniformBelow(bound, () => source.uint32()));
      }),
    );
    expect(() => new Prng(1).below(0)).toThrow(/bound/);
    expect(() => new Prng(1).below(1.5)).toThrow(/bound/);
  });

  test("chance comes true about as often as it says; 0 never, 1 always", () => {
    const prng = new Prng("chance");
    const count = (probability: number): number =>
      Array.from({ length: 4000 }, () => prng.chance(probability)).filter(Boolean).length;
    expect(count(0)).toBe(0);
    expect(count(1)).toBe(4000);
    // 1,000 expected, standard deviation 27.
    expect(Math.abs(count(0.25) - 1000)).toBeLessThan(200);
  });

  test("shuffled keeps the items and leaves the original alone", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.string(), (items, seed) => {
        const before = [...items];
        const shuffled = new Prng(seed).shuffled(items);
        expect(items).toEqual(before);
        expect(sorted(shuffled)).toEqual(sorted(items));
      }),
    );
    const order = Array.from({ length: 50 }, (_, i) => i);
    expect(new Prng(1).shuffled(order)).not.toEqual(order);
  });
});

describe("TextHash", () => {
  test("depends on the text, not on how it came in pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (pieces) => {
        const [inPieces, atOnce] = [new TextHash(), new TextHash()];
        for (const piece of pieces) inPieces.update(piece);
        atOnce.update(pieces.join(""));
        expect(inPieces.hex()).toBe(atOnce.hex());
        expect(inPieces.hex()).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
  });

  test("takes four words as it takes each of them", () => {
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, word, word)), (fours) => {
        const [together, apart] = [new TextHash(), new TextHash()];
        for (const four of fours) {
          together.fourWords(...four);
          for (const one of four) apart.word(one);
        }
        expect(together.hex()).toBe(apart.hex());
      }),
    );
  });

  test("tells apart texts that differ in one place, in order or in length", () => {
    const hashes = new Set<string>();
    const texts = ["", "\0", "\0\0", "ab", "ba", "abc", "acb"];
    for (let i = 0; i < 2000; i += 1) texts.push(`line ${i}`, `${i} line`);
    for (const text of texts) {
      const hash = new TextHash();
      hash.update(text);
      hashes.add(hash.hex());
    }
    expect(hashes.size).toBe(texts.length);
  });
});
