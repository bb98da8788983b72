import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../src/codec/index.js";
import {
  answerHello,
  checkAccepted,
  type Hello,
  helloOf,
  PROTOCOL_MAX,
  readHello,
  readHelloRefused,
  type TransportIdentity,
  unknownSender,
  writeHello,
} from "../../src/transport/hello.js";
import type { PeerFrame } from "../../src/transport/peer-frame.js";
import { newCluster } from "./cluster.js";
import { encodeFrame } from "./frames.js";
import { addressOf, CLUSTER, GROUP, type Member } from "./member.js";
import { RawPeer } from "./raw-peer.js";

const self: TransportIdentity = { clusterId: CLUSTER, memberId: 1, incarnation: 7, group: GROUP, name: "one" };
const good = (): Hello => helloOf({ ...self, memberId: 2, incarnation: 8, name: "two" }, 1, "messages");
const knowsTwo = (hello: Hello) => (hello.from === 2 ? undefined : unknownSender(hello));

test("a hello that fits is accepted, with the newest version that both speak", () => {
  expect(answerHello(self, { ...good(), protocolMax: 99 }, knowsTwo)).toEqual({
    kind: "hello-accepted",
    protocol: PROTOCOL_MAX,
    memberId: 1,
    incarnation: 7,
    name: "one",
  });
});

test.each([
  ["of a later protocol", { protocolMin: 5, protocolMax: 9 }, "protocol", "5 to 9"],
  ["of an earlier protocol", { protocolMin: 0, protocolMax: 0 }, "protocol", "version 0; upgrade two"],
  ["of another cluster", { clusterId: CLUSTER + 1 }, "cluster", "1000000000004e"],
  ["of another group", { group: GROUP + 1 }, "group", "not 2"],
  ["for another member", { to: 3 }, "receiver", "not 3"],
  ["from a member that is no peer", { from: 4 }, "sender", "no peer"],
  ["from a member of this one's own ID", { from: 1 }, "sender", "no peer"],
])("a hello %s is refused, and the reason says so", (_name, change, code, reason) => {
  const answer = answerHello(self, { ...good(), ...change }, knowsTwo);
  expect(answer).toMatchObject({ kind: "hello-refused", code });
  expect(answer.kind === "hello-refused" && answer.reason).toContain(reason);
});

test("the dialling side checks who answered, and with which version", () => {
  const accepted = { kind: "hello-accepted", protocol: 1, memberId: 1, incarnation: 7, name: "one" } as const;
  expect(checkAccepted(good(), accepted, 0)).toBeUndefined();
  expect(checkAccepted(good(), accepted, 7)).toBeUndefined();
  expect(checkAccepted(good(), accepted, 6)).toContain("another data directory");
  expect(checkAccepted(good(), { ...accepted, memberId: 3 }, 0)).toContain("member 3");
  expect(checkAccepted(good(), { ...accepted, protocol: 9 }, 0)).toContain("version 9");
});

test("what later versions add to a hello or a refusal is skipped, their codes are taken as others", () => {
  const out = new ByteWriter();
  writeHello(out, good());
  out.text("something new");
  expect(readHello(new ByteReader(out.finish()), GROUP)).toEqual(good());
  out.u8(200);
  out.text("a reason that is not known yet");
  out.u64(1);
  expect(readHelloRefused(new ByteReader(out.finish()))).toEqual({
    kind: "hello-refused",
    code: "other",
    reason: "a reason that is not known yet",
  });
});

// The same, between transports.

test.each([
  ["another cluster", { clusterId: CLUSTER + 1 }, "this is a member of cluster"],
  ["another group", { group: GROUP + 1 }, "this is group 1"],
])("members of %s refuse each other, both say why in their logs, and say it once", async (_name, options, reason) => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const b = await open(2, options);
  a.transport.setPeer(2, addressOf(2));
  b.transport.setPeer(1, addressOf(1));
  await clock.run(8_000);
  expect([a.transport.connected(2), b.transport.connected(1)]).toEqual([false, false]);
  expect([...a.events, ...b.events]).toEqual([]);
  const dialler = b.lines("peer refuses the connection");
  expect(dialler).toHaveLength(1);
  expect(dialler[0]?.fields["reason"]).toContain(reason);
  const acceptor = a.lines("peer's connection refused");
  expect(acceptor).toHaveLength(1);
  expect(acceptor[0]?.fields).toMatchObject({ peer: 2, name: "m2" });
});

