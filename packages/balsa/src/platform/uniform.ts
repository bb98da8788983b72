import { invariant } from "../core/index.js";

const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;

/** 53 bits from a source of 32 at a time. */
function draw53(drawUint32: () => number): number {
  const high = drawUint32() & 0x1f_ffff;
  return high * TWO_32 + drawUint32();
}

/** What `Random.below` promises, made from a source of uniform integers in [0, 2^32). */
export function uniformBelow(bound: number, drawUint32: () => number): number {
  invariant(Number.isInteger(bound) && bound >= 1 && bound <= TWO_53, "the bound must be an integer in [1, 2^53]");
  const range = bound <= TWO_32 ? TWO_32 : TWO_53;
  // The last, incomplete stretch of `bound` numbers is drawn again: no remainder is likelier than another.
  const limit = range - (range % bound);
  for (;;) {
    const drawn = range === TWO_32 ? drawUint32() : draw53(drawUint32);
    if (drawn < limit) return drawn % bound;
  }
}
