import { describe, expect, it } from "vitest";
import { FLAG } from "../../src/http2/frame.js";
import { hasUrlAuthority, withoutUrlAuthority } from "../../src/http2/url-authority.js";
import { asNodeReads, bytesOf, clientSettings, headersFrame, huffman, plain } from "./client-bytes.js";

const urls = ["http://a:1", "http://127.0.0.1:2379", "https://10.0.0.1:2379", "http://t7.x:443"];
const codings = [
  { coding: "Huffman's code", encode: huffman },
  { coding: "plain", encode: plain },
];
/** :path /x, as a literal behind the authority. */
const path = Uint8Array.of(0x44, ...plain("/x"));

describe.each(codings)("an authority in $coding", ({ encode }) => {
  it.each(urls)("%s is what Node refuses, and is replaced by one it takes", async (url) => {
    const frame = headersFrame(encode(url), { after: path });
    expect(hasUrlAuthority(frame, 0)).toBe(true);
    expect(await asNodeReads(bytesOf(clientSettings, frame))).toBe("reset");
    const replaced = withoutUrlAuthority(frame);
    expect(await asNodeReads(bytesOf(clientSettings, replaced))).toMatchObject({
      ":method": "POST",
      ":authority": "localhost",
      ":path": "/x",
    });
    // What is in the receiver's table must not be larger than in the sender's.
    expect("localhost".length).toBeLessThanOrEqual(url.length);
  });

  it.each(["127.0.0.1:2379", "a:1", "http:1", "https", "httpx://a:1"])("%s is left alone", (authority) => {
    const frame = headersFrame(encode(authority), { after: path });
    expect(hasUrlAuthority(frame, 0)).toBe(false);
    expect(withoutUrlAuthority(frame)).toBe(frame);
  });

  it.each([FLAG.padded, FLAG.priority, FLAG.padded | FLAG.priority])("is found with flags %i", async (flags) => {
    const frame = headersFrame(encode("http://127.0.0.1:2379"), { flags, after: path });
    expect(await asNodeReads(bytesOf(clientSettings, withoutUrlAuthority(frame)))).toMatchObject({
      ":authority": "localhost",
      ":path": "/x",
    });
  });
});

describe("a header block", () => {
  it("is skipped field by field in all its forms until the authority", () => {
    const fields = [
      Uint8Array.of(0x3f, 0xe1, 0x1f), // a table of 4,096 bytes
      Uint8Array.of(0x40, ...plain("name"), ...plain("value")), // a new name
      Uint8Array.of(0x0f, 0x2f, ...plain("not indexed")), // an indexed name over 4 bits
      Uint8Array.of(0x10, ...plain("secret"), ...huffman("http://a:1")), // never indexed
      Uint8Array.of(0x44, 0x7f, 0x10, ...new Uint8Array(0x8f)), // a length over 7 bits
    ];
    const before = Buffer.concat(fields);
    const frame = headersFrame(huffman("http://a:1"));
    // The same fields, in front of the authority.
    const block = Buffer.concat([before, frame.subarray(9)]);
    const whole = Buffer.concat([
      Uint8Array.of(0, block.length >> 8, block.length & 0xff, ...frame.subarray(3, 9)),
      block,
    ]);
    expect(hasUrlAuthority(whole, 0)).toBe(true);
    expect(withoutUrlAuthority(whole).length).toBe(whole.length - huffman("http://a:1").length + 10);
  });

  it("that is cut off, or without an authority, is left to the HTTP/2 library", () => {
    const frame = headersFrame(huffman("http://127.0.0.1:2379"));
    for (let length = 9; length < frame.length; length++) {
      const short = frame.slice(0, length);
      short[2] = length - 9;
      expect(withoutUrlAuthority(short)).toBe(short);
    }
  });
});
