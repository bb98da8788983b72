import { expect, test } from "vitest";
import { helloOf } from "../../src/transport/hello.js";
import type { TransportLimits } from "../../src/transport/index.js";
import { FORWARDS_PENDING_MAX, SNAPSHOT_PIECE_BYTES_MAX } from "../../src/transport/limits.js";
import { newCluster, twoMembers } from "./cluster.js";
import { encodeFrame } from "./frames.js";
import { addressOf, CLUSTER, GROUP } from "./member.js";
import type { MemoryNetwork } from "./memory-network.js";
import { append, heartbeat, snapshotMessage } from "./messages.js";
import { RawPeer } from "./raw-peer.js";

test("messages arrive as they were sent, in order, wherever the stream is cut", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { clock, a, b } = await twoMembers({}, seed);
    const sent = [];
    for (let turn = 0; turn < 30; turn++) {
      const messages = [heartbeat(1, 2, turn), append(1, 2, { entries: turn, payloadBytes: 40 })];
      sent.push(...messages);
      a.transport.send(messages);
      a.transport.flush();
      await clock.run(turn % 3);
    }
    await clock.until("all have come", () => b.messages.length === sent.length);
    expect(b.messages).toEqual(sent);
    expect(a.transport.stats()).toMatchObject({ messagesSent: 60, messagesDropped: 0 });
    expect(b.transport.stats()).toMatchObject({ messagesReceived: 60 });
  }
});

test("all messages of a turn for a peer are one write, and come as one delivery", async () => {
  const { clock, network, open } = newCluster();
  const [a, b, c] = [await open(1), await open(2), await open(3)];
  for (const [member, others] of [
    [a, [2, 3]],
    [b, [1, 3]],
    [c, [1, 2]],
  ] as const) {
    for (const id of others) member.transport.setPeer(id, addressOf(id));
  }
  await clock.until("all are up", () => [a, b, c].every((member) => member.events.length === 2));
  await clock.run(10);
  network.writes = [];
  for (let i = 0; i < 5; i++) a.transport.send([heartbeat(1, 2, i), heartbeat(1, 3, i), append(1, 2, { entries: 64 })]);
  expect(network.writes).toEqual([]);
  a.transport.flush();
  expect(network.writes.map(({ from, to }) => `${from} → ${to}`)).toEqual(["m1 → m2:2380", "m1 → m3:2380"]);
  a.transport.flush();
  expect(network.writes).toHaveLength(2);
  await clock.until("all have come", () => b.messages.length === 10 && c.messages.length === 5);
  expect([b.deliveries, c.deliveries]).toEqual([1, 1]);
});

test("what is sent while the first dial is under way waits for it", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  a.transport.setPeer(2, addressOf(2));
  a.transport.send([heartbeat(1, 2, 1)]);
  a.transport.flush();
  await clock.until("it has come", () => b.messages.length === 1);
  expect(a.transport.stats()).toMatchObject({ messagesSent: 1, messagesDropped: 0 });
});

test("what is sent to a peer that can't be reached is dropped and counted, and not sent when it is back", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  a.transport.setPeer(2, addressOf(2));
  await clock.until("the dial has failed", () => a.lines("peer can't be reached").length === 1);
  a.transport.send([heartbeat(1, 2, 1)]);
  a.transport.flush();
  expect(a.transport.stats().messagesDropped).toBe(1);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  await clock.until("it is up", () => a.events.includes("up 2"));
  await clock.run(100);
  expect(b.messages).toEqual([]);
});

test("messages for nobody, snapshots, and what no frame holds are dropped and logged, and nothing throws", async () => {
  const { clock, a, b } = await twoMembers();
  const huge = append(1, 2, { entries: 1, payloadBytes: 9 * 1024 * 1024 });
  a.transport.send([heartbeat(1, 9, 1), snapshotMessage(1, 2), huge, huge, heartbeat(1, 2, 3)]);
  a.transport.flush();
  await clock.until("the rest has come", () => b.messages.length === 1);
  expect(a.transport.stats().messagesDropped).toBe(4);
  expect(a.lines("message not sent: no such peer, or none of a stream")).toHaveLength(2);
  expect(a.lines("message not sent: it is over the limits of a frame")).toHaveLength(1);
});

test("a peer that reads slowly gets everything the queue holds, the rest is dropped, heartbeats first", async () => {
  const { clock, network, a, b } = await twoMembers({ outboxBytes: 500_000, queuedBytesHigh: 100_000 });
  network.hold("m2");
  network.cut = (bytes) => Math.min(bytes, 4096);
  for (let i = 0; i < 200; i++) {
    a.transport.send([heartbeat(1, 2, i), append(1, 2, { entries: 1, payloadBytes: 10_000 })]);
    a.transport.flush();
  }
  const { messagesDropped, bytesSent } = a.transport.stats();
  // Bounded: a socket's buffer, what may be queued, and one more write.
  expect(bytesSent).toBeLessThan(64 * 1024 + 100_000 + 20_000);
  expect(messagesDropped).toBeGreaterThan(100);
  expect(messagesDropped).toBeLessThan(400);
  network.release("m2");
  await clock.until("all that was kept has come", () => b.messages.length === 400 - messagesDropped);
  await clock.run(1_000);
  expect(b.messages).toHaveLength(400 - messagesDropped);
  const appends = b.messages.filter(({ type }) => type === "append");
  expect(appends.length).toBeGreaterThan(50);
  // The newest heartbeats are kept in what room is left, the older ones have made room for appends.
  const heartbeats = b.messages.flatMap((message) => (message.type === "heartbeat" ? [message.commit] : []));
  expect(heartbeats.at(-1)).toBe(199);
  expect(heartbeats.length).toBeLessThan(200 - 30);
  // It did not lose the connection over it.
  expect([a.events, b.events]).toEqual([["up 2"], ["up 1"]]);
});

