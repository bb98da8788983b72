import { invariant } from "../core/index.js";
import type { Random } from "../platform/index.js";
import { uniformBelow } from "../platform/index.js";
import { TextHash } from "./text-hash.js";

const TWO_32 = 2 ** 32;

/**
 * The simulator's only source of chance: xoshiro128** (Blackman and Vigna), in 32-bit integer arithmetic, so that a
 * seed means the same in every engine.
 */
export class Prng implements Random {
  readonly #seed: string;
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;
  readonly #draw = (): number => this.uint32();

  constructor(seed: number | string) {
    this.#seed = String(seed);
    const hash = new TextHash();
    hash.update(this.#seed);
    const words = hash.words();
    this.#s0 = words[0] | 0;
    this.#s1 = words[1] | 0;
    this.#s2 = words[2] | 0;
    // All zero is the one state that the generator never leaves.
    this.#s3 = words[3] | 0 || 1;
  }

  /** A generator of its own for `name`: what is drawn from one stream moves no other. */
  stream(name: string): Prng {
    return new Prng(`${this.#seed}/${name}`);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const scrambled = Math.imul(this.#s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= this.#s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= shifted;
    this.#s3 = (this.#s3 << 11) | (this.#s3 >>> 21);
    return result >>> 0;
  }

  /** As `uniformBelow` draws. Nearly always the first draw will do, and then all is 32-bit integers: no `fmod`. */
  below(bound: number): number {
    if (!(Number.isInteger(bound) && bound >= 1 && bound < TWO_32)) return uniformBelow(bound, this.#draw);
    for (;;) {
      const drawn = this.uint32();
      // The last, incomplete stretch of `bound` numbers begins somewhere in the last `bound` of all.
      if (drawn <= TWO_32 - bound || drawn < TWO_32 - (TWO_32 % bound)) return ((drawn >>> 0) % (bound >>> 0)) >>> 0;
    }
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability, in steps of 2^-32. */
  chance(probability: number): boolean {
    return this.uint32() < probability * 0x1_0000_0000;
  }

  pick<Item>(items: readonly Item[]): Item {
    invariant(items.length > 0, "there must be something to pick from");
    return items[this.below(items.length)] as Item;
  }

  /** A copy in an order of its own. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = this.below(i + 1);
      const item = order[i] as Item;
      order[i] = order[j] as Item;
      order[j] = item;
    }
    return order;
  }
}
