import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeUtf8, encodeUtf8 } from "../../src/codec/utf8.js";
import { onlyCorrupt } from "./only-corrupt.js";

/** Short and long ones, ASCII alone or not, with lone surrogates among them. */
const text = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
);

test("text becomes the bytes that the platform's encoder makes of it, whatever its length", () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(Array.from(encodeUtf8(value))).toEqual(Array.from(new TextEncoder().encode(value)));
    }),
  );
});

test("text that is well formed comes back, and bytes that are none are refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (value) => {
      expect(decodeUtf8(encodeUtf8(value))).toBe(value);
    }),
  );
  expect(onlyCorrupt(() => decodeUtf8(Uint8Array.of(0x61, 0xff)))).toBe("corrupt");
});
