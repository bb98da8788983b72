import { createServer, type IncomingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { CLIENT_PREFACE, connectionFrame, FLAG, FRAME } from "../../src/http2/frame.js";

/* What clients send, as bytes. */

/** In the codes of RFC 7541's appendix B, for the characters that URLs here have. */
const HUFFMAN: Readonly<Record<string, string>> = {
  "0": "00000",
  "1": "00001",
  "2": "00010",
  "3": "011001",
  "4": "011010",
  "7": "011101",
  "9": "011111",
  ".": "010111",
  "/": "011000",
  ":": "1011100",
  a: "00011",
  h: "100111",
  o: "00111",
  p: "101011",
  s: "01000",
  t: "01001",
  x: "1111001",
};

export function huffman(text: string): Uint8Array {
  let bits = text
    .split("")
    .map((character) => HUFFMAN[character] ?? "?")
    .join("");
  if (bits.includes("?")) throw new Error(`no code for one of ${text}`);
  bits += "1".repeat((8 - (bits.length % 8)) % 8);
  const bytes = Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2));
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

export function plain(text: string): Uint8Array {
  return Uint8Array.of(text.length, ...Buffer.from(text));
}

/** A HEADERS frame of stream 1 with :method POST and :scheme http by index, the authority, and what follows it. */
export function headersFrame(authority: Uint8Array, options: { flags?: number; after?: Uint8Array } = {}): Uint8Array {
  const flags = options.flags ?? 0;
  const before = [
    ...((flags & FLAG.padded) === 0 ? [] : [3]),
    ...((flags & FLAG.priority) === 0 ? [] : [0, 0, 0, 0, 16]),
  ];
  const padding = (flags & FLAG.padded) === 0 ? [] : [0, 0, 0];
  const block = [0x83, 0x86, 0x41, ...authority, ...(options.after ?? [])];
  const frame = connectionFrame(FRAME.headers, 0x4 | flags, Uint8Array.from([...before, ...block, ...padding]));
  frame[8] = 1;
  return frame;
}

export const clientSettings: Uint8Array = connectionFrame(FRAME.settings, 0, new Uint8Array(0));
export const confirmation: Uint8Array = connectionFrame(FRAME.settings, FLAG.ack, new Uint8Array(0));

export function bytesOf(...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([CLIENT_PREFACE, ...pieces]);
}

/** The headers that Node's HTTP/2 reads from a client's bytes, or how it refuses them. */
export async function asNodeReads(bytes: Uint8Array): Promise<IncomingHttpHeaders | string> {
  const server = createServer();
  const { port } = await new Promise<{ port: number }>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server.address() as { port: number }));
  });
  const socket = connect(port, "127.0.0.1");
  try {
    return await new Promise((resolve) => {
      server.on("stream", (_stream, headers) => resolve(headers));
      socket.on("data", (chunk) => {
        // RST_STREAM
        for (let at = 0; at + 9 <= chunk.length; at += 9 + chunk.readUIntBE(at, 3))
          if (chunk[at + 3] === 3) resolve("reset");
      });
      socket.write(bytes);
    });
  } finally {
    socket.destroy();
    server.close();
  }
}
