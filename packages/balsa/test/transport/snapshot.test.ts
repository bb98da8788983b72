import { expect, test } from "vitest";
import type { SnapshotMessage } from "../../src/core/index.js";
import { helloOf } from "../../src/transport/hello.js";
import type { SnapshotOutcome, SnapshotSource } from "../../src/transport/index.js";
import { TRANSPORT_LIMITS } from "../../src/transport/limits.js";
import { concat } from "../codec/concat.js";
import { newCluster, twoMembers } from "./cluster.js";
import { encodeFrame } from "./frames.js";
import { addressOf, CLUSTER, GROUP, type Member } from "./member.js";
import { append, snapshotMessage } from "./messages.js";
import { RawPeer } from "./raw-peer.js";
import { fileOf, Sink, sourceOf } from "./snapshot-file.js";

/** `b` takes snapshots into sinks of its own, one after the other. */
function takesInto(b: Member, prepare: (sink: Sink) => void = () => {}): Sink[] {
  const sinks: Sink[] = [];
  b.openSnapshot = () => {
    const sink = new Sink();
    prepare(sink);
    sinks.push(sink);
    return Promise.resolve(sink);
  };
  return sinks;
}

function send(from: Member, message: SnapshotMessage, source: SnapshotSource): SnapshotOutcome[] {
  const outcomes: SnapshotOutcome[] = [];
  from.transport.sendSnapshot(message, source, (outcome) => outcomes.push(outcome));
  expect(outcomes).toEqual([]);
  return outcomes;
}

test("F3 a snapshot of several megabytes arrives whole, in bounded pieces, and both sides say so", async () => {
  for (const [seed, bytes] of [
    [1, 5_000_003],
    [2, 256 * 1024],
    [3, 1],
  ] as const) {
    const { clock, network, a, b } = await twoMembers({}, seed);
    network.cut = (length) => Math.min(length, 1 + ((seed * 7919) % 60_000));
    const sinks = takesInto(b);
    const file = fileOf(bytes);
    const source = sourceOf(file);
    const outcomes = send(a, snapshotMessage(1, 2), source);
    await clock.until("it is delivered", () => outcomes.length === 1);
    expect(outcomes).toEqual(["delivered"]);
    expect(Buffer.compare(concat(sinks[0]?.pieces ?? []), file)).toBe(0);
    expect(sinks.map(({ outcome }) => outcome)).toEqual(["finished"]);
    expect(b.snapshots).toEqual([snapshotMessage(1, 2)]);
    expect(source.reads).toBe(Math.ceil(bytes / TRANSPORT_LIMITS.snapshotPieceBytes));
    expect(a.lines("snapshot sent")[0]?.fields).toMatchObject({ peer: 2, index: 42, bytes });
    expect(b.lines("snapshot received")[0]?.fields).toMatchObject({ peer: 1, index: 42, bytes });
    await clock.run(100);
    expect(network.ends.size).toBe(4);
  }
});

test("the owner hears of a snapshot only once its sink has finished", async () => {
  const { clock, a, b } = await twoMembers();
  let finish: (() => void) | undefined;
  const sink = new Sink();
  sink.finish = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  b.openSnapshot = () => Promise.resolve(sink);
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(10)));
  await clock.until("it is being checked", () => finish !== undefined);
  // However long that takes.
  await clock.run(50_000);
  expect([b.snapshots, outcomes]).toEqual([[], []]);
  finish?.();
  await clock.until("it is delivered", () => outcomes.length === 1);
  expect(b.snapshots).toHaveLength(1);
});

test("a sender runs no further ahead of the receiver's disk than the window", async () => {
  const limits = { snapshotPieceBytes: 10_000, snapshotWindowBytes: 30_000 };
  const { clock, a, b } = await twoMembers(limits);
  const sinks = takesInto(b, (sink) => sink.hold());
  const source = sourceOf(fileOf(200_000));
  const outcomes = send(a, snapshotMessage(1, 2), source);
  await clock.run(1_000);
  expect(source.reads).toBe(3);
  sinks[0]?.release();
  await clock.until("it is delivered", () => outcomes.length === 1);
  expect(source.reads).toBe(20);
});

