import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLIENT_PREFACE, connectionFrame, FLAG, FRAME } from "../../src/http2/frame.js";
import { Opening, type OpeningStep } from "../../src/http2/opening.js";
import { bytesOf, clientSettings, confirmation, headersFrame, huffman } from "./client-bytes.js";

const request = headersFrame(huffman("127.0.0.1:2379"));
const urlRequest = headersFrame(huffman("http://127.0.0.1:2379"));
const windowUpdate = connectionFrame(8, 0, Uint8Array.of(0, 1, 0, 0));
const ping = connectionFrame(FRAME.ping, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
const pong = connectionFrame(FRAME.ping, FLAG.ack, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
const data = connectionFrame(0, 1, new Uint8Array(100));

/** The steps for bytes that come in pieces. */
function play(bytes: Uint8Array, cuts: readonly number[] = []): OpeningStep[] {
  const opening = new Opening();
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  let from = 0;
  const steps: OpeningStep[] = [];
  for (const end of ends) {
    steps.push(opening.receive(bytes.subarray(from, end)));
    from = end;
    if (steps.at(-1)?.kind !== "continue") break;
  }
  return steps;
}

describe("the opening of a connection", () => {
  it("ends with the first request, once our settings are confirmed, in whatever order and pieces they come", () => {
    const orders = [
      [clientSettings, confirmation, windowUpdate, request],
      [clientSettings, windowUpdate, request, data, confirmation],
      [clientSettings, request, confirmation],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...orders), fc.array(fc.nat(), { maxLength: 6 }), (frames, cuts) => {
        const last = play(bytesOf(...frames), cuts).at(-1);
        // All that was sent, without what was meant for us.
        const expected = bytesOf(...frames.filter((frame) => frame !== confirmation));
        expect(last).toEqual({ kind: "request", bytes: expect.anything() as unknown, urlAuthority: false });
        if (last?.kind === "request") expect(Buffer.compare(last.bytes, expected)).toBe(0);
      }),
    );
  });

  it("tells a request whose authority is a URL", () => {
    expect(play(bytesOf(clientSettings, confirmation, urlRequest)).at(-1)).toMatchObject({ urlAuthority: true });
  });

  it("what comes behind the first request is not looked at", () => {
    const later = bytesOf(clientSettings, confirmation, request, ping, confirmation);
    const [step] = play(later);
    expect(
      step?.kind === "request" && Buffer.compare(step.bytes, bytesOf(clientSettings, request, ping, confirmation)),
    ).toBe(0);
  });

  it("answers pings meanwhile", () => {
    const opening = new Opening();
    expect(opening.receive(bytesOf(clientSettings, confirmation, ping))).toEqual({ kind: "continue", reply: pong });
    const step = opening.receive(request);
    expect(step.kind === "request" && Buffer.compare(step.bytes, bytesOf(clientSettings, request))).toBe(0);
  });

  it("waits for whatever is missing", () => {
    for (const bytes of [
      CLIENT_PREFACE,
      bytesOf(clientSettings),
      bytesOf(clientSettings, request),
      bytesOf(clientSettings, confirmation),
    ]) {
      expect(play(bytes).at(-1)).toMatchObject({ kind: "continue" });
    }
  });

  it("refuses what is no HTTP/2, at its first wrong byte", () => {
    expect(play(Buffer.from("GET / HTTP/1.1\r\n")).at(-1)).toEqual({ kind: "refused" });
    expect(play(Buffer.from("PRI * HTTP/1.1")).at(-1)).toEqual({ kind: "refused" });
    expect(play(Buffer.from("P")).at(-1)).toMatchObject({ kind: "continue" });
  });

  it("holds back only so much", () => {
    const opening = new Opening();
    let step = opening.receive(bytesOf(clientSettings, request));
    for (let i = 0; i < 100 && step.kind === "continue"; i++) step = opening.receive(new Uint8Array(16_384));
    expect(step).toEqual({ kind: "refused" });
  });
});
