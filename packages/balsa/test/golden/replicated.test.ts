import { expect, test } from "vitest";
import { readEntryRecord, sealEntry, writeEntryRecord } from "../../src/codec/entry-record.js";
import { ByteReader, ByteWriter, decodeCommand, encodeCommand } from "../../src/codec/index.js";
import { type ConfChange, decodeConfChange, encodeConfChange } from "../../src/core/index.js";
import { decodeSessionAnswer, encodeSessionAnswer, type SessionAnswer } from "../../src/machine/session-answer.js";
import { decodeSessionCommand, encodeSessionCommand, type SessionCommand } from "../../src/machine/session-command.js";
import { readSessionSection, writeSessionSection } from "../../src/machine/session-section.js";
import type { Session } from "../../src/machine/session-table.js";
import { StreamReader } from "../../src/machine/stream-reader.js";
import {
  type Configuration,
  decodeContext,
  decodeIncarnations,
  decodeLibrarySection,
  encodeContext,
  encodeIncarnations,
  encodeLibrarySection,
} from "../../src/node/configuration.js";
import { collect, inPieces } from "../machine/streams.js";
import { Recorded } from "./recorded.js";

// What is in logs and snapshots that members share: whoever has written it may be of an earlier version, and whoever
// is to read it, too.

const recorded = new Recorded(new URL("replicated.json", import.meta.url));
const A: number = 2 ** 52 + 1;

function expectHeld<T>(
  name: string,
  value: T,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): void {
  const bytes = recorded.bytes(name, () => encode(value));
  expect(decode(bytes)).toEqual(value);
  expect(encode(value)).toEqual(bytes);
}

test.each([
  ["an application's command", { kind: "application", payload: Uint8Array.of(1, 2, 3) }],
  ["a session's command", { kind: "application", session: 2 ** 40, sequence: 7, payload: Uint8Array.of(1) }],
  ["the library's command", { kind: "library", payload: Uint8Array.of(9) }],
] as const)("%s", (name, command) => {
  expectHeld(name, { session: undefined, sequence: undefined, ...command }, encodeCommand, decodeCommand);
});

test("an entry's record", () => {
  const entry = { type: "normal", term: 7, index: 2 ** 40, data: Uint8Array.of(1, 2, 3), checksum: 0 } as const;
  sealEntry(1, entry);
  expectHeld(
    "an entry's record",
    entry as ReturnType<typeof readEntryRecord>,
    (value) => {
      const out = new ByteWriter(64);
      writeEntryRecord(out, value);
      return out.finish();
    },
    (bytes) => readEntryRecord(new ByteReader(bytes), 1),
  );
});

const context = Uint8Array.of(5, 6);
const changes: readonly (readonly [string, ConfChange])[] = [
  ["a change of one member", { version: 1, change: { kind: "add-learner", id: A }, context }],
  [
    "a change of several members",
    {
      version: 2,
      transition: "joint-implicit",
      changes: [
        { kind: "add-voter", id: A },
        { kind: "remove", id: A + 1 },
        { kind: "update", id: A + 2 },
      ],
      context,
    },
  ],
  ["the end of a joint configuration", { version: 2, transition: "auto", changes: [], context: Uint8Array.of() }],
];

test.each(changes)("%s", (name, change) => {
  const { type } = encodeConfChange(change);
  expectHeld(
    name,
    change,
    (value) => encodeConfChange(value).data,
    (data) => decodeConfChange({ type, data }),
  );
});

const configuration: Configuration = {
  confState: { voters: [A], votersOutgoing: [], learners: [A + 1], learnersNext: [], autoLeave: false },
  members: [
    { id: A, name: "one", address: "a:2380", incarnation: 2 ** 45, promote: false },
    { id: A + 1, name: "zwöi", address: "b:2380", incarnation: 0, promote: true },
  ],
  removed: [A + 2],
};

test("what a membership change says of members", () => {
  expectHeld("what a membership change says of members", configuration.members, encodeContext, decodeContext);
});

test("a record of incarnations", () => {
  expectHeld("a record of incarnations", [{ id: A, incarnation: 2 ** 45 }], encodeIncarnations, decodeIncarnations);
});

test("the library's section of a snapshot", () => {
  expectHeld("the library's section of a snapshot", configuration, encodeLibrarySection, (bytes) =>
    decodeLibrarySection(bytes, configuration.confState),
  );
});

test("the library's section of a snapshot, version 1: read, and written no more", () => {
  const bytes = recorded.bytes("the library's section of a snapshot, version 1", () => {
    const out = new ByteWriter(64);
    out.u8(1);
    out.varint(configuration.members.length);
    for (const { id, name, address } of configuration.members) {
      out.u64(id);
      out.text(name);
      out.text(address);
    }
    return out.finish();
  });
  expect(decodeLibrarySection(bytes, configuration.confState)).toEqual({
    ...configuration,
    members: configuration.members.map((member) => ({ ...member, incarnation: 0, promote: false })),
    removed: [],
  });
});

// Of sessions.

test.each([
  ["a session is opened", { kind: "open" }],
  ["a call of a session", { kind: "call", session: 2 ** 40, sequence: 9, oldestAwaited: 7, payload: Uint8Array.of(1) }],
  ["a session is closed", { kind: "close", session: 2 ** 40 }],
  ["a call of no session", { kind: "plain", payload: Uint8Array.of(1, 2) }],
] as const)("%s", (name, command) => {
  expectHeld<SessionCommand>(name, command, encodeSessionCommand, decodeSessionCommand);
});

// Answers are kept in snapshots.
test.each([
  ["answer: opened", { kind: "opened", session: 2 ** 40, resultsMax: 32 }],
  ["answer: closed", { kind: "closed" }],
  ["answer: a result", { kind: "result", index: 300, term: 7, result: Uint8Array.of(1, 2) }],
  ["answer: too large", { kind: "result-too-large", index: 300, term: 7 }],
  ["answer: refused", { kind: "refused", why: "too-many-results" }],
] as const)("%s", (name, answer) => {
  expectHeld<SessionAnswer>(name, answer, encodeSessionAnswer, decodeSessionAnswer);
});

test("the sessions in a snapshot", async () => {
  const limits = { sessionsMax: 4, resultsMax: 2, resultBytesMax: 100 };
  const sessions: readonly Session[] = [
    { id: 2 ** 40, oldestAwaited: 7, slots: new Map([[8, { answer: Uint8Array.of(1, 2) }]]) },
    { id: 12, oldestAwaited: 1, slots: new Map() },
  ];
  const written = await collect(writeSessionSection(sessions, limits));
  const bytes = recorded.bytes("the sessions in a snapshot", () => written);
  expect(written).toEqual(bytes);
  expect(await readSessionSection(new StreamReader(inPieces(bytes, 100)), limits)).toEqual(sessions);
});
