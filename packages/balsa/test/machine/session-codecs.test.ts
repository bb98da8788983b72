import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSessionAnswer, encodeSessionAnswer, type SessionAnswer } from "../../src/machine/session-answer.js";
import { decodeSessionCommand, encodeSessionCommand, type SessionCommand } from "../../src/machine/session-command.js";
import type { SessionLimits } from "../../src/machine/session-limits.js";
import { readSessionSection, writeSessionSection } from "../../src/machine/session-section.js";
import type { Session } from "../../src/machine/session-table.js";
import { StreamReader } from "../../src/machine/stream-reader.js";
import { bytes, safeInteger } from "../codec/arbitraries.js";
import { onlyCorrupt } from "../codec/only-corrupt.js";
import { collect, inPieces } from "./streams.js";

const call = fc
  .record({ session: safeInteger, sequence: safeInteger, distance: safeInteger, payload: bytes })
  .map(({ session, sequence, distance, payload }): SessionCommand => {
    const from1 = Math.max(1, sequence);
    return { kind: "call", session, sequence: from1, oldestAwaited: from1 - (distance % from1), payload };
  });

const command: fc.Arbitrary<SessionCommand> = fc.oneof(
  fc.constant<SessionCommand>({ kind: "open" }),
  call,
  fc.record({ kind: fc.constant("close" as const), session: safeInteger }),
  fc.record({ kind: fc.constant("plain" as const), payload: bytes }),
);

const answer: fc.Arbitrary<SessionAnswer> = fc.oneof(
  fc.record({ kind: fc.constant("opened" as const), session: safeInteger, resultsMax: safeInteger }),
  fc.constant<SessionAnswer>({ kind: "closed" }),
  fc.record({ kind: fc.constant("result" as const), index: safeInteger, term: safeInteger, result: bytes }),
  fc.record({ kind: fc.constant("result-too-large" as const), index: safeInteger, term: safeInteger }),
  fc.record({
    kind: fc.constant("refused" as const),
    why: fc.constantFrom("unknown-session" as const, "not-awaited", "too-many-results", "malformed"),
  }),
);

const LIMITS: SessionLimits = { sessionsMax: 6, resultsMax: 4, resultBytesMax: 40_000 };

const session = fc
  .record({
    oldestAwaited: fc.integer({ min: 1, max: 1_000 }),
    results: fc.uniqueArray(fc.tuple(fc.nat({ max: 99 }), fc.nat({ max: LIMITS.resultBytesMax })), {
      maxLength: LIMITS.resultsMax,
      selector: ([distance]) => distance,
    }),
  })
  .map(({ oldestAwaited, results }): Omit<Session, "id"> => {
    const slots = results.map(([distance, lengthBytes]) => {
      return [oldestAwaited + distance, { answer: new Uint8Array(lengthBytes).fill(distance) }] as const;
    });
    return { oldestAwaited, slots: new Map(slots) };
  });

const sessions: fc.Arbitrary<readonly Session[]> = fc
  .array(session, { maxLength: LIMITS.sessionsMax })
  .map((list) => list.map((one, at): Session => ({ ...one, id: (at * 7_919) % 11 })));

test("what sessions propose is read as it was written", () => {
  fc.assert(
    fc.property(command, (given) => {
      expect(decodeSessionCommand(encodeSessionCommand(given))).toEqual(given);
    }),
  );
});

test("what is answered is read as it was written, and is a copy", () => {
  fc.assert(
    fc.property(answer, (given) => {
      const encoded = encodeSessionAnswer(given);
      expect(encoded.byteLength).toBe(encoded.buffer.byteLength);
      const read = decodeSessionAnswer(encoded);
      expect(read).toEqual(given);
      if (read.kind === "result") expect(read.result.buffer).not.toBe(encoded.buffer);
    }),
  );
});

test("any bytes are a command or an answer, or corrupt; a longer or shorter one never passes for another", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, command.map(encodeSessionCommand), answer.map(encodeSessionAnswer)), (given) => {
      const asCommand = onlyCorrupt(() => decodeSessionCommand(given));
      if (asCommand !== "corrupt") expect(encodeSessionCommand(asCommand)).toEqual(given);
      const asAnswer = onlyCorrupt(() => decodeSessionAnswer(given));
      if (asAnswer !== "corrupt") expect(encodeSessionAnswer(asAnswer)).toEqual(given);
    }),
    { numRuns: 1_000 },
  );
});

test("F2 sessions are in a snapshot as they were, in order, however its pieces are cut, and what follows is left", async () => {
  await fc.assert(
    fc.asyncProperty(sessions, bytes, fc.integer({ min: 50, max: 9_000 }), async (given, behind, pieceBytes) => {
      const written = await collect([...writeSessionSection(given, LIMITS), behind]);
      const stream = new StreamReader(inPieces(written, pieceBytes));
      const read = await readSessionSection(stream, LIMITS);
      expect(read.map(({ id }) => id)).toEqual(given.map(({ id }) => id));
      const again = await collect([...writeSessionSection(read, LIMITS), behind]);
      expect(Buffer.compare(again, written)).toBe(0);
      expect(await collect(stream.rest())).toEqual(behind);
    }),
    { numRuns: 40 },
  );
});

test("a snapshot's sessions cut short, or with any byte changed, are read in full or refused as corrupt", async () => {
  const small: SessionLimits = { sessionsMax: 3, resultsMax: 2, resultBytesMax: 8 };
  const given: Session[] = [
    { id: 7, oldestAwaited: 3, slots: new Map([[4, { answer: Uint8Array.of(1, 2) }]]) },
    { id: 300, oldestAwaited: 1, slots: new Map([[1, { answer: new Uint8Array(8) }]]) },
  ];
  const written = await collect(writeSessionSection(given, small));
  const read = async (content: Uint8Array): Promise<string> => {
    try {
      await readSessionSection(new StreamReader(inPieces(content, 5)), small);
      return "read";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (let end = 0; end < written.length; end++) expect(await read(written.subarray(0, end))).toBe("corrupt");
  for (let at = 0; at < written.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = written.slice();
      changed[at] = (changed[at] as number) ^ (1 << bit);
      // Snapshots carry checksums of their own: here it only matters that nothing else happens.
      expect(["read", "corrupt", "invalid-argument"]).toContain(await read(changed));
    }
  }
});
