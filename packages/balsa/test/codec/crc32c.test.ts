import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "../../src/codec/crc32c.js";
import { encodeUtf8 } from "../../src/codec/utf8.js";
import { slowCrc32c } from "./slow-crc32c.js";

const whole = (bytes: Uint8Array): number => crc32c(bytes, 0, bytes.length, 0) >>> 0;

// RFC 3720 (iSCSI), appendix B.4.
test.each([
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 rising bytes", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["32 falling bytes", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["the digits 1 to 9", encodeUtf8("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
])("crc32c of %s is the published one", (_name, bytes, expected) => {
  expect(whole(bytes)).toBe(expected);
});

test("crc32c of any range equals the bit-by-bit definition", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const start = a % (bytes.length + 1);
      const end = start + (b % (bytes.length - start + 1));
      expect(crc32c(bytes, start, end, 0) >>> 0).toBe(slowCrc32c(bytes.subarray(start, end)));
    }),
  );
});

test("crc32c continues from the result for what came before", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, a) => {
      const cut = a % (bytes.length + 1);
      const first = crc32c(bytes, 0, cut, 0);
      expect(crc32c(bytes, cut, bytes.length, first) >>> 0).toBe(whole(bytes));
    }),
  );
});

test("crc32c is an int32", () => {
  const crc = crc32c(encodeUtf8("123456789"), 0, 9, 0);
  expect(crc).toBe(crc | 0);
  expect(crc).toBeLessThan(0);
});