test("a slow reader gets large messages in several writes, each once the one before is through", async () => {
  const { clock, a, b } = await twoMembers({ queuedBytesHigh: 50_000 });
  for (let i = 0; i < 10; i++) a.transport.send([append(1, 2, { entries: 2, payloadBytes: 1_000_000 })]);
  a.transport.flush();
  const before = a.transport.stats().messagesSent;
  expect(before).toBeLessThan(10);
  await clock.until("all have come", () => b.messages.length === 10);
});

// Of the first version of the protocol: its messages say themselves whom they are from.
const two = { clusterId: CLUSTER, memberId: 2, incarnation: 1, group: GROUP, name: "two" };
const hello = helloOf(two, 1, "messages", { min: 1, max: 1 });

interface Impostor {
  readonly raw: RawPeer;
  readonly network: MemoryNetwork;
  /** Gives the reason for which the connection was closed. */
  readonly sendAndSee: (...frames: readonly Uint8Array[]) => Promise<string>;
}

async function impostor(limits: Partial<TransportLimits> = {}): Promise<Impostor> {
  const { clock, network, open } = newCluster();
  const a = await open(1, { limits });
  a.transport.setPeer(2, "nowhere:1");
  const raw = new RawPeer(network.of("raw"), addressOf(1));
  raw.write(encodeFrame(hello));
  await clock.until("it is accepted", () => raw.frames.length === 1);
  expect(raw.frames[0]?.kind).toBe("hello-accepted");
  const sendAndSee = async (...frames: readonly Uint8Array[]): Promise<string> => {
    raw.write(...frames);
    await clock.until("it is closed", () => a.lines("peer's connection ended").length === 1, 2_000);
    expect(a.messages).toEqual([]);
    return String(a.lines("peer's connection ended")[0]?.fields["reason"]);
  };
  return { raw, network, sendAndSee };
}

test("a frame over the limit closes the connection, with the reason in the log", async () => {
  const { sendAndSee } = await impostor();
  const header = encodeFrame({ kind: "snapshot-piece", position: 0, bytes: new Uint8Array(10) }).slice(0, 24);
  new DataView(header.buffer).setUint32(4, 0xffff_ffff, true);
  expect(await sendAndSee(header)).toContain("a frame is larger than the limit");
});

test("a piece of a snapshot over its own limit closes the connection", async () => {
  const { sendAndSee } = await impostor();
  const bytes = new Uint8Array(SNAPSHOT_PIECE_BYTES_MAX + 1);
  expect(await sendAndSee(encodeFrame({ kind: "snapshot-piece", position: 0, bytes }))).toContain("too large");
});

test.each([
  ["in another member's name", [heartbeat(3, 1, 1)]],
  ["for another member", [heartbeat(2, 3, 1)]],
  ["of a snapshot without its stream", [snapshotMessage(2, 1)]],
  ["of which only the last is wrong", [heartbeat(2, 1, 1), heartbeat(3, 1, 1)]],
])("messages %s close the connection, and none of them gets through", async (_name, messages) => {
  const { sendAndSee } = await impostor();
  expect(await sendAndSee(encodeFrame({ kind: "messages", messages }))).toContain("does not belong");
});

test("a frame of another group closes the connection", async () => {
  const { sendAndSee } = await impostor();
  const bytes = encodeFrame({ kind: "messages", messages: [heartbeat(2, 1, 1)] }, GROUP + 1);
  expect(await sendAndSee(bytes)).toContain("another group");
});

test("a hello in the middle, or a piece of a snapshot, closes the connection", async () => {
  expect(await (await impostor()).sendAndSee(encodeFrame(hello))).toContain("a hello frame");
  const piece = encodeFrame({ kind: "snapshot-piece", position: 0, bytes: new Uint8Array(1) });
  expect(await (await impostor()).sendAndSee(piece)).toContain("a snapshot-piece frame");
});

test("forwards without end close the connection", async () => {
  const { sendAndSee, network } = await impostor();
  network.cut = (bytes) => bytes;
  const forwards = Array.from({ length: 2 * FORWARDS_PENDING_MAX + 1 }, (_, i) =>
    encodeFrame({ kind: "forward", requestId: i, commands: [] }),
  );
  expect(await sendAndSee(...forwards)).toContain("more forwards than the limit");
});

test("pings by one who never reads the pongs close the connection", async () => {
  const { sendAndSee, network } = await impostor({ queuedBytesHigh: 10_000 });
  network.cut = (bytes) => bytes;
  network.hold("raw");
  const ping = encodeFrame({ kind: "ping", sequence: 1 });
  const pings = Array.from({ length: 4_000 }, () => ping);
  expect(await sendAndSee(...pings)).toContain("does not read");
  network.release("raw");
});

test("a ping is answered with its number", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  a.transport.setPeer(2, "nowhere:1");
  const raw = new RawPeer(network.of("raw"), addressOf(1));
  raw.write(encodeFrame(hello), encodeFrame({ kind: "ping", sequence: 17 }));
  await clock.until("two frames", () => raw.frames.length === 2);
  expect(raw.frames[1]).toEqual({ kind: "pong", sequence: 17 });
});

test("an address in use and a bad name are told", async () => {
  const { open } = newCluster();
  await open(1);
  await expect(open(2, { listen: addressOf(1) })).rejects.toMatchObject({ code: "address-in-use" });
  await expect(open(3, { name: "ö".repeat(300) })).rejects.toMatchObject({ code: "invalid-argument" });
});
