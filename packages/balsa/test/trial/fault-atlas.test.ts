import { expect, test } from "vitest";
import { type Damageable, mayRot } from "../../src/trial/fault-atlas.js";

const sound = { isRotten: false, record: { hasLostDisk: false, hasTakenPart: true } };
const rotten = { ...sound, isRotten: true };

/** How many more of so many members may be damaged, one after the other. */
function mayStill(members: Damageable[]): number {
  let count = 0;
  for (const [at, member] of members.entries()) {
    if (!mayRot(member, members)) continue;
    members[at] = { ...member, isRotten: true };
    count += 1;
  }
  return count;
}

test.each([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [5, 2],
  [7, 3],
])("of %i members the disks of %i are damaged at a time: a majority stays whole", (size, most) => {
  expect(mayStill(Array.from({ length: size }, () => sound))).toBe(most);
});

test("none twice, and none while a disk is lost, or while one has never taken part", () => {
  expect(mayRot(rotten, [rotten, sound, sound, sound, sound])).toBe(false);
  const lost = { isRotten: false, record: { hasLostDisk: true, hasTakenPart: true } };
  expect(mayRot(sound, [sound, lost, sound, sound, sound])).toBe(false);
  const fresh = { isRotten: false, record: { hasLostDisk: false, hasTakenPart: false } };
  expect(mayRot(sound, [sound, fresh, sound, sound, sound])).toBe(false);
});
