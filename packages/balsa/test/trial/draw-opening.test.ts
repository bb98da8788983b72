import { expect, test } from "vitest";
import { Prng } from "../../src/sim/index.js";
import { drawOpening } from "../../src/trial/draw-opening.js";
import { profiles } from "../../src/trial/index.js";

const members = profiles.get("members")!;
const opening = (
  seed: number,
  of: number,
  profile = { ...members, openingChance: 1 },
): ReturnType<typeof drawOpening> => drawOpening(new Prng(String(seed)), profile, of);

test("F1 of three first members one is late, the next loses its disk, and the third fails right after", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const steps = opening(seed, 3);
    expect(steps).toHaveLength(3);
    const [late, lost, third] = steps;
    expect(late).toMatchObject({ atMs: 0, fault: { kind: "isolate" }, on: { mark: "elections won" } });
    expect(lost?.fault.kind).toBe("wipe");
    expect(third?.fault.kind).toBe("crash");
    const targets = steps.map(({ fault }) => ("target" in fault ? fault.target : undefined));
    expect(new Set(targets)).toEqual(new Set([0, 1, 2]));
    expect(third!.atMs).toBeGreaterThan(lost!.atMs);
    expect(third!.atMs - lost!.atMs).toBeLessThan(50);
  }
});

test("with more members others know; and where it is not asked for, there is none", () => {
  expect(opening(1, 5)).toEqual([]);
  expect(opening(1, 3, { ...profiles.get("default")!, openingChance: 0 })).toEqual([]);
  expect(drawOpening(new Prng("1"), profiles.get("default")!, 3)).toEqual([]);
});
