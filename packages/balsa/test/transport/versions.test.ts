import { expect, test } from "vitest";
import type { PeerMessage } from "../../src/core/index.js";
import { PROTOCOL_MAX, PROTOCOLS, type ProtocolRange } from "../../src/transport/hello.js";
import { type Cluster, newCluster } from "./cluster.js";
import { addressOf, type Member } from "./member.js";
import { append, heartbeat } from "./messages.js";

// As large as IDs are.
const A: number = 2 ** 52 + 1;
const B: number = 2 ** 52 + 2;
const PREVIOUS: ProtocolRange = { min: 1, max: 1 };
const SECOND: ProtocolRange = { min: 1, max: 2 };
const PRESENT: ProtocolRange = PROTOCOLS;

interface Pair extends Cluster {
  readonly a: Member;
  readonly b: Member;
}

async function pair(ofA: ProtocolRange, ofB: ProtocolRange): Promise<Pair> {
  const cluster = newCluster();
  const a = await cluster.open(A, { spoken: ofA });
  const b = await cluster.open(B, { spoken: ofB });
  a.transport.setPeer(B, addressOf(B));
  b.transport.setPeer(A, addressOf(A));
  return { ...cluster, a, b };
}

async function connected(ofA: ProtocolRange, ofB: ProtocolRange): Promise<Pair> {
  const cluster = await pair(ofA, ofB);
  const { clock, a, b } = cluster;
  await clock.until("both are up", () => a.events.length > 0 && b.events.length > 0);
  return cluster;
}

/** Sends, waits until all has come, and gives how many bytes it was. */
async function expectExchange({ clock, a, b }: Pair, messages: readonly PeerMessage[]): Promise<number> {
  const before = a.transport.stats().bytesSent;
  a.transport.send(messages);
  a.transport.flush();
  const bytes = a.transport.stats().bytesSent - before;
  const came = b.messages.length + messages.length;
  await clock.until("all have come", () => b.messages.length === came);
  expect(b.messages.slice(-messages.length)).toEqual(messages);
  return bytes;
}

test.each([
  ["previous", "previous", PREVIOUS, PREVIOUS],
  ["previous", "present", PREVIOUS, PRESENT],
  ["present", "previous", PRESENT, PREVIOUS],
  ["present", "present", PRESENT, PRESENT],
])("members of the %s and the %s version understand each other", async (_a, _b, ofA, ofB) => {
  const cluster = await connected(ofA, ofB);
  const { a, b } = cluster;
  const sent = [heartbeat(A, B, 5), append(A, B, { entries: 3 }), heartbeat(A, B, 6)];
  await expectExchange(cluster, sent);
  await expectExchange({ ...cluster, a: b, b: a }, [heartbeat(B, A, 7)]);
});

test.each([
  ["first", PREVIOUS, false],
  ["second", SECOND, false],
  ["present", PRESENT, true],
])("a quiet append is one only where the peer's version knows of it: the %s version", async (_name, ofB, known) => {
  const { clock, a, b } = await connected(PRESENT, ofB);
  const quiet = { ...append(A, B, { entries: 0 }), quiet: true };
  a.transport.send([quiet, heartbeat(A, B, 5)]);
  a.transport.flush();
  await clock.until("both have come", () => b.messages.length === 2);
  expect(b.messages).toEqual([{ ...quiet, quiet: known }, heartbeat(A, B, 5)]);
  expect([a.events, b.events]).toEqual([[`up ${B}`], [`up ${A}`]]);
});

test("a heartbeat between members of the present version is a third shorter", async () => {
  const before = await expectExchange(await connected(PREVIOUS, PRESENT), [heartbeat(A, B, 1_000)]);
  const after = await expectExchange(await connected(PRESENT, PRESENT), [heartbeat(A, B, 1_000)]);
  expect([before, after]).toEqual([46, 30]);
});

test.each([
  ["previous", PREVIOUS],
  ["present", PRESENT],
])("E3 a read-index that the peer passes on keeps whom it is from, in the %s version", async (_name, spoken) => {
  const cluster = await connected(spoken, spoken);
  await expectExchange(cluster, [{ type: "read-index", from: A + 77, to: B, term: 0, requestId: 9 }]);
  expect([cluster.a.events, cluster.b.events]).toEqual([[`up ${B}`], [`up ${A}`]]);
});

test("a member with no version in common is refused, and both logs say who is behind and what to do", async () => {
  const { clock, a, b } = await pair({ min: PROTOCOL_MAX + 1, max: PROTOCOL_MAX + 2 }, PRESENT);
  await clock.run(3_000);
  expect([...a.events, ...b.events]).toEqual([]);
  const toUpgrade = `speaks versions 1 to ${PROTOCOL_MAX}`;
  const fromB = String(a.lines("peer's connection refused")[0]?.fields["reason"]);
  expect(fromB).toContain(`speaks versions ${PROTOCOL_MAX + 1} to ${PROTOCOL_MAX + 2}`);
  expect(fromB).toContain(`upgrade m${B}, by way of a release that speaks both`);
  const fromA = String(b.lines("peer's connection refused")[0]?.fields["reason"]);
  expect(fromA).toContain(toUpgrade);
  expect(fromA).toContain(`upgrade m${B}`);
  expect(a.lines("peer refuses the connection")[0]?.fields["reason"]).toBe(fromA);
  expect(b.lines("peer refuses the connection")[0]?.fields["reason"]).toBe(fromB);
});