test("messages do not wait behind a snapshot", async () => {
  const { clock, network, a, b } = await twoMembers();
  network.cut = (bytes) => Math.min(bytes, 10_000);
  const sinks = takesInto(b);
  send(a, snapshotMessage(1, 2), sourceOf(fileOf(5_000_000)));
  await clock.until("it is under way", () => (sinks[0]?.bytes ?? 0) > 0);
  a.transport.send([append(1, 2, { entries: 1 })]);
  a.transport.flush();
  await clock.until("the message has come", () => b.messages.length === 1, 50);
  expect(sinks[0]?.outcome).toBe("open");
});

test("a receiver that refuses: failed at the sender, with the reason in its log, and nothing read", async () => {
  const { clock, a, b } = await twoMembers();
  const source = sourceOf(fileOf(100));
  const outcomes = send(a, snapshotMessage(1, 2), source);
  await clock.until("it has failed", () => outcomes.length === 1);
  expect(outcomes).toEqual(["failed"]);
  expect(source.reads).toBe(0);
  expect(a.lines("snapshot not sent")[0]?.fields["reason"]).toBe("the receiver refuses it");
  expect(b.snapshots).toEqual([]);
});

test.each<[string, (sink: Sink) => void, string]>([
  ["can't write a piece", (sink) => (sink.writeFails = true), "the receiver can't take it"],
  ["finds it unsound at the end", (sink) => (sink.finishFails = true), "a block's checksum does not fit"],
])("a receiver that %s: failed, its sink aborted, the cause in its log", async (_name, prepare, reason) => {
  const { clock, a, b } = await twoMembers();
  const sinks = takesInto(b, prepare);
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(1_000_000)));
  await clock.until("it has failed", () => outcomes.length === 1);
  await clock.run(10);
  expect(outcomes).toEqual(["failed"]);
  expect(a.lines("snapshot not sent")[0]?.fields["reason"]).toBe(reason);
  expect(b.lines("snapshot not received")[0]?.fields["cause"]).toBeInstanceOf(Error);
  expect(sinks.map(({ outcome }) => outcome)).toEqual(["aborted"]);
  expect(b.snapshots).toEqual([]);
});

test("a receiver that can't open a place for it: failed", async () => {
  const { clock, a, b } = await twoMembers();
  b.openSnapshot = () => Promise.reject(new Error("no room"));
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(10)));
  await clock.until("it has failed", () => outcomes.length === 1);
  expect(outcomes).toEqual(["failed"]);
});

test("a sender whose file can't be read: failed, and the receiver's sink suspended", async () => {
  const { clock, a, b } = await twoMembers();
  const sinks = takesInto(b);
  const source = sourceOf(fileOf(2_000_000));
  const read = source.readRaw;
  source.readRaw = (position, lengthBytes) =>
    position > 500_000 ? Promise.reject(new Error("bad sector")) : read(position, lengthBytes);
  const outcomes = send(a, snapshotMessage(1, 2), source);
  await clock.until("the sink is let go of", () => sinks[0]?.outcome === "suspended");
  expect(outcomes).toEqual(["failed"]);
});

test("a file that became shorter is not sent", async () => {
  const { clock, a, b } = await twoMembers();
  const sinks = takesInto(b);
  const file = fileOf(1000);
  const outcomes = send(a, snapshotMessage(1, 2), { ...sourceOf(file), fileBytes: 1500 });
  await clock.until("the sink is let go of", () => sinks[0]?.outcome === "suspended");
  expect(outcomes).toEqual(["failed"]);
});

