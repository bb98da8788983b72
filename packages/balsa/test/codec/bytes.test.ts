import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../src/codec/byte-reader.js";
import { ByteWriter } from "../../src/codec/byte-writer.js";
import { bytes, safeInteger } from "./arbitraries.js";
import { onlyCorrupt } from "./only-corrupt.js";

type Op =
  | { readonly op: "u8" | "u32" | "i32" | "u64" | "varint"; readonly value: number }
  | { readonly op: "bool"; readonly value: boolean }
  | { readonly op: "bytes"; readonly value: Uint8Array }
  | { readonly op: "text"; readonly value: string };

const anyOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant("u8" as const), value: fc.nat({ max: 255 }) }),
  fc.record({ op: fc.constant("u32" as const), value: fc.nat({ max: 2 ** 32 - 1 }) }),
  fc.record({ op: fc.constant("i32" as const), value: fc.integer() }),
  fc.record({ op: fc.constantFrom("u64" as const, "varint" as const), value: safeInteger }),
  fc.record({ op: fc.constant("bool" as const), value: fc.boolean() }),
  fc.record({ op: fc.constant("bytes" as const), value: bytes }),
  fc.record({ op: fc.constant("text" as const), value: fc.string({ unit: "grapheme", maxLength: 40 }) }),
);

function write(out: ByteWriter, { op, value }: Op): void {
  switch (op) {
    case "bool":
      return out.bool(value);
    case "bytes":
      return out.bytes(value);
    case "text":
      return out.text(value);
    default:
      return out[op](value);
  }
}

function read(reader: ByteReader, { op }: Op): unknown {
  return op === "bytes" ? reader.lengthPrefixed() : reader[op]();
}

test("what a writer writes a reader reads, over pieces that share slabs and outgrow them", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyOp)), fc.integer({ min: 1, max: 600 }), (pieces, slabBytes) => {
      const out = new ByteWriter(slabBytes);
      const finished = pieces.map((ops) => {
        for (const one of ops) write(out, one);
        return out.finish();
      });
      // Only now: an earlier piece must not have been touched by a later one.
      for (const [i, ops] of pieces.entries()) {
        const reader = new ByteReader(finished[i] as Uint8Array);
        for (const one of ops) expect(read(reader, one)).toEqual(one.value);
        reader.expectEnd();
      }
    }),
  );
});

test("small pieces share one slab", () => {
  const out = new ByteWriter(64);
  out.u64(1);
  const first = out.finish();
  out.u64(2);
  expect(out.finish().buffer).toBe(first.buffer);
});

test("patches and truncations reach the current piece only", () => {
  const out = new ByteWriter(64);
  out.u32(7);
  const first = out.finish();
  const at = out.skip(4);
  out.u8(9);
  out.u8(9);
  out.truncate(5);
  out.patchU32(at, 0xdeadbeef);
  expect(new ByteReader(out.finish()).u32()).toBe(0xdeadbeef);
  expect(new ByteReader(first).u32()).toBe(7);
  expect(() => out.patchU32(0, 1)).toThrow("within the piece");
});

test.each([
  ["u32", -1],
  ["u32", 2 ** 32],
  ["i32", 2 ** 31],
  ["u64", 2 ** 53],
  ["u64", -1],
  ["varint", 2 ** 53],
  ["varint", 0.5],
  ["varint", Number.NaN],
] as const)("a writer takes no %s of %d", (method, value) => {
  const out = new ByteWriter();
  expect(() => out[method](value)).toThrow(expect.objectContaining({ code: "invariant" }));
});

test.each([
  ["a varint that does not end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ["a varint above the safe integers", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["a varint longer than its value", [0x80, 0x00]],
  ["a varint that is cut off", [0x80]],
  ["nothing", []],
])("a reader takes no varint from %s", (_name, given) => {
  expect(onlyCorrupt(() => new ByteReader(Uint8Array.from(given)).varint())).toBe("corrupt");
});

test("a reader takes no u64 above the safe integers", () => {
  const unsafe = Uint8Array.from([0, 0, 0, 0, 0, 0, 0x20, 0]);
  expect(onlyCorrupt(() => new ByteReader(unsafe).u64())).toBe("corrupt");
});

test("a count is refused when its items can't be in the bytes that are left", () => {
  const out = new ByteWriter();
  out.varint(1_000_000_000);
  out.raw(new Uint8Array(50));
  const piece = out.finish();
  expect(onlyCorrupt(() => new ByteReader(piece).count(2 ** 40, 1))).toBe("corrupt");
  expect(onlyCorrupt(() => new ByteReader(piece).count(10, 0))).toBe("corrupt");
});

test("reading any bytes gives values or corrupt, and never reads past the end", () => {
  fc.assert(
    fc.property(bytes, fc.array(anyOp, { minLength: 1 }), (given, ops) => {
      const reader = new ByteReader(given);
      onlyCorrupt(() => {
        for (const one of ops) read(reader, one);
      });
      expect(reader.position).toBeLessThanOrEqual(given.length);
    }),
  );
});

test("a reader's range lies within its bytes", () => {
  expect(onlyCorrupt(() => new ByteReader(new Uint8Array(4), 2, 5))).toBe("corrupt");
  expect(onlyCorrupt(() => new ByteReader(new Uint8Array(4), 3, 2))).toBe("corrupt");
  expect(new ByteReader(Uint8Array.from([1, 2, 3]), 1, 2).u8()).toBe(2);
});

test("text that is not UTF-8 is corrupt", () => {
  expect(onlyCorrupt(() => new ByteReader(Uint8Array.from([1, 0xff])).text())).toBe("corrupt");
});

test("a length above its limit is corrupt", () => {
  const out = new ByteWriter();
  out.text("seven..");
  const piece = out.finish();
  expect(onlyCorrupt(() => new ByteReader(piece).text(6))).toBe("corrupt");
  expect(new ByteReader(piece).text(7)).toBe("seven..");
});
