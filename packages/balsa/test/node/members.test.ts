import { describe, expect, test } from "vitest";
import {
  clusterIdOf,
  decodeLibrarySection,
  encodeLibrarySection,
  firstConfState,
  firstMembers,
} from "../../src/node/members.js";

const bootstrap = {
  id: "orders",
  members: [
    { name: "b", address: "h:2" },
    { name: "a", address: "h:1" },
  ],
};

describe("members", () => {
  test("the order of the description does not matter, its content does", () => {
    const reversed = { ...bootstrap, members: bootstrap.members.toReversed() };
    expect(clusterIdOf(reversed)).toBe(clusterIdOf(bootstrap));
    expect(firstMembers(reversed)).toEqual(firstMembers(bootstrap));
    expect(clusterIdOf({ ...bootstrap, id: "other" })).not.toBe(clusterIdOf(bootstrap));
    expect(firstMembers({ ...bootstrap, id: "other" }).map((member) => member.id)).not.toEqual(
      firstMembers(bootstrap).map((member) => member.id),
    );
  });

  test("IDs look like etcd's: safe integers of 14 hexadecimal digits", () => {
    for (const id of [clusterIdOf(bootstrap), ...firstConfState(firstMembers(bootstrap)).voters]) {
      expect(Number.isSafeInteger(id)).toBe(true);
      expect(id.toString(16)).toMatch(/^1[0-9a-f]{13}$/);
    }
  });

  test("the library's section comes back as it was, and damage is found", () => {
    const members = firstMembers(bootstrap);
    const section = encodeLibrarySection(members);
    expect(decodeLibrarySection(section)).toEqual(members);
    expect(() => decodeLibrarySection(section.subarray(0, section.length - 1))).toThrow(/bytes end early|count/);
    expect(() => decodeLibrarySection(Uint8Array.of(...section, 0))).toThrow("left over");
    expect(() => decodeLibrarySection(Uint8Array.of(9))).toThrow("no known version");
  });
});