test("a receiver that dies midway: failed at once, and a later one goes through", async () => {
  const { clock, network, open, a, b } = await twoMembers();
  const dying = takesInto(b, (sink) => sink.hold());
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(3_000_000)));
  await clock.until("it is under way", () => dying[0]?.isHolding === true);
  network.kill("m2");
  dying[0]?.release();
  await clock.until("it has failed", () => outcomes.length === 1, 10);
  expect(outcomes).toEqual(["failed"]);
  const again = await open(2);
  again.transport.setPeer(1, addressOf(1));
  const sinks = takesInto(again);
  await clock.until("it is back", () => a.events.at(-1) === "up 2");
  const later = send(a, snapshotMessage(1, 2), sourceOf(fileOf(3_000_000)));
  await clock.until("it is delivered", () => later.length === 1);
  expect([later, sinks[0]?.outcome]).toEqual([["delivered"], "finished"]);
});

test("a sender that dies midway: the receiver's sink is suspended, and nothing comes of it yet", async () => {
  const { clock, network, a, b } = await twoMembers();
  const sinks = takesInto(b);
  network.cut = (bytes) => Math.min(bytes, 10_000);
  send(a, snapshotMessage(1, 2), sourceOf(fileOf(3_000_000)));
  await clock.until("it is under way", () => (sinks[0]?.bytes ?? 0) > 0);
  network.kill("m1");
  await clock.until("the sink is let go of", () => sinks[0]?.outcome === "suspended", 100);
  expect(b.snapshots).toEqual([]);
});

test("a stream that stands still is given up on both sides", async () => {
  const { clock, network, a, b } = await twoMembers();
  const sinks = takesInto(b);
  network.cut = (bytes) => Math.min(bytes, 10_000);
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(3_000_000)));
  await clock.until("it is under way", () => (sinks[0]?.bytes ?? 0) > 0);
  network.hold("m1");
  network.hold("m2");
  await clock.until("both have given up", () => outcomes.length === 1 && sinks[0]?.outcome === "suspended", 70_000);
  expect(outcomes).toEqual(["failed"]);
  network.release("m1");
  network.release("m2");
  await clock.until("they are back", () => a.events.at(-1) === "up 2");
});

test("touch is lost while the receiver's answer is waited for: failed with the connection, long before the stream's own limit", async () => {
  const { clock, network, a, b } = await twoMembers();
  const sinks = takesInto(b, (sink) => sink.hold());
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(fileOf(1_000)));
  await clock.until("all has been sent", () => sinks[0]?.isHolding === true);
  network.hold("m1");
  network.hold("m2");
  await clock.until("it has failed", () => outcomes.length === 1, 10_000);
  expect([outcomes, a.events.at(-1)]).toEqual([["failed"], "down 2"]);
  network.release("m1");
  network.release("m2");
  sinks[0]?.release();
});

test("one at a time to a peer: another is failed at once, in a turn of its own", async () => {
  const { clock, a, b } = await twoMembers();
  const sinks = takesInto(b, (sink) => sink.hold());
  const first = send(a, snapshotMessage(1, 2), sourceOf(fileOf(10)));
  await clock.until("it is under way", () => sinks.length === 1);
  const second = send(a, snapshotMessage(1, 2, 43), sourceOf(fileOf(10)));
  await clock.until("the second has failed", () => second.length === 1, 1);
  expect([first, second]).toEqual([[], ["failed"]]);
  sinks[0]?.release();
  await clock.until("the first is delivered", () => first.length === 1);
  const nobody = send(a, snapshotMessage(1, 9), sourceOf(fileOf(10)));
  await clock.until("there is no such peer", () => nobody.length === 1, 1);
  expect(nobody).toEqual(["failed"]);
});

