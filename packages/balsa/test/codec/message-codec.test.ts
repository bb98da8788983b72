import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../src/codec/byte-reader.js";
import { ByteWriter } from "../../src/codec/byte-writer.js";
import { MESSAGE_ENTRIES_MAX, MESSAGES_MAX } from "../../src/codec/limits.js";
import { type Ends, readMessages, writeMessages } from "../../src/codec/message-codec.js";
import type { AppendMessage, Entry, PeerMessage } from "../../src/core/index.js";
import { bytes, damage, message, quietAppend } from "./arbitraries.js";
import { onlyCorrupt } from "./only-corrupt.js";

const GROUP = 5;

interface Encoded {
  readonly piece: Uint8Array;
  readonly recordsAt: number;
}

function encode(messages: readonly PeerMessage[], ends?: Ends): Encoded {
  const out = new ByteWriter(64);
  const recordsAt = writeMessages(out, GROUP, messages, ends);
  return { piece: out.finish(), recordsAt };
}

function decode(piece: Uint8Array, recordsAt: number, group: number = GROUP, ends?: Ends): readonly PeerMessage[] {
  return readMessages(new ByteReader(piece, 0, recordsAt), new ByteReader(piece, recordsAt), group, ends);
}

const entryAt = (index: number, term: number): Entry => ({
  type: "normal",
  term,
  index,
  data: Uint8Array.of(index),
  checksum: 0,
});

const appendOf = (entries: readonly Entry[], prevIndex: number, prevTerm: number, term: number): AppendMessage => ({
  type: "append",
  from: 1,
  to: 2,
  term,
  prevIndex,
  prevTerm,
  entries,
  commit: 0,
  quiet: false,
});

test("messages of every kind, any number together, read back as they were written", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const { piece, recordsAt } = encode(messages);
      expect(decode(piece, recordsAt)).toEqual(messages);
    }),
    { numRuns: 500 },
  );
});

test("with short heads, too, and whom one is from is said only of what is passed on", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.boolean(), (messages, arePassedOn) => {
      const ends = { from: 2 ** 52 + 1, to: 2 ** 52 + 2, knowQuiet: false };
      const sent = messages.map((one) => ({ ...one, to: ends.to, from: arePassedOn ? one.from : ends.from }));
      const { piece, recordsAt } = encode(sent, ends);
      expect(decode(piece, recordsAt, GROUP, ends)).toEqual(sent);
      if (!arePassedOn) expect(encode(sent).recordsAt - recordsAt).toBe(16 * sent.length);
    }),
    { numRuns: 500 },
  );
});

test("an append is quiet for those who know what that is, and is like any other for those who don't", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, quietAppend), { maxLength: 8 }), (messages) => {
      const ends = { from: 2 ** 52 + 1, to: 2 ** 52 + 2, knowQuiet: true };
      const sent = messages.map((one) => ({ ...one, ...{ from: ends.from, to: ends.to } }));
      const unmarked = sent.map((one) => (one.type === "append" ? { ...one, quiet: false } : one));
      const present = encode(sent, ends);
      expect(decode(present.piece, present.recordsAt, GROUP, ends)).toEqual(sent);
      for (const earlier of [undefined, { ...ends, knowQuiet: false }]) {
        const { piece, recordsAt } = encode(sent, earlier);
        expect(decode(piece, recordsAt, GROUP, earlier)).toEqual(unmarked);
        expect(piece).toEqual(encode(unmarked, earlier).piece);
      }
    }),
    { numRuns: 500 },
  );
});

test("a quiet append that was not agreed on is corrupt, and one with entries is not written", () => {
  const ends = { from: 1, to: 2, knowQuiet: true };
  const quiet = { ...appendOf([], 3, 2, 3), quiet: true };
  const { piece, recordsAt } = encode([quiet], ends);
  expect(decode(piece, recordsAt, GROUP, ends)).toEqual([quiet]);
  for (const earlier of [undefined, { ...ends, knowQuiet: false }]) {
    expect(onlyCorrupt(() => decode(piece, recordsAt, GROUP, earlier))).toBe("corrupt");
  }
  expect(() => encode([{ ...appendOf([entryAt(4, 2)], 3, 2, 3), quiet: true }], ends)).toThrow("is to be answered");
});

test("every kind of message is among those that are checked", () => {
  const seen = new Set(fc.sample(message, 2000).map(({ type }) => type));
  expect(seen.size).toBe(14);
});

test("writing seals the entries, so that they are encoded once", () => {
  const entry = entryAt(1, 1);
  encode([appendOf([entry], 0, 0, 1)]);
  expect(entry.checksum).not.toBe(0);
});

