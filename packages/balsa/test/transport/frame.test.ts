import fc from "fast-check";
import { expect, test } from "vitest";
import { FRAME_HEADER_BYTES, FrameDecoder } from "../../src/transport/frame.js";
import { type PeerFrame, readPeerFrame } from "../../src/transport/peer-frame.js";
import { damage } from "../codec/arbitraries.js";
import { concat } from "../codec/concat.js";
import { onlyCorrupt } from "../codec/only-corrupt.js";
import { slowCrc32c } from "../codec/slow-crc32c.js";
import { encodeFrame, peerFrame } from "./frames.js";

const LIMIT = 1024 * 1024;

function decodeAll(decoder: FrameDecoder): PeerFrame[] {
  const frames: PeerFrame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(readPeerFrame(frame));
  return frames;
}

/** The bytes in pieces, cut where `cuts` says. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.slice(i === 0 ? 0 : at[i - 1], end));
}

test("frames of every kind come out as they went in, wherever the bytes were cut", () => {
  fc.assert(
    fc.property(fc.array(peerFrame, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
      const decoder = new FrameDecoder(LIMIT);
      const seen: PeerFrame[] = [];
      for (const piece of pieces(concat(frames.map((frame) => encodeFrame(frame))), cuts)) {
        decoder.push(piece);
        seen.push(...decodeAll(decoder));
      }
      expect(seen).toEqual(frames);
    }),
    { numRuns: 500 },
  );
});

test("a frame is what the format says, byte for byte", () => {
  const bytes = encodeFrame({ kind: "ping", sequence: 300 }, 2 ** 33 + 7);
  expect([...bytes.subarray(4)]).toEqual([26, 0, 0, 0, 26, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 0xac, 2]);
  expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)).toBe(slowCrc32c(bytes.subarray(4)));
});

test("a frame that came in one piece is a view of it", () => {
  const bytes = encodeFrame({ kind: "snapshot-piece", position: 0, bytes: new Uint8Array(100) });
  const decoder = new FrameDecoder(LIMIT);
  decoder.push(bytes);
  const [frame] = decodeAll(decoder);
  expect(frame?.kind === "snapshot-piece" && frame.bytes.buffer).toBe(bytes.buffer);
});

test("a large frame in single bytes costs no more than its bytes", () => {
  const bytes = encodeFrame({ kind: "snapshot-piece", position: 7, bytes: new Uint8Array(400_000).fill(5) });
  const decoder = new FrameDecoder(LIMIT);
  const seen: PeerFrame[] = [];
  // Copied once a piece instead of once, this would be 80 GB.
  for (let i = 0; i < bytes.length; i++) {
    decoder.push(bytes.subarray(i, i + 1));
    seen.push(...decodeAll(decoder));
  }
  expect(seen.map((frame) => frame.kind)).toEqual(["snapshot-piece"]);
});

test("a length above the limit is refused as soon as the header is there", () => {
  const bytes = encodeFrame({ kind: "snapshot-piece", position: 0, bytes: new Uint8Array(1000) });
  const decoder = new FrameDecoder(1000);
  decoder.push(bytes.subarray(0, FRAME_HEADER_BYTES));
  expect(() => decoder.next()).toThrow("larger than the limit");
});

test.each([
  ["frame bytes below the header's", 4, 23],
  ["checked bytes below the header's", 8, 23],
  ["checked bytes above the frame's", 8, 27],
])("%s are corrupt", (_name, at, value) => {
  const bytes = encodeFrame({ kind: "ping", sequence: 300 }).slice();
  new DataView(bytes.buffer).setUint32(at, value, true);
  const decoder = new FrameDecoder(LIMIT);
  decoder.push(bytes);
  expect(onlyCorrupt(() => decoder.next())).toBe("corrupt");
});

test("only messages may leave part of their frame to checksums of its own", () => {
  const bytes = encodeFrame({ kind: "ping", sequence: 300 }).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(8, 24, true);
  view.setUint32(0, slowCrc32c(bytes.subarray(4, 24)), true);
  const decoder = new FrameDecoder(LIMIT);
  decoder.push(bytes);
  expect(() => decoder.next()).toThrow("does not cover it");
});

test("every bit of a frame of messages, flipped, is found", () => {
  const entry = { type: "normal", term: 1, index: 1, data: Uint8Array.of(1, 2), checksum: 0 } as const;
  const bytes = encodeFrame({
    kind: "messages",
    messages: [
      { type: "append", from: 1, to: 2, term: 1, prevIndex: 0, prevTerm: 0, entries: [entry], commit: 0, quiet: false },
    ],
  });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7));
    const decoder = new FrameDecoder(LIMIT);
    decoder.push(flipped);
    // A longer length only waits for bytes that never come.
    const frames = onlyCorrupt(() => decodeAll(decoder));
    expect(frames === "corrupt" || frames.length === 0).toBe(true);
  }
});

test("damaged frames are corrupt, incomplete, or whole frames, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(peerFrame, { maxLength: 3 }),
      damage,
      fc.array(fc.nat(), { maxLength: 5 }),
      (frames, harm, cuts) => {
        const decoder = new FrameDecoder(LIMIT);
        onlyCorrupt(() => {
          for (const piece of pieces(harm(concat(frames.map((frame) => encodeFrame(frame)))), cuts)) {
            decoder.push(piece);
            decodeAll(decoder);
          }
        });
      },
    ),
    { numRuns: 2000 },
  );
});

test("bodies are checked even where a checksum was made for them", () => {
  fc.assert(
    fc.property(peerFrame, damage, (frame, harm) => {
      const whole = encodeFrame(frame);
      const body = harm(whole.slice(FRAME_HEADER_BYTES));
      const bytes = concat([whole.subarray(0, FRAME_HEADER_BYTES), body]);
      const view = new DataView(bytes.buffer);
      view.setUint32(4, bytes.length, true);
      view.setUint32(8, bytes.length, true);
      view.setUint32(0, slowCrc32c(bytes.subarray(4)), true);
      const decoder = new FrameDecoder(LIMIT);
      decoder.push(bytes);
      onlyCorrupt(() => decodeAll(decoder));
    }),
    { numRuns: 2000 },
  );
});