test("an older stream of the same peer gives way, and lets go before the newer one opens", async () => {
  const { clock, network, open } = newCluster();
  const b = await open(2);
  b.transport.setPeer(1, "nowhere:1");
  const sinks = takesInto(b, (sink) => sink.hold());
  const hello = helloOf({ clusterId: CLUSTER, memberId: 1, incarnation: 1, group: GROUP, name: "a" }, 2, "snapshot");
  const offer = encodeFrame({ kind: "snapshot-offer", message: snapshotMessage(1, 2), fileBytes: 10 });
  const piece = encodeFrame({ kind: "snapshot-piece", position: 0, bytes: new Uint8Array(10) });
  const first = new RawPeer(network.of("raw"), addressOf(2));
  first.write(encodeFrame(hello), offer, piece);
  await clock.until("the first is under way", () => sinks[0]?.isHolding === true);
  const second = new RawPeer(network.of("raw"), addressOf(2));
  second.write(encodeFrame(hello), offer, piece);
  await clock.until("the first is closed", () => first.closed);
  await clock.run(100);
  // Its last write is still under way.
  expect(sinks.map(({ outcome }) => outcome)).toEqual(["open"]);
  sinks[0]?.release();
  await clock.until("the second is open", () => sinks.length === 2);
  expect(sinks[0]?.outcome).toBe("suspended");
  sinks[1]?.release();
  await clock.until("the second is through", () => second.frames.at(-1)?.kind === "snapshot-done");
  expect(b.snapshots).toHaveLength(1);
  second.close();
});

const piece = (position: number, bytes: number): Uint8Array =>
  encodeFrame({ kind: "snapshot-piece", position, bytes: new Uint8Array(bytes) });
const offer = (message: SnapshotMessage, fileBytes: number): Uint8Array =>
  encodeFrame({ kind: "snapshot-offer", message, fileBytes });

test.each<[string, readonly Uint8Array[], string]>([
  ["without an offer", [piece(0, 5)], "instead of an offer"],
  ["of another member", [offer(snapshotMessage(3, 2), 10)], "from or for another member"],
  ["for another member", [offer(snapshotMessage(1, 3), 10)], "from or for another member"],
  ["with a gap", [offer(snapshotMessage(1, 2), 10), piece(1, 5)], "out of place"],
  ["with a piece twice", [offer(snapshotMessage(1, 2), 10), piece(0, 5), piece(0, 5)], "out of place"],
  ["longer than its offer", [offer(snapshotMessage(1, 2), 10), piece(0, 11)], "out of place"],
  [
    "with another frame inside",
    [offer(snapshotMessage(1, 2), 10), encodeFrame({ kind: "messages", messages: [] })],
    "instead of a piece",
  ],
  [
    "that ignores the window",
    [offer(snapshotMessage(1, 2), 2 ** 30), ...Array.from({ length: 9 }, () => piece(0, 2 ** 20))],
    "window",
  ],
  [
    "in a thousand tiny pieces at once",
    [offer(snapshotMessage(1, 2), 5000), ...Array.from({ length: 1000 }, (_, i) => piece(i, 1))],
    "window",
  ],
])("a stream %s fails, with the reason told, and its sink aborted", async (_name, frames, reason) => {
  const { clock, network, open } = newCluster();
  network.cut = (bytes) => bytes;
  const b = await open(2);
  b.transport.setPeer(1, "nowhere:1");
  const sinks = takesInto(b, (sink) => sink.hold());
  const raw = new RawPeer(network.of("raw"), addressOf(2));
  const hello = helloOf({ clusterId: CLUSTER, memberId: 1, incarnation: 1, group: GROUP, name: "a" }, 2, "snapshot");
  raw.write(encodeFrame(hello), ...frames);
  await clock.run(500);
  for (const sink of sinks) sink.release();
  await clock.until("it is told", () => raw.frames.at(-1)?.kind === "snapshot-failed");
  expect(raw.frames.at(-1)).toMatchObject({ reason: expect.stringContaining(reason) });
  await clock.until("it is closed", () => raw.closed, 4_000);
  expect(sinks.every(({ outcome }) => outcome === "aborted")).toBe(true);
  expect(b.snapshots).toEqual([]);
});