test("a member at another's address is told apart", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const c = await open(3, { listen: addressOf(2) });
  c.transport.setPeer(1, addressOf(1));
  a.transport.setPeer(2, addressOf(2));
  await clock.run(1_000);
  expect(a.transport.connected(2)).toBe(false);
  expect(a.lines("peer refuses the connection")[0]?.fields["reason"]).toContain("this is member 3");
});

test("a member that is no peer is refused, and accepted once it is one", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  await clock.run(2_000);
  expect(b.lines("peer refuses the connection")[0]?.fields["reason"]).toContain("member 2 (m2) is no peer");
  expect(b.transport.connected(1)).toBe(false);
  a.transport.setPeer(2, addressOf(2));
  await clock.until("it is accepted", () => b.transport.connected(1), 2_000);
  expect(b.transport.peers()).toEqual([
    { id: 1, address: addressOf(1), connected: true, name: "m1", incarnation: 1001 },
  ]);
});

async function alone(): Promise<{ readonly raw: RawPeer; readonly a: Member; run(ms: number): Promise<void> }> {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  a.transport.setPeer(2, "nowhere:1");
  return { a, raw: new RawPeer(network.of("raw"), addressOf(1)), run: (ms) => clock.run(ms) };
}

test.each<[string, PeerFrame]>([
  ["messages", { kind: "messages", messages: [] }],
  ["an answer to a hello", { kind: "hello-accepted", protocol: 1, memberId: 2, incarnation: 1, name: "x" }],
  ["a ping", { kind: "ping", sequence: 1 }],
])("a connection that begins with %s instead of a hello is closed", async (_name, frame) => {
  const { raw, a, run } = await alone();
  raw.write(encodeFrame(frame));
  await run(100);
  expect(raw.closed).toBe(true);
  expect(raw.frames).toEqual([]);
  expect(a.lines("connection closed: it is no peer's")[0]?.fields["reason"]).toContain("instead of a hello");
});

test("a connection without a hello is closed in time, quietly if it said nothing", async () => {
  const { raw, a, run } = await alone();
  await run(2_900);
  expect(raw.closed).toBe(false);
  await run(200);
  expect(raw.closed).toBe(true);
  expect(a.lines("connection closed: it is no peer's")).toEqual([]);
});

test("garbage closes the connection, with one line in the log however often it comes", async () => {
  const { clock, network, open } = newCluster(7);
  const a = await open(1);
  for (let i = 0; i < 20; i++) {
    const raw = new RawPeer(network.of("raw"), addressOf(1));
    raw.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await clock.until("it is closed", () => raw.closed);
  }
  expect(a.lines("connection closed: it is no peer's")).toHaveLength(1);
  expect(a.lines("connection closed: it is no peer's")[0]?.fields["reason"]).toContain("not what peers send");
});

test("before the hello even a frame of a few kilobytes is too large", async () => {
  const { raw, run } = await alone();
  raw.write(encodeFrame({ ...good(), name: "x".repeat(5000) }));
  await run(100);
  expect(raw.closed).toBe(true);
});

test("a refused connection is closed even if the other side does not close it", async () => {
  const { raw, run } = await alone();
  raw.write(encodeFrame({ ...good(), from: 77 }));
  await run(100);
  expect(raw.frames.map((frame) => frame.kind)).toEqual(["hello-refused"]);
  expect(raw.closed).toBe(false);
  raw.write(encodeFrame(good()));
  await run(3_100);
  expect(raw.closed).toBe(true);
  expect(raw.frames).toHaveLength(1);
});

test("connections without a hello are limited in number", async () => {
  const { clock, network, open } = newCluster();
  await open(1);
  const raws = Array.from({ length: 70 }, () => new RawPeer(network.of("raw"), addressOf(1)));
  await clock.run(100);
  expect(raws.filter((raw) => raw.closed)).toHaveLength(6);
  await clock.run(3_100);
  expect(raws.every((raw) => raw.closed)).toBe(true);
});

test("an answer that is none, or none at all, fails the dial", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  let mute = true;
  await network.of("m2").listen(addressOf(2), (connection) => ({
    onOpen: () => {},
    onData: () => {
      if (!mute) connection.write([encodeFrame({ kind: "pong", sequence: 1 })]);
    },
    onDrain: () => {},
    onClose: () => {},
  }));
  a.transport.setPeer(2, addressOf(2));
  await clock.until("a line", () => a.logLines.length > 0);
  expect(a.logLines[0]?.fields["reason"]).toBe("no answer within 3000 ms");
  mute = false;
  a.transport.removePeer(2);
  a.transport.setPeer(2, addressOf(2));
  await clock.until("another line", () => a.logLines.length > 1);
  expect(a.logLines[1]?.fields["reason"]).toContain("instead of an answer to the hello");
});
