// What the other tests show on a network in memory, once more on the real one.
import { expect, onTestFinished, test } from "vitest";
import type { PeerMessage } from "../../src/core/index.js";
import { nodeClock, nodeNetwork, nodeRandom } from "../../src/platform/node/index.js";
import { concat } from "../codec/concat.js";
import { encodeFrame } from "./frames.js";
import { Member, type MemberOptions } from "./member.js";
import { append, heartbeat, snapshotMessage } from "./messages.js";
import { RawPeer } from "./raw-peer.js";
import { fileOf, Sink, sourceOf } from "./snapshot-file.js";

const platform: MemberOptions["platform"] = () => ({
  clock: nodeClock,
  network: nodeNetwork(),
  random: nodeRandom,
});

async function open(id: number, options: Partial<MemberOptions> = {}): Promise<Member> {
  const member = await Member.open(id, { platform, listen: "127.0.0.1:0", ...options });
  onTestFinished(() => member.transport.close());
  return member;
}

async function two(options: Partial<MemberOptions> = {}): Promise<{ readonly a: Member; readonly b: Member }> {
  const [a, b] = [await open(1, options), await open(2, options)];
  a.transport.setPeer(2, b.transport.address);
  b.transport.setPeer(1, a.transport.address);
  await Promise.all([a.until(() => a.events.includes("up 2")), b.until(() => b.events.includes("up 1"))]);
  return { a, b };
}

test("TCP: messages both ways arrive in order, and as they were sent", async () => {
  const { a, b } = await two();
  const sent: PeerMessage[] = [];
  for (let turn = 0; turn < 60; turn++) {
    const messages = [heartbeat(1, 2, turn), append(1, 2, { entries: turn % 70, payloadBytes: 256 })];
    sent.push(...messages);
    a.transport.send(messages);
    a.transport.flush();
    b.transport.send([heartbeat(2, 1, turn)]);
    b.transport.flush();
    if (turn % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await b.until(() => b.messages.length === sent.length);
  await a.until(() => a.messages.length === 60);
  expect(b.messages).toEqual(sent);
  expect(a.transport.stats().messagesDropped).toBe(0);
});

test("TCP: an entry of 8 MiB, and forwards with their answers, go through", async () => {
  const { a, b } = await two();
  a.transport.send([append(1, 2, { entries: 1, payloadBytes: 8 * 1024 * 1024 })]);
  expect(a.transport.forward(2, 5, [Uint8Array.of(1), new Uint8Array(1_000_000)])).toBe(true);
  a.transport.flush();
  await b.until(() => b.forwards.length === 1);
  expect(b.messages).toHaveLength(1);
  b.transport.answerForward(1, 5, { kind: "accepted", firstIndex: 3, term: 2 });
  b.transport.flush();
  await a.until(() => a.answers.length === 1);
});

test("TCP: a peer that goes is noticed at once, and met again on the same port", async () => {
  const { a, b } = await two();
  const { address } = b.transport;
  const from = performance.now();
  await b.transport.close();
  await a.until(() => a.events.at(-1) === "down 2");
  expect(performance.now() - from).toBeLessThan(500);
  const again = await open(2, { listen: address });
  again.transport.setPeer(1, a.transport.address);
  await a.until(() => a.events.at(-1) === "up 2");
  await again.until(() => again.events.at(-1) === "up 1");
  expect(a.events).toEqual(["up 2", "down 2", "up 2"]);
});

test("TCP: a snapshot of several megabytes arrives whole", async () => {
  const { a, b } = await two();
  const file = fileOf(6_000_001);
  const sink = new Sink();
  b.openSnapshot = () => Promise.resolve(sink);
  const outcome = new Promise((resolve) => a.transport.sendSnapshot(snapshotMessage(1, 2), sourceOf(file), resolve));
  expect(await outcome).toBe("delivered");
  await b.until(() => b.snapshots.length === 1);
  expect(Buffer.compare(concat(sink.pieces), file)).toBe(0);
});

test("TCP: a peer that does not read costs a bounded queue, and gets the rest when it reads again", async () => {
  const a = await open(1, { limits: { outboxBytes: 1_000_000, queuedBytesHigh: 200_000 } });
  let read = (): void => {};
  let received = 0;
  const answer = { kind: "hello-accepted", protocol: 1, memberId: 2, incarnation: 1, name: "slow" } as const;
  const listener = await nodeNetwork().listen("127.0.0.1:0", (connection) => {
    read = () => connection.resume();
    return {
      onOpen: () => {},
      onData: (bytes) => {
        if (received === 0) {
          connection.write([encodeFrame(answer)]);
          connection.pause();
        }
        received += bytes.length;
        waiting();
      },
      onDrain: () => {},
      onClose: () => {},
    };
  });
  onTestFinished(() => listener.close());
  let waiting = (): void => {};
  a.transport.setPeer(2, listener.address);
  await a.until(() => a.events.length === 1);
  while (a.transport.stats().messagesDropped === 0) {
    a.transport.send([append(1, 2, { entries: 1, payloadBytes: 100_000 })]);
    a.transport.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // What the system's buffers on both sides take, and what may be queued: some megabytes.
  expect(a.transport.stats().bytesSent).toBeLessThan(20_000_000);
  const all = a.transport.stats();
  const drained = new Promise<void>((resolve) => {
    waiting = () => {
      const { messagesSent, bytesSent } = a.transport.stats();
      if (messagesSent > all.messagesSent && received === bytesSent) resolve();
    };
  });
  read();
  await drained;
  expect(a.events).toEqual(["up 2"]);
});

test("TCP: garbage closes the connection", async () => {
  const a = await open(1);
  const raw = new RawPeer(nodeNetwork(), a.transport.address);
  raw.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await a.until(() => a.lines("connection closed: it is no peer's").length === 1);
  expect(a.lines("connection closed: it is no peer's")[0]?.fields["reason"]).toContain("not what peers send");
});

test("TCP: an address in use, or no address at all, is told", async () => {
  const a = await open(1);
  await expect(open(2, { listen: a.transport.address })).rejects.toMatchObject({ code: "address-in-use" });
  await expect(open(3, { listen: "nonsense" })).rejects.toMatchObject({ code: "invalid-argument" });
});