test("the same entries for one follower after the other, in part and in whole, come out right each time", () => {
  const all = [entryAt(11, 2), entryAt(12, 2), entryAt(13, 3), entryAt(14, 3)];
  const ranges = [
    [0, 4],
    [0, 4],
    [0, 3],
    [1, 4],
    [0, 4],
    [3, 4],
    [0, 0],
    [3, 4],
    [0, 4],
    [0, 1],
  ] as const;
  for (const together of [false, true]) {
    const messages = ranges.map(([from, to]) => appendOf(all.slice(from, to), 10 + from, 2, 3));
    for (const batch of together ? [messages] : messages.map((one) => [one])) {
      const { piece, recordsAt } = encode(batch);
      expect(decode(piece, recordsAt)).toEqual(batch);
    }
  }
});

test("damaged messages are corrupt, or well-formed messages, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), damage, fc.nat(), (messages, harm, cut) => {
      const { piece, recordsAt } = encode(messages);
      const harmed = harm(piece);
      onlyCorrupt(() => decode(harmed, Math.min(recordsAt, harmed.length)));
      onlyCorrupt(() => decode(harmed, cut % (harmed.length + 1)));
      onlyCorrupt(() =>
        decode(harmed, cut % (harmed.length + 1), GROUP, { from: 1, to: 2, knowQuiet: (cut & 1) === 0 }),
      );
    }),
    { numRuns: 3000 },
  );
});

test("any bytes decoded as messages give messages or corrupt", () => {
  fc.assert(
    fc.property(bytes, fc.nat(), (given, cut) => {
      onlyCorrupt(() => decode(given, cut % (given.length + 1)));
    }),
    { numRuns: 3000 },
  );
});

test("a damaged entry never comes through", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const { piece, recordsAt } = encode([appendOf([entryAt(4, 2), entryAt(5, 3)], 3, 2, 3)]);
      const position = recordsAt + (at % (piece.length - recordsAt));
      piece[position] = (piece[position] as number) ^ mask;
      expect(onlyCorrupt(() => decode(piece, recordsAt))).toBe("corrupt");
    }),
  );
});

test("entries of another group are corrupt", () => {
  const { piece, recordsAt } = encode([appendOf([entryAt(1, 1)], 0, 0, 1)]);
  expect(onlyCorrupt(() => decode(piece, recordsAt, GROUP + 1))).toBe("corrupt");
});

// The core treats these as bugs of its own, and stops: they must not reach it from outside.
test.each([
  ["with a gap", appendOf([entryAt(5, 1)], 3, 1, 1)],
  ["that overlaps", appendOf([entryAt(3, 1)], 3, 1, 1)],
  ["with a gap inside", appendOf([entryAt(4, 1), entryAt(6, 1)], 3, 1, 1)],
  ["with a falling term", appendOf([entryAt(4, 2), entryAt(5, 1)], 3, 1, 2)],
  ["with a term below what it follows", appendOf([entryAt(4, 1)], 3, 2, 2)],
  ["with an entry of a later term than its own", appendOf([entryAt(4, 3)], 3, 1, 2)],
  ["that follows a later term than its own", appendOf([], 3, 3, 2)],
])("an append %s is corrupt", (_name, append) => {
  const { piece, recordsAt } = encode([append]);
  expect(onlyCorrupt(() => decode(piece, recordsAt))).toBe("corrupt");
});

test("counts are checked against their limits and their bytes before anything is allocated", () => {
  const heads = (write: (out: ByteWriter) => void): Uint8Array => {
    const out = new ByteWriter();
    write(out);
    return out.finish();
  };
  const appendHead = (count: number) =>
    heads((out) => {
      out.varint(1);
      out.u8(1);
      for (let i = 0; i < 6; i++) out.varint(1);
      out.varint(count);
    });
  expect(() => decode(appendHead(MESSAGE_ENTRIES_MAX + 1), appendHead(MESSAGE_ENTRIES_MAX + 1).length)).toThrow(
    "limit",
  );
  expect(() => decode(appendHead(1000), appendHead(1000).length)).toThrow("more entries than bytes");
  const many = heads((out) => out.varint(MESSAGES_MAX + 1));
  expect(() => decode(many, many.length)).toThrow("limit");
  const missing = heads((out) => out.varint(100));
  expect(() => decode(missing, missing.length)).toThrow("more than its bytes can hold");
});

test("bytes left over after heads or records are corrupt", () => {
  const { piece, recordsAt } = encode([appendOf([entryAt(1, 1)], 0, 0, 1)]);
  const longer = new Uint8Array(piece.length + 1);
  longer.set(piece);
  expect(() => decode(longer, recordsAt)).toThrow("left over");
});
