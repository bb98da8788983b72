import fc from "fast-check";
import { expect, test } from "vitest";
import { deriveId } from "../../src/codec/derive-id.js";

test("a derived ID is a safe integer in [2^52, 2^53), the same each time", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const id = deriveId(text);
      expect(Number.isSafeInteger(id)).toBe(true);
      expect(id).toBeGreaterThanOrEqual(2 ** 52);
      expect(id).toBeLessThan(2 ** 53);
      expect(deriveId(text)).toBe(id);
    }),
  );
});

test("derived IDs are FNV-1a's, folded: they must not change between versions", () => {
  // FNV-1a (64 bits) of "" is cbf29ce484222325 and of "foobar" 85944171f73967e8, as published.
  expect(deriveId("")).toBe(2 ** 52 + Number(0xcbfn ^ 0x29ce484222325n));
  expect(deriveId("foobar")).toBe(2 ** 52 + Number(0x859n ^ 0x44171f73967e8n));
});

test("members that differ by a digit of their address get IDs of their own", () => {
  const ids = new Set<number>();
  for (let port = 0; port < 65_536; port++) ids.add(deriveId(`orders a 127.0.0.1:${port}`));
  expect(ids.size).toBe(65_536);
});
