import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuthorityFilter } from "../../src/http2/authority-filter.js";
import { connectionFrame } from "../../src/http2/frame.js";
import { withoutUrlAuthority } from "../../src/http2/url-authority.js";
import { bytesOf, clientSettings, headersFrame, huffman } from "./client-bytes.js";

const urlRequest = headersFrame(huffman("http://127.0.0.1:2379"));
const request = headersFrame(huffman("127.0.0.1:2379"));
const frames = fc.oneof(
  fc.constantFrom(urlRequest, request, clientSettings),
  fc.integer({ min: 0, max: 40_000 }).map((bytes) => connectionFrame(0, 0, new Uint8Array(bytes).fill(0x41))),
);

describe("the filter of a client's bytes", () => {
  it("replaces authorities that are URLs and nothing else, however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(frames, { maxLength: 8 }),
        fc.array(fc.nat({ max: 20_000 }), { maxLength: 20 }),
        (sent, sizes) => {
          const bytes = bytesOf(...sent);
          const filter = new AuthorityFilter();
          const out: Uint8Array[] = [];
          let at = 0;
          for (const size of [...sizes, bytes.length]) {
            out.push(...filter.filter(bytes.subarray(at, at + size)));
            at += size;
          }
          const expected = bytesOf(...sent.map((frame) => (frame === urlRequest ? withoutUrlAuthority(frame) : frame)));
          expect(Buffer.compare(Buffer.concat(out), expected)).toBe(0);
        },
      ),
    );
  });

  it("does not hold back a frame that is larger than allowed", () => {
    const absurd = Uint8Array.of(0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1, 0x41, 0xff);
    const filter = new AuthorityFilter();
    const out = [bytesOf(absurd), new Uint8Array(100)].flatMap((chunk) => filter.filter(chunk));
    expect(Buffer.concat(out)).toHaveLength(24 + absurd.length + 100);
  });
});
