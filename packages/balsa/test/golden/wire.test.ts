import { expect, test } from "vitest";
import { ByteWriter, type Ends } from "../../src/codec/index.js";
import type { Entry, PeerMessage } from "../../src/core/index.js";
import {
  decodeRepairAnswer,
  decodeRepairRequest,
  encodeRepairAnswer,
  encodeRepairRequest,
} from "../../src/node/repair-requests.js";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from "../../src/node/requests.js";
import { FrameDecoder } from "../../src/transport/frame.js";
import { type PeerFrame, readPeerFrame, writePeerFrame } from "../../src/transport/peer-frame.js";
import { Recorded } from "./recorded.js";

// What goes over the wire is, byte for byte, what it was when the version was made: members of that version read it.

const recorded = new Recorded(new URL("wire.json", import.meta.url));
const A: number = 2 ** 52 + 1;
const B: number = 2 ** 52 + 2;
const SECOND: Ends = { from: A, to: B, knowQuiet: false };
const THIRD: Ends = { from: A, to: B, knowQuiet: true };
const SEALED: readonly Entry[] = [
  { type: "normal", term: 7, index: 301, data: Uint8Array.of(1, 2, 3), checksum: 0 },
  { type: "conf-change-v2", term: 7, index: 302, data: Uint8Array.of(), checksum: 0 },
];
const META = {
  index: 300,
  term: 6,
  confState: { voters: [A, B], votersOutgoing: [A], learners: [B + 1], learnersNext: [], autoLeave: true },
};

const envelope = { from: A, to: B, term: 7 } as const;
const messages: readonly PeerMessage[] = [
  { type: "append", ...envelope, prevIndex: 300, prevTerm: 6, entries: SEALED, commit: 299, quiet: false },
  { type: "append-response", ...envelope, index: 300, rejected: true, hintIndex: 290, hintTerm: 5 },
  { type: "heartbeat", ...envelope, commit: 300, readRound: 4 },
  { type: "heartbeat-response", ...envelope, readRound: 4 },
  { type: "vote", ...envelope, lastIndex: 300, lastTerm: 6, transfer: true },
  { type: "vote-response", ...envelope, rejected: false },
  { type: "pre-vote", ...envelope, lastIndex: 300, lastTerm: 6, transfer: false },
  { type: "pre-vote-response", ...envelope, rejected: true },
  { type: "snapshot", ...envelope, snapshot: { meta: META, data: Uint8Array.of(9) } },
  { type: "timeout-now", ...envelope },
  { type: "transfer-leader", ...envelope, transferee: B },
  { type: "propose", ...envelope, term: 0, entries: [{ type: "normal", data: Uint8Array.of(1) }] },
  { type: "read-index", ...envelope, term: 0, requestId: 12 },
  { type: "read-index", ...envelope, from: B + 1, term: 0, requestId: 13 },
  { type: "read-index-response", ...envelope, requestId: 12, index: 300 },
];

const quiet: PeerMessage = {
  type: "append",
  ...envelope,
  prevIndex: 300,
  prevTerm: 6,
  entries: [],
  commit: 300,
  quiet: true,
};

const identity = { clusterId: 2 ** 52 + 77, incarnation: 2 ** 40 + 5, name: "einé" };
const frames: readonly PeerFrame[] = [
  {
    kind: "hello",
    ...{ protocolMin: 1, protocolMax: 2, purpose: "messages", from: A, to: B, group: 1, address: "a:2380" },
    ...identity,
  },
  { kind: "hello-accepted", protocol: 2, memberId: B, incarnation: identity.incarnation, name: identity.name },
  { kind: "hello-refused", code: "removed", reason: "it was removed" },
  { kind: "ping", sequence: 3 },
  { kind: "pong", sequence: 3 },
  { kind: "forward", requestId: 2 ** 33, commands: [Uint8Array.of(1, 2), Uint8Array.of()] },
  { kind: "forward-answer", requestId: 5, answer: { kind: "accepted", firstIndex: 301, term: 7 } },
  { kind: "forward-answer", requestId: 6, answer: { kind: "refused", code: "not-leader", leader: B } },
  {
    kind: "snapshot-offer",
    message: { type: "snapshot", ...envelope, snapshot: { meta: META, data: new Uint8Array(0) } },
    fileBytes: 70_000,
  },
  { kind: "snapshot-piece", position: 65_536, bytes: Uint8Array.of(1, 2, 3) },
  { kind: "snapshot-acknowledged", position: 65_536 },
  { kind: "snapshot-resumed", position: 65_536, checksum: -5 },
  { kind: "snapshot-done" },
  { kind: "snapshot-failed", reason: "no room" },
  { kind: "request", body: Uint8Array.of(1) },
  { kind: "answer", body: Uint8Array.of(2) },
];

function encode(frame: PeerFrame, ends?: Ends): Uint8Array {
  const out = new ByteWriter(64);
  writePeerFrame(out, 1, frame, ends);
  return out.finish();
}

function decode(bytes: Uint8Array, ends?: Ends): PeerFrame | undefined {
  const decoder = new FrameDecoder(2 ** 20);
  decoder.push(bytes);
  const frame = decoder.next();
  return frame === undefined ? undefined : readPeerFrame(frame, ends);
}

