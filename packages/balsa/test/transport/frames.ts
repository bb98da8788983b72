import fc from "fast-check";
import { ByteWriter } from "../../src/codec/index.js";
import type { PeerFrame } from "../../src/transport/peer-frame.js";
import { writePeerFrame } from "../../src/transport/peer-frame.js";
import { bytes, message, safeInteger, snapshotMeta } from "../codec/arbitraries.js";
import { GROUP } from "./member.js";

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const kind = <T extends PeerFrame["kind"]>(name: T): fc.Arbitrary<T> => fc.constant(name);

/** Every frame that a peer can send. */
export const peerFrame: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    kind: kind("hello"),
    protocolMin: safeInteger,
    protocolMax: safeInteger,
    purpose: fc.constantFrom("messages" as const, "snapshot" as const, "request" as const),
    address: text,
    clusterId: safeInteger,
    from: safeInteger,
    to: safeInteger,
    incarnation: safeInteger,
    group: fc.constant(GROUP),
    name: text,
  }),
  fc.record({
    kind: kind("hello-accepted"),
    protocol: safeInteger,
    memberId: safeInteger,
    incarnation: safeInteger,
    name: text,
  }),
  fc.record({
    kind: kind("hello-refused"),
    code: fc.constantFrom("other", "protocol", "cluster", "receiver", "sender", "group"),
    reason: text,
  }),
  fc.record({ kind: fc.constantFrom("ping", "pong"), sequence: safeInteger }),
  fc.record({ kind: kind("messages"), messages: fc.array(message, { maxLength: 5 }) }),
  fc.record({ kind: kind("forward"), requestId: safeInteger, commands: fc.array(bytes, { maxLength: 5 }) }),
  fc.record({
    kind: kind("forward-answer"),
    requestId: safeInteger,
    answer: fc.oneof(
      fc.record({ kind: fc.constant("accepted" as const), firstIndex: safeInteger, term: safeInteger }),
      fc.record({
        kind: fc.constant("refused" as const),
        code: fc.constantFrom("not-leader", "overloaded", "too-large", "closed", "invalid-argument", "invariant"),
        leader: safeInteger,
      }),
    ),
  }),
  fc.record({
    kind: kind("snapshot-offer"),
    message: fc.record({
      type: fc.constant("snapshot" as const),
      from: safeInteger,
      to: safeInteger,
      term: safeInteger,
      snapshot: fc.record({ meta: snapshotMeta, data: bytes }),
    }),
    fileBytes: safeInteger,
  }),
  fc.record({
    kind: kind("snapshot-piece"),
    position: safeInteger,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 500 }),
  }),
  fc.record({ kind: kind("snapshot-acknowledged"), position: safeInteger }),
  fc.record({
    kind: kind("snapshot-resumed"),
    position: safeInteger,
    checksum: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  }),
  fc.record({ kind: kind("snapshot-done") }),
  fc.record({ kind: kind("snapshot-failed"), reason: text }),
  fc.record({ kind: fc.constantFrom("request" as const, "answer" as const), body: fc.uint8Array({ maxLength: 300 }) }),
);

export function encodeFrame(frame: PeerFrame, group: number = GROUP): Uint8Array {
  const out = new ByteWriter(64);
  writePeerFrame(out, group, frame);
  return out.finish();
}
