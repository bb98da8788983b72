import { expect, test } from "vitest";
import { askMember, type ExchangeOutcome } from "../../src/transport/index.js";
import { newCluster, twoMembers } from "./cluster.js";
import { addressOf, CLUSTER, GROUP, memoryPlatform } from "./member.js";
import type { VirtualClock } from "./virtual-clock.js";

const STRANGER = { clusterId: 0, memberId: 0, incarnation: 5, group: GROUP, name: "new" };

async function outcomeOf(clock: VirtualClock, asked: Promise<ExchangeOutcome>): Promise<ExchangeOutcome> {
  let outcome: ExchangeOutcome | undefined;
  void asked.then((it) => {
    outcome = it;
  });
  await clock.until("an outcome", () => outcome !== undefined, 20_000);
  return outcome as ExchangeOutcome;
}

test("a member asks another and is answered, on a connection that ends with the answer", async () => {
  const { clock, network, a, b } = await twoMembers();
  b.onRequest = async (asker, body) => Uint8Array.of(asker.id, ...body, 9);
  const outcome = await outcomeOf(clock, a.transport.ask({ id: 2, address: addressOf(2) }, Uint8Array.of(7), 1_000));
  expect(outcome).toEqual({ kind: "answered", body: Uint8Array.of(1, 7, 9), by: 2 });
  await clock.run(4_000);
  expect(network.ends.size).toBe(4);
});

test("one that is no member yet asks whoever listens, and is told by name and incarnation", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  a.onRequest = async ({ id, incarnation, name }) => new TextEncoder().encode(`${id} ${incarnation} ${name}`);
  const platform = { ...memoryPlatform(network)("new"), logger: { log: () => {} } };
  const to = { id: 0, address: addressOf(1) };
  const outcome = await outcomeOf(clock, askMember(platform, STRANGER, to, Uint8Array.of(1), 1_000));
  expect(outcome.kind === "answered" && new TextDecoder().decode(outcome.body)).toBe("0 5 new");
  const elsewhere = askMember(platform, { ...STRANGER, clusterId: CLUSTER + 1 }, to, Uint8Array.of(1), 1_000);
  expect(await outcomeOf(clock, elsewhere)).toMatchObject({ kind: "failed", sent: false, refusal: "cluster" });
});

test("without an answer it is known whether the request can have been read", async () => {
  const { clock, a, b } = await twoMembers();
  const nobody = a.transport.ask({ id: 3, address: addressOf(3) }, Uint8Array.of(7), 1_000);
  expect(await outcomeOf(clock, nobody)).toMatchObject({ kind: "failed", sent: false });
  const another = a.transport.ask({ id: 3, address: addressOf(2) }, Uint8Array.of(7), 1_000);
  expect(await outcomeOf(clock, another)).toMatchObject({ kind: "failed", sent: false, refusal: "receiver" });
  b.onRequest = () => new Promise(() => {});
  const never = a.transport.ask({ id: 2, address: addressOf(2) }, Uint8Array.of(7), 1_000);
  expect(await outcomeOf(clock, never)).toMatchObject({ kind: "failed", sent: true, code: "timeout" });
  b.onRequest = () => Promise.reject(new Error("no"));
  const rejected = a.transport.ask({ id: 2, address: addressOf(2) }, Uint8Array.of(7), 1_000);
  expect(await outcomeOf(clock, rejected)).toMatchObject({ kind: "failed", sent: true });
});

test("a member that was removed is told so, one that never was is not", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  await clock.until("refused", () => b.refusals.length > 0);
  expect(b.refusals[0]).toBe("sender 1");
  a.removed.add(2);
  await clock.until("told", () => b.refusals.includes("removed 1"));
});

test("a member that was removed is told so by whoever listens where it looks for another one; else nothing comes of it", async () => {
  const { clock, open } = newCluster();
  const a = await open(1);
  const b = await open(2);
  b.transport.setPeer(3, addressOf(1));
  await clock.until("refused", () => b.refusals.length > 0);
  expect(b.refusals[0]).toBe("receiver 3");
  a.removed.add(2);
  await clock.until("told", () => b.refusals.includes("departed 3"));
  a.removed.delete(2);
  a.transport.setPeer(2, addressOf(2), 4711);
  await clock.until("told of its directory", () => b.refusals.includes("incarnation 3"));
});

test("messages of an incarnation that is not the peer's are not let in, from when that is known", async () => {
  const { clock, a, b } = await twoMembers();
  expect(a.transport.incarnationOf(2)).toBe(1002);
  a.transport.setPeer(2, addressOf(2), 1002);
  await clock.run(2_000);
  expect(a.events).toEqual(["up 2"]);
  a.transport.setPeer(2, addressOf(2), 4711);
  await clock.until("refused", () => b.refusals.includes("incarnation 1"));
  expect(a.transport.connected(2)).toBe(false);
  expect(a.transport.incarnationOf(2)).toBe(0);
  b.transport.send([{ type: "heartbeat", from: 2, to: 1, term: 9, commit: 0, readRound: 0 }]);
  b.transport.flush();
  await clock.run(5_000);
  expect(a.messages).toEqual([]);
  expect(a.transport.connected(2)).toBe(false);
});
