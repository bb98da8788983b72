import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../src/codec/index.js";
import { clusterIdOf, firstConfiguration } from "../../src/node/bootstrap.js";
import { decodeLibrarySection, encodeLibrarySection } from "../../src/node/configuration.js";

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
    expect(firstConfiguration(reversed)).toEqual(firstConfiguration(bootstrap));
    expect(clusterIdOf({ ...bootstrap, id: "other" })).not.toBe(clusterIdOf(bootstrap));
    expect(firstConfiguration({ ...bootstrap, id: "other" }).confState.voters).not.toEqual(
      firstConfiguration(bootstrap).confState.voters,
    );
  });

  test("IDs look like etcd's: safe integers of 14 hexadecimal digits", () => {
    for (const id of [clusterIdOf(bootstrap), ...firstConfiguration(bootstrap).confState.voters]) {
      expect(Number.isSafeInteger(id)).toBe(true);
      expect(id.toString(16)).toMatch(/^1[0-9a-f]{13}$/);
    }
  });

  test("the library's section comes back as it was, and damage is found", () => {
    const first = firstConfiguration(bootstrap);
    const members = first.members.map((member, i) => ({ ...member, incarnation: 1 + i, promote: i === 0 }));
    const configuration = { ...first, members, removed: [2 ** 52 + 1, 2 ** 52 + 2] };
    const section = encodeLibrarySection(configuration);
    const decodeSection = (bytes: Uint8Array) => decodeLibrarySection(bytes, first.confState);
    expect(decodeSection(section)).toEqual(configuration);
    expect(() => decodeSection(section.subarray(0, section.length - 1))).toThrow(/bytes end early|count/);
    expect(() => decodeSection(Uint8Array.of(...section, 0))).toThrow("left over");
    expect(() => decodeSection(Uint8Array.of(9))).toThrow("no known version");
  });

  test("a section of the first version is read: nothing is known of incarnations", () => {
    const { members, confState } = firstConfiguration(bootstrap);
    const out = new ByteWriter();
    out.u8(1);
    out.varint(members.length);
    for (const { id, name, address } of members) {
      out.u64(id);
      out.text(name);
      out.text(address);
    }
    expect(decodeLibrarySection(out.finish(), confState)).toEqual({ confState, members, removed: [] });
  });
});
