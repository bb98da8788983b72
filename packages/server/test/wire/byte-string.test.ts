import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toByteString, toByteStringPortably, toBytes, writeByteString } from "../../src/wire/byte-string.js";

const bytes = fc.uint8Array({ maxLength: 300 });

describe("strings of bytes", () => {
  it("are one character a byte, there and back", () => {
    fc.assert(
      fc.property(bytes, (original) => {
        const text = toByteString(original);
        expect(text).toHaveLength(original.length);
        expect(toBytes(text)).toEqual(original);
        expect(toByteStringPortably(original)).toBe(text);
      }),
    );
  });

  it("compare as their bytes do", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [x, y] = [toByteString(a), toByteString(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(Buffer.compare(a, b));
      }),
    );
  });

  it("may be of any length", () => {
    const long = new Uint8Array(1_500_000).map((_, i) => i * 7);
    expect(toByteStringPortably(long) === toByteString(long)).toBe(true);
    expect(Buffer.compare(toBytes(toByteString(long)), long)).toBe(0);
  });

  it("are views' own bytes, not their buffer's", () => {
    const view = Uint8Array.of(1, 2, 3, 4, 5).subarray(1, 4);
    expect(toByteString(view)).toBe("\x02\x03\x04");
    const out = new Uint8Array(5);
    writeByteString(out.subarray(1), 1, "\xff\xfe");
    expect(out).toEqual(Uint8Array.of(0, 0, 255, 254, 0));
  });
});
