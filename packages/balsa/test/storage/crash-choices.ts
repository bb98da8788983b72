import { type CrashChoice, type Prng, type SimDisk } from "../../src/sim/index.js";

const SECTOR_BYTES = 512;

/**
 * Every state that a crash may leave of a disk, each sector whole: old, or as one of the writes that touched it made it.
 * @returns undefined if there are more than `limit`
 */
export function everyCrash(disk: SimDisk, limit: number): readonly SimDisk[] | undefined {
  const found: SimDisk[] = [];
  // The answers as digits, each with its base: counted up like an odometer.
  let digits: number[] = [];
  for (;;) {
    if (found.length === limit) return undefined;
    const bases: number[] = [];
    found.push(
      crashed(disk, {
        keep(sequences) {
          bases.push(sequences.length + 1);
          return digits[bases.length - 1] ?? 0;
        },
        tear: () => 0,
      }),
    );
    digits = bases.map((_, at) => digits[at] ?? 0);
    while (digits.length > 0 && digits.at(-1) === (bases[digits.length - 1] ?? 0) - 1) digits.pop();
    const last = digits.pop();
    if (last === undefined) return found;
    digits.push(last + 1);
  }
}

/** A disk as a crash leaves it; the one that is given stays as it is. */
export function crashed(disk: SimDisk, choice: CrashChoice): SimDisk {
  const fork = forked(disk);
  fork.crash(choice);
  return fork;
}

/** A fork with as much room. */
export function forked(disk: SimDisk): SimDisk {
  const fork = disk.fork();
  fork.capacityBytes = disk.capacityBytes;
  return fork;
}

/** One of the states that a crash may leave: of a disk that writes in order, or in any, whole sectors or torn ones. */
export function drawCrash(prng: Prng, disk: SimDisk): CrashChoice {
  const tearOdds = prng.pick([0, 0.25, 1]);
  const tear = (): number => (prng.chance(tearOdds) ? prng.below(SECTOR_BYTES) : 0);
  const range = disk.unsyncedRange();
  if (range === undefined || prng.chance(0.5)) return { keep: (sequences) => prng.below(sequences.length + 1), tear };
  // Up to one operation, which itself may have been on its way.
  const cut = prng.between(range.oldest, range.newest);
  return {
    keep(sequences) {
      const rest = sequences.findIndex((sequence) => sequence > cut || (sequence === cut && prng.chance(0.5)));
      return rest === -1 ? sequences.length : rest;
    },
    tear: (next) => (next <= cut ? tear() : 0),
  };
}