test.each(frames.map((frame, at): [string, PeerFrame] => [`frame ${at} ${frame.kind}`, frame]))("%s", (name, frame) => {
  const bytes = recorded.bytes(name, () => encode(frame));
  expect(decode(bytes)).toEqual(frame);
  expect(encode(frame)).toEqual(bytes);
});

test.each(
  messages.flatMap((message, at): [string, PeerMessage, Ends | undefined][] => [
    [`message ${at} ${message.type}, protocol 1`, message, undefined],
    [`message ${at} ${message.type}, protocol 2`, message, SECOND],
    [`message ${at} ${message.type}, protocol 3`, message, THIRD],
  ]),
)("%s", (name, message, ends) => {
  const frame = { kind: "messages", messages: [message] } as const;
  const bytes = recorded.bytes(name, () => encode(frame, ends));
  const read = decode(bytes, ends);
  expect(encode(frame, ends)).toEqual(bytes);
  expect(read).toEqual(frame);
});

test.each([
  ["quiet append, protocol 1", { ...quiet, quiet: false }, undefined],
  ["quiet append, protocol 2", { ...quiet, quiet: false }, SECOND],
  ["quiet append, protocol 3", quiet, THIRD],
])("%s", (name, read, ends) => {
  const bytes = recorded.bytes(name, () => encode({ kind: "messages", messages: [quiet] }, ends));
  expect(encode({ kind: "messages", messages: [quiet] }, ends)).toEqual(bytes);
  expect(decode(bytes, ends)).toEqual({ kind: "messages", messages: [read] });
});

const members = [{ id: A, name: "one", address: "a:2380", incarnation: 5, promote: true }];
const position = { index: 300, term: 6 };
const bodies = [
  [
    "change",
    encodeRequest,
    decodeRequest,
    {
      kind: "change",
      changes: [
        { kind: "add-learner", name: "two", address: "b:2380", incarnation: 7, promote: true },
        { kind: "promote", id: A },
        { kind: "demote", id: A },
        { kind: "remove", id: B },
        { kind: "update", id: B, address: "c:2380", incarnation: 8 },
      ],
      force: true,
      timeoutMs: 3_000,
    },
  ],
  ["transfer", encodeRequest, decodeRequest, { kind: "transfer", to: B, timeoutMs: 3_000 }],
  [
    "join",
    encodeRequest,
    decodeRequest,
    { kind: "join", id: A, name: "one", address: "a:2380", incarnation: 5, promote: true, timeoutMs: 3_000 },
  ],
  ["introduce", encodeRequest, decodeRequest, { kind: "introduce", id: A, incarnation: 5 }],
  ["done", encodeAnswer, decodeAnswer, { kind: "done", index: 300, term: 7, added: [B] }],
  ["joined", encodeAnswer, decodeAnswer, { kind: "joined", clusterId: A, memberId: B, members }],
  ["introduced", encodeAnswer, decodeAnswer, { kind: "introduced", known: "otherwise", term: 7 }],
  [
    "refused",
    encodeAnswer,
    decodeAnswer,
    {
      kind: "refused",
      code: "membership-refused",
      refusal: "unknown-member",
      reason: "no such member",
      unknown: false,
      leaderAddress: "a:2380",
    },
  ],
  ["repair: state?", encodeRepairRequest, decodeRepairRequest, { kind: "state" }],
  [
    "repair: entries?",
    encodeRepairRequest,
    decodeRepairRequest,
    { kind: "entries", after: position, anchor: position },
  ],
  [
    "repair: a leader's entries?",
    encodeRepairRequest,
    decodeRepairRequest,
    { kind: "leader-entries", after: position, termMin: 7 },
  ],
  ["repair: a snapshot?", encodeRepairRequest, decodeRepairRequest, { kind: "snapshot" }],
  ["repair: who votes?", encodeRepairRequest, decodeRepairRequest, { kind: "configuration" }],
  [
    "repair: state",
    encodeRepairAnswer,
    decodeRepairAnswer,
    {
      kind: "state",
      ...{ term: 7, leads: true, lastIndex: 300, snapshotIndex: 200, repairing: false, termKnown: true },
      members: [{ id: A, name: "one", address: "a:2380" }],
    },
  ],
  ["repair: entries", encodeRepairAnswer, decodeRepairAnswer, { kind: "entries", entries: SEALED }],
  [
    "repair: a leader's entries",
    encodeRepairAnswer,
    decodeRepairAnswer,
    { kind: "leader-entries", term: 7, lastIndex: 302, entries: SEALED },
  ],
  ["repair: a snapshot comes", encodeRepairAnswer, decodeRepairAnswer, { kind: "snapshot-coming" }],
  ["repair: voters", encodeRepairAnswer, decodeRepairAnswer, { kind: "configuration", voters: [A, A + 1] }],
  ["repair: refused", encodeRepairAnswer, decodeRepairAnswer, { kind: "refused", refusal: "compacted" }],
] as const;

type Encode = (value: unknown) => Uint8Array;

test.each(
  bodies.map((body) => [`body ${body[0]}`, ...body.slice(1)] as [string, Encode, typeof decodeRequest, unknown]),
)("%s", (name, encodeBody, decodeBody, value) => {
  const bytes = recorded.bytes(name, () => encodeBody(value));
  expect(decodeBody(bytes)).toEqual(value);
  expect(encodeBody(value)).toEqual(bytes);
});
