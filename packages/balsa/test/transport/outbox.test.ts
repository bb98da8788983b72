import { expect, test } from "vitest";
import { ByteWriter } from "../../src/codec/index.js";
import type { PeerMessage } from "../../src/core/index.js";
import { FrameDecoder } from "../../src/transport/frame.js";
import { FRAME_BYTES_MAX, FRAME_TARGET_BYTES, MESSAGE_BYTES_MAX } from "../../src/transport/limits.js";
import { messageBytes, Outbox } from "../../src/transport/outbox.js";
import { type PeerFrame, readPeerFrame } from "../../src/transport/peer-frame.js";
import { append, heartbeat } from "./messages.js";

const push = (outbox: Outbox, message: PeerMessage): number => outbox.pushMessage(message, messageBytes(message));

/** All that is in it, write by write. */
function drain(outbox: Outbox): PeerFrame[][] {
  const out = new ByteWriter(1024);
  const writes: PeerFrame[][] = [];
  while (!outbox.isEmpty) {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    for (const buffer of outbox.encode(out, 1, undefined, { messagesSent: 0 })) decoder.push(buffer);
    const frames: PeerFrame[] = [];
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(readPeerFrame(frame));
    writes.push(frames);
  }
  return writes;
}

const messagesIn = (outbox: Outbox): PeerMessage[] =>
  drain(outbox)
    .flat()
    .flatMap((frame) => (frame.kind === "messages" ? frame.messages : []));

test("all messages of a turn are one frame, in order", () => {
  const outbox = new Outbox(100_000);
  const messages = [heartbeat(1, 2, 1), append(1, 2, { entries: 3 }), heartbeat(1, 2, 2)];
  for (const message of messages) push(outbox, message);
  expect(drain(outbox)).toEqual([[{ kind: "messages", messages }]]);
});

test("an answer to a forward keeps its place among the messages", () => {
  const outbox = new Outbox(100_000);
  const answer = {
    kind: "forward-answer",
    requestId: 5,
    answer: { kind: "accepted", firstIndex: 1, term: 1 },
  } as const;
  push(outbox, heartbeat(1, 2, 1));
  outbox.pushForwardAnswer(answer);
  push(outbox, append(1, 2, { entries: 1 }));
  expect(drain(outbox)[0]?.map((frame) => frame.kind)).toEqual(["messages", "forward-answer", "messages"]);
});

test("over its limit the oldest heartbeats go first, and only as many as needed", () => {
  const outbox = new Outbox(5 * messageBytes(heartbeat(1, 2, 0)));
  for (let commit = 1; commit <= 5; commit++) expect(push(outbox, heartbeat(1, 2, commit))).toBe(0);
  expect(push(outbox, append(1, 2, { entries: 1 }))).toBe(2);
  expect(messagesIn(outbox).map((message) => (message.type === "heartbeat" ? message.commit : message.type))).toEqual([
    3,
    4,
    5,
    "append",
  ]);
});

test("when there are no heartbeats left to drop, the newest message is refused", () => {
  const one = append(1, 2, { entries: 1, payloadBytes: 900 });
  const outbox = new Outbox(2 * messageBytes(one));
  push(outbox, heartbeat(1, 2, 1));
  push(outbox, one);
  expect(push(outbox, one)).toBe(1);
  expect(push(outbox, one)).toBe(1);
  expect(push(outbox, heartbeat(1, 2, 2))).toBe(1);
  expect(messagesIn(outbox)).toEqual([one, one]);
});

test("a message that can't fit even so costs the heartbeats nothing more than their room", () => {
  const outbox = new Outbox(1000);
  push(outbox, append(1, 2, { entries: 1, payloadBytes: 700 }));
  push(outbox, heartbeat(1, 2, 1));
  expect(push(outbox, append(1, 2, { entries: 1, payloadBytes: 2000 }))).toBe(1);
  expect(messagesIn(outbox).map(({ type }) => type)).toEqual(["append", "heartbeat"]);
});

test("a message larger than the limit goes when nothing but heartbeats waits", () => {
  const outbox = new Outbox(200);
  push(outbox, heartbeat(1, 2, 1));
  expect(push(outbox, append(1, 2, { entries: 1, payloadBytes: 1000 }))).toBe(1);
  expect(push(outbox, append(1, 2, { entries: 1, payloadBytes: 1000 }))).toBe(1);
  expect(messagesIn(outbox).map(({ type }) => type)).toEqual(["append"]);
});

test("room comes back as things are written", () => {
  const one = append(1, 2, { entries: 1, payloadBytes: 900 });
  const outbox = new Outbox(messageBytes(one));
  for (let i = 0; i < 10; i++) {
    expect(push(outbox, one)).toBe(0);
    expect(push(outbox, one)).toBe(1);
    expect(messagesIn(outbox)).toEqual([one]);
  }
});

test("a forward is refused over the limit, an answer never", () => {
  const outbox = new Outbox(100);
  expect(outbox.pushForward({ kind: "forward", requestId: 1, commands: [] }, 60)).toBe(true);
  expect(outbox.pushForward({ kind: "forward", requestId: 2, commands: [] }, 60)).toBe(false);
  outbox.pushForwardAnswer({
    kind: "forward-answer",
    requestId: 9,
    answer: { kind: "refused", code: "closed", leader: 0 },
  });
  outbox.pushForwardAnswer({
    kind: "forward-answer",
    requestId: 8,
    answer: { kind: "refused", code: "closed", leader: 0 },
  });
  expect(drain(outbox).flat()).toHaveLength(3);
});

test("more than a frame's target becomes several frames, more than a write several writes", () => {
  const outbox = new Outbox(100 * 1024 * 1024);
  const large = append(1, 2, { entries: 1, payloadBytes: 1_000_000 });
  for (let i = 0; i < 12; i++) push(outbox, large);
  const writes = drain(outbox);
  expect(writes.length).toBeGreaterThan(1);
  for (const frames of writes) {
    for (const frame of frames) {
      const { messages } = frame as Extract<PeerFrame, { kind: "messages" }>;
      const beforeLast = messages.slice(0, -1).reduce((bytes, message) => bytes + messageBytes(message), 0);
      expect(beforeLast).toBeLessThan(FRAME_TARGET_BYTES);
    }
  }
  expect(writes.flat().flatMap((frame) => (frame.kind === "messages" ? frame.messages : []))).toHaveLength(12);
});

test("F3 the largest message the core can make fits a frame, behind one just below its target", () => {
  const largestEntry = append(1, 2, { entries: 1, payloadBytes: 8 * 1024 * 1024 + 64 * 1024 });
  // The core's 1 MiB at the least that it counts for an entry: 4 bytes.
  const manyEntries = append(1, 2, { entries: (1024 * 1024) / 4, payloadBytes: 0 });
  const filler = append(1, 2, { entries: 1, payloadBytes: FRAME_TARGET_BYTES - 200 });
  for (const message of [largestEntry, manyEntries]) {
    expect(messageBytes(message)).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    const outbox = new Outbox(64 * 1024 * 1024);
    push(outbox, filler);
    push(outbox, message);
    expect(messagesIn(outbox)).toHaveLength(2);
  }
});

test("what is over a limit of the codec has no size that fits", () => {
  expect(messageBytes(append(1, 2, { entries: 1, payloadBytes: 9 * 1024 * 1024 }))).toBe(Number.POSITIVE_INFINITY);
  expect(messageBytes(append(1, 2, { entries: 300_000 }))).toBe(Number.POSITIVE_INFINITY);
});
