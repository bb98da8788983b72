import { SECTOR_BYTES } from "./limits.js";
import type { Prng } from "./prng.js";

/**
 * What a crash leaves of what was not synced. The disk asks, for each sector, each file's size and each change of a
 * directory, in an order that depends on nothing else: all answers together name one legal state of the disk, and all
 * states can be reached. Sequences number the operations of one disk, oldest first.
 */
export interface CrashChoice {
  /** How many of these operations, oldest first, reached the disk: 0 to all. */
  keep(sequences: readonly number[]): number;
  /** How many bytes of a sector the write after those reached: 0 = none, up to `SECTOR_BYTES` - 1. */
  tear(nextSequence: number): number;
}

/** Nothing that was not synced is there: what code must at least expect. */
export const loseUnsynced: CrashChoice = { keep: () => 0, tear: () => 0 };

/** All of it is there. */
export const keepUnsynced: CrashChoice = { keep: (sequences) => sequences.length, tear: () => 0 };

/** All up to some operation, and that one torn: a disk that writes in order. */
function cutAt(cut: number, prng: Prng): CrashChoice {
  const reached = (sequence: number): boolean => sequence < cut || (sequence === cut && prng.chance(0.5));
  return {
    keep(sequences) {
      let kept = 0;
      for (const sequence of sequences) {
        if (!reached(sequence)) break;
        kept += 1;
      }
      return kept;
    },
    tear: (nextSequence) => (nextSequence === cut && prng.chance(0.25) ? prng.below(SECTOR_BYTES) : 0),
  };
}

/** Each sector, size and entry as it may be: a disk that writes in any order. */
function anyOrder(prng: Prng): CrashChoice {
  return {
    keep: (sequences) => prng.below(sequences.length + 1),
    tear: () => (prng.chance(0.125) ? prng.below(SECTOR_BYTES) : 0),
  };
}

/**
 * One of four ends, drawn. Without a choice the process alone was killed: the machine goes on, what was not synced is
 * there, and may still be lost when the power goes later; not so where it is known that the machine `lostPower`. `oldest` and `newest` are the unsynced operations.
 */
export function drawCrash(
  prng: Prng,
  oldest: number,
  newest: number,
  lostPower: boolean,
): { readonly name: string; readonly choice: CrashChoice | undefined } {
  switch (lostPower ? prng.between(1, 3) : prng.below(4)) {
    case 0:
      return { name: "killed", choice: undefined };
    case 1:
      return { name: "lost", choice: loseUnsynced };
    case 2: {
      const cut = prng.between(oldest, Math.max(oldest, newest));
      return { name: `cut:${cut}`, choice: cutAt(cut, prng) };
    }
    default:
      return { name: "any-order", choice: anyOrder(prng) };
  }
}
