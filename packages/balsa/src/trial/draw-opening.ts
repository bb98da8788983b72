import type { Prng } from "../sim/index.js";
import type { Profile } from "./profile.js";
import type { FaultStep } from "./scenario.js";

/**
 * How some scenarios begin: one of three first members hears of the first leader and then of nobody; another loses its
 * disk, and the machine of the third fails, so that the one that was late is the only one to say whether the one that lost
 * its disk was ever known. Faults that come at any time hardly ever meet within those few milliseconds, and once a
 * member's record is in all logs they are harmless.
 */
export function drawOpening(prng: Prng, { openingChance = 0 }: Profile, members: number): readonly FaultStep[] {
  if (members !== 3 || !prng.chance(openingChance)) return [];
  const [late, lost, third] = prng.shuffled([0, 1, 2]) as [number, number, number];
  // The first leader's own entry comes through in half a millisecond; the record of whom it knows takes another round.
  const delayUs = prng.between(300, 3_000);
  const lostAtMs = prng.between(2_500, 4_500);
  return [
    {
      kind: "fault",
      atMs: 0,
      fault: { kind: "isolate", target: late, forMs: prng.between(1_500, 5_000) },
      on: { mark: "elections won", delayUs },
    },
    { kind: "fault", atMs: lostAtMs, fault: { kind: "wipe", target: lost, forMs: prng.between(50, 500) } },
    {
      kind: "fault",
      atMs: lostAtMs + prng.between(1, 40),
      fault: { kind: "crash", target: third, disk: "drawn", forMs: prng.between(4_000, 9_000) },
    },
  ];
}