test("F3 a part that is there from an earlier try is not sent again", async () => {
  const { clock, a, b } = await twoMembers();
  const file = fileOf(2_000_000);
  const sink = new Sink(file.slice(0, 1_234_567));
  b.openSnapshot = () => Promise.resolve(sink);
  const source = sourceOf(file);
  const outcomes = send(a, snapshotMessage(1, 2), source);
  await clock.until("it is delivered", () => outcomes.length === 1);
  expect(outcomes).toEqual(["delivered"]);
  expect([sink.outcome, sink.restarts]).toEqual(["finished", 0]);
  expect(Buffer.compare(concat(sink.pieces), file)).toBe(0);
  expect(source.reads).toBe(Math.ceil((2_000_000 - 1_234_567) / TRANSPORT_LIMITS.snapshotPieceBytes));
});

test.each<[string, (file: Uint8Array) => Uint8Array]>([
  ["another file", (file) => fileOf(file.length + 1).slice(0, 600_000)],
  ["more than there is", (file) => concat([file, new Uint8Array(5)])],
])("a part of %s is of no use: the file is sent from its beginning", async (_name, partOf) => {
  const { clock, a, b } = await twoMembers();
  const file = fileOf(1_000_000);
  const sink = new Sink(partOf(file));
  b.openSnapshot = () => Promise.resolve(sink);
  const outcomes = send(a, snapshotMessage(1, 2), sourceOf(file));
  await clock.until("it is delivered", () => outcomes.length === 1);
  expect([sink.outcome, sink.restarts]).toEqual(["finished", 1]);
  expect(Buffer.compare(concat(sink.pieces), file)).toBe(0);
});

test("F3 snapshots take no more of the network than their budget, all together, and messages don't wait for it", async () => {
  const { clock, open, a, b } = await twoMembers({ snapshotBytesPerS: 1_000_000, snapshotPieceBytes: 100_000 });
  const c = await open(3);
  a.transport.setPeer(3, addressOf(3));
  c.transport.setPeer(1, addressOf(1));
  await clock.until("they are connected", () => a.events.includes("up 3"));
  const sinks = [takesInto(b), takesInto(c)];
  const begunMs = clock.now();
  const outcomes = [
    send(a, snapshotMessage(1, 2), sourceOf(fileOf(2_000_000))),
    send(a, snapshotMessage(1, 3), sourceOf(fileOf(2_000_000))),
  ];
  const received = (): number => sinks.flat().reduce((sum, sink) => sum + sink.bytes, 0);
  for (let ms = 200; ms <= 3_000; ms += 200) {
    await clock.run(200);
    expect(received()).toBeLessThanOrEqual((clock.now() - begunMs) * 1_000 + 2 * 100_000);
  }
  a.transport.send([append(1, 2, { entries: 1 })]);
  a.transport.flush();
  await clock.until("the message has come", () => b.messages.length === 1, 50);
  await clock.until("both are delivered", () => outcomes.flat().length === 2);
  const tookMs = clock.now() - begunMs;
  expect(tookMs).toBeGreaterThan(3_800);
  expect(tookMs).toBeLessThan(4_500);
});

test("closing the transport fails what is on its way, and waits for its sinks", async () => {
  const { clock, a, b } = await twoMembers();
  const toB = takesInto(b, (sink) => sink.hold());
  const toA = takesInto(a, (sink) => sink.hold());
  const outcomes = [
    send(a, snapshotMessage(1, 2), sourceOf(fileOf(10))),
    send(b, snapshotMessage(2, 1), sourceOf(fileOf(10))),
  ];
  await clock.until("both are under way", () => toA[0]?.isHolding === true && toB[0]?.isHolding === true);
  let closed = false;
  const closing = a.transport.close().then(() => {
    closed = true;
  });
  await clock.run(100);
  expect(outcomes).toEqual([["failed"], ["failed"]]);
  expect(closed).toBe(false);
  toA[0]?.release();
  await closing;
  expect(toA[0]?.outcome).toBe("suspended");
  toB[0]?.release();
  await clock.until("the other side's too", () => toB[0]?.outcome === "suspended");
});
