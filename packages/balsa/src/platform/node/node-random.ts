import { randomFillSync } from "node:crypto";
import { invariant } from "../../core/index.js";
import type { Random } from "../index.js";
import { uniformBelow } from "../index.js";

/** Drawn ahead, since one call into the generator costs as much as hundreds of its bytes. */
const pool = new Uint32Array(256);
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
export const nodeRandom: Random = { below: (bound: number): number => uniformBelow(bound, drawUint32) };
