import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCommand, encodeCommand } from "../../src/codec/command.js";
import { bytes, safeInteger } from "./arbitraries.js";
import { onlyCorrupt } from "./only-corrupt.js";

const kind = fc.constantFrom("application" as const, "library" as const);
const session = fc.option(fc.record({ session: safeInteger, sequence: safeInteger }), {
  nil: { session: undefined, sequence: undefined },
});

test("a command reads back as it was written", () => {
  fc.assert(
    fc.property(kind, session, bytes, (given, numbers, payload) => {
      const command = { kind: given, ...numbers, payload };
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }),
  );
});

test("the envelope of a plain command is two bytes", () => {
  expect([...encodeCommand({ kind: "application", payload: Uint8Array.of(7) })]).toEqual([0x11, 0, 7]);
  expect([...encodeCommand({ kind: "library", payload: Uint8Array.of(7) })]).toEqual([0x12, 0, 7]);
});

test("an encoded command keeps its bytes when others are encoded and when the caller reuses its buffer", () => {
  const payload = Uint8Array.of(1, 2, 3);
  const first = encodeCommand({ kind: "application", payload });
  payload.fill(0);
  for (let i = 0; i < 100; i++) encodeCommand({ kind: "application", payload: new Uint8Array(1000).fill(9) });
  expect([...decodeCommand(first).payload]).toEqual([1, 2, 3]);
});

test("a session without a sequence is refused, and so are numbers that are not safe integers", () => {
  const payload = new Uint8Array(0);
  const refusal = expect.objectContaining({ code: "invalid-argument" });
  expect(() => encodeCommand({ kind: "application", session: 1, payload })).toThrow(refusal);
  expect(() => encodeCommand({ kind: "application", sequence: 1, payload })).toThrow(refusal);
  expect(() => encodeCommand({ kind: "application", session: -1, sequence: 1, payload })).toThrow(refusal);
  expect(() => encodeCommand({ kind: "application", session: 1, sequence: 2 ** 53, payload })).toThrow(refusal);
  // A refusal leaves nothing behind.
  expect([...encodeCommand({ kind: "application", payload })]).toEqual([0x11, 0]);
});

test.each([
  ["nothing", []],
  ["another version", [0x21, 0]],
  ["another kind", [0x13, 0]],
  ["unknown flags", [0x11, 2]],
  ["a session cut off", [0x11, 1, 5]],
])("a command of %s is corrupt", (_name, given) => {
  expect(onlyCorrupt(() => decodeCommand(Uint8Array.from(given)))).toBe("corrupt");
});

test.each([
  ["a text", "hello"],
  ["an object", { a: 1 }],
  ["an array", [1, 2, 3]],
  ["null", null],
  ["nothing", undefined],
])("%s is no command: it is refused, and what comes after it is none the worse", (_what, payload) => {
  const wrong = { kind: "application", payload } as unknown as Parameters<typeof encodeCommand>[0];
  expect(() => encodeCommand(wrong)).toThrow(/a command is a Uint8Array/);
  expect(decodeCommand(encodeCommand({ kind: "application", payload: Uint8Array.of(7) })).payload).toEqual(
    Uint8Array.of(7),
  );
});

test("any bytes decoded as a command give one or corrupt", () => {
  fc.assert(
    fc.property(bytes, (given) => {
      onlyCorrupt(() => decodeCommand(given));
    }),
    { numRuns: 1000 },
  );
});
