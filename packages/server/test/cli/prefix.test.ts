import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfPrefix } from "../../src/cli/kv.js";

const bytes = fc.uint8Array({ maxLength: 4 });

describe("the end of a prefix", () => {
  it("lies right behind all keys that begin with it, and before all others above", () => {
    fc.assert(
      fc.property(bytes, fc.uint8Array({ minLength: 1, maxLength: 6 }), (prefix, key) => {
        const end = endOfPrefix(prefix);
        const isOpen = end.length === 1 && end[0] === 0;
        const inside = Buffer.compare(key, prefix) >= 0 && (isOpen || Buffer.compare(key, end) < 0);
        expect(inside).toBe(Buffer.from(key).subarray(0, prefix.length).equals(prefix));
      }),
      { numRuns: 2_000 },
    );
  });

  it("of nothing, or of the very last bytes, is open", () => {
    expect(endOfPrefix(new Uint8Array(0))).toEqual(Uint8Array.of(0));
    expect(endOfPrefix(Uint8Array.of(255, 255))).toEqual(Uint8Array.of(0));
    expect(endOfPrefix(Uint8Array.of(1, 255))).toEqual(Uint8Array.of(2));
  });
});
