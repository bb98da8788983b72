import { randomFillSync } from "node:crypto";
import { invariant } from "../../core/index.js";
import type { Random } from "../index.js";

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/** Drawn ahead, since one call into the generator costs as much as thousands of its bytes. */
const pool = new Uint32Array(1024);
let poolNext = pool.length;

function drawUint32(): number {
  if (poolNext === pool.length) {
    randomFillSync(pool);
    poolNext = 0;
  }
  const drawn = pool[poolNext];
  invariant(drawn !== undefined, "the pool of random numbers holds what was drawn ahead");
  poolNext += 1;
  return drawn;
}

/** The operating system's randomness. */
export const nodeRandom: Random = {
  below(bound: number): number {
    invariant(Number.isInteger(bound) && bound >= 1 && bound <= TWO_53, "the bound must be an integer in [1, 2^53]");
    const range = bound <= TWO_32 ? TWO_32 : TWO_53;
    // The last, incomplete stretch of `bound` numbers is drawn again: no remainder is likelier than another.
    const limit = range - (range % bound);
    for (;;) {
      const drawn = range === TWO_32 ? drawUint32() : (drawUint32() & 0x1f_ffff) * TWO_32 + drawUint32();
      if (drawn < limit) return drawn % bound;
    }
  },
};
