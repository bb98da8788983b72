import { expect, test } from "vitest";
import { helloOf } from "../../src/transport/hello.js";
import { newCluster, twoMembers } from "./cluster.js";
import { encodeFrame } from "./frames.js";
import { addressOf, CLUSTER, GROUP } from "./member.js";
import { heartbeat } from "./messages.js";
import { RawPeer } from "./raw-peer.js";

test("a dead process is noticed at once, by its closed connections, and told once", async () => {
  const { clock, network, a } = await twoMembers();
  network.kill("m2");
  await clock.run(5);
  expect(a.events).toEqual(["up 2", "down 2"]);
  expect(a.reasons).toEqual(["connection reset by peer"]);
  expect(a.transport.connected(2)).toBe(false);
  await clock.run(20_000);
  expect(a.events).toEqual(["up 2", "down 2"]);
});

test("a peer that is away for long fills no log, and is met within a second or so of its return", async () => {
  const { clock, network, open, a } = await twoMembers();
  await clock.run(5_000);
  network.kill("m2");
  await clock.run(60_000);
  expect(a.logLines.map(({ message }) => message).sort()).toEqual([
    "peer can't be reached",
    "peer connected",
    "peer disconnected",
    "peer's connection accepted",
    "peer's connection ended",
  ]);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  await clock.until("both are up", () => a.events.at(-1) === "up 2" && b.events.at(-1) === "up 1", 1_100);
  expect(a.lines("peer connected")).toHaveLength(2);
  a.transport.send([heartbeat(1, 2, 9)]);
  a.transport.flush();
  await clock.until("messages flow", () => b.messages.length === 1);
});

test("the first redial comes within a few milliseconds, the later ones at most about one a second", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  const dials: number[] = [];
  let accept = true;
  const listen = () =>
    network.of("m2").listen(addressOf(2), (connection) => {
      dials.push(clock.now());
      if (!accept) connection.close();
      return {
        onOpen: () => {},
        onData: () => {
          if (!accept) return;
          const answer = { kind: "hello-accepted", protocol: 1, memberId: 2, incarnation: 1, name: "x" } as const;
          connection.write([encodeFrame(answer)]);
          clock.setTimer(2_000, () => connection.close());
        },
        onDrain: () => {},
        onClose: () => {},
      };
    });
  await listen();
  network.cut = (bytes) => bytes;
  a.transport.setPeer(2, addressOf(2));
  await clock.until("it is up", () => a.events.length === 1);
  accept = false;
  await clock.until("it is down", () => a.events.length === 2);
  const lostAt = clock.now();
  await clock.run(30_000);
  const gaps = dials.slice(1).map((at, i) => at - (i === 0 ? lostAt : (dials[i] as number)));
  expect(gaps[0]).toBeGreaterThanOrEqual(10);
  expect(gaps[0]).toBeLessThanOrEqual(25);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1_010);
  expect(Math.min(...gaps.slice(8))).toBeGreaterThanOrEqual(500);
  // By lot: no two members that lost the same peer dial in step.
  expect(new Set(gaps.slice(8)).size).toBeGreaterThan(5);
});

test("a peer that accepts and closes at once is not dialled in a tight loop", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  let dials = 0;
  await network.of("m2").listen(addressOf(2), (connection) => {
    dials++;
    return {
      onOpen: () => {},
      onData: () => {
        const answer = { kind: "hello-accepted", protocol: 1, memberId: 2, incarnation: 1, name: "x" } as const;
        connection.write([encodeFrame(answer)]);
        clock.setTimer(5, () => connection.close());
      },
      onDrain: () => {},
      onClose: () => {},
    };
  });
  network.cut = (bytes) => bytes;
  a.transport.setPeer(2, addressOf(2));
  await clock.run(20_000);
  expect(dials).toBeLessThan(50);
});

test("a peer that comes back dials, and is dialled back without waiting for the back-off", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  a.transport.setPeer(2, addressOf(2));
  await clock.run(20_000);
  const b = await open(2);
  b.transport.setPeer(1, addressOf(1));
  await clock.until("the peer's connection", () => a.lines("peer's connection accepted").length === 1, 100);
  await clock.until("this one's", () => a.events.includes("up 2"), 20);
  expect(network.ends.size).toBe(4);
});

test("a broken connection under a living process: down, and up again once the process has answered", async () => {
  const { clock, network, a, b } = await twoMembers();
  network.break("m2", addressOf(1));
  await clock.until("a knows", () => a.events.length === 2);
  expect(a.events).toEqual(["up 2", "down 2"]);
  // a's own connection never broke: a pong is enough.
  expect(a.transport.connected(2)).toBe(true);
  await clock.until("a knows better", () => a.events.length === 3, 20);
  await clock.until("b has redialled", () => b.transport.connected(1), 100);
  await clock.run(5_000);
  expect(a.events).toEqual(["up 2", "down 2", "up 2"]);
  expect(b.events).toEqual(["up 1", "down 1", "up 1"]);
  expect(network.ends.size).toBe(4);
});

test("of two connections from one member the newer wins", async () => {
  const { clock, network, open } = newCluster();
  const a = await open(1);
  a.transport.setPeer(2, "nowhere:1");
  const two = { clusterId: CLUSTER, memberId: 2, incarnation: 1, group: GROUP, name: "two" };
  const hello = helloOf(two, 1, "messages", { min: 1, max: 1 });
  const first = new RawPeer(network.of("raw"), addressOf(1));
  first.write(encodeFrame(hello));
  await clock.until("the first is accepted", () => first.frames.length === 1);
  const second = new RawPeer(network.of("raw"), addressOf(1));
  second.write(encodeFrame(hello));
  await clock.until("the first is closed", () => first.closed);
  second.write(encodeFrame({ kind: "messages", messages: [heartbeat(2, 1, 6)] }));
  await clock.until("the second carries on", () => a.messages.length === 1);
  expect(second.closed).toBe(false);
});

test("a link that stands still without breaking is given up, and replaced when it moves again", async () => {
  const { clock, network, a, b } = await twoMembers();
  network.hold("m1");
  network.hold("m2");
  const from = clock.now();
  await clock.until("a gives it up", () => a.events.length === 2, 10_000);
  expect(clock.now() - from).toBeGreaterThan(4_000);
  expect(clock.now() - from).toBeLessThan(7_000);
  expect(a.reasons[0]).toContain("stalled");
  await clock.run(60_000);
  network.release("m1");
  network.release("m2");
  await clock.until("all is well", () => a.events.at(-1) === "up 2" && b.events.at(-1) === "up 1", 2_000);
  await clock.run(10_000);
  expect(network.ends.size).toBe(4);
});

test("with data under way it is given up too, once nothing moves any more", async () => {
  const { clock, network, a } = await twoMembers();
  network.hold("m1");
  network.hold("m2");
  const beat = (): void => {
    a.transport.send([heartbeat(1, 2, 1)]);
    a.transport.flush();
    if (a.events.length === 1) clock.setTimer(100, beat);
  };
  beat();
  await clock.until("a gives it up", () => a.events.length === 2, 10_000);
  expect(a.reasons[0]).toContain("stalled");
});

test("a link that stands still one way only is given up as well", async () => {
  const { clock, network, a, b } = await twoMembers();
  network.hold("m2");
  await clock.until("a knows", () => a.events.length === 2, 10_000);
  network.release("m2");
  await clock.until("all is well", () => a.events.at(-1) === "up 2" && b.events.at(-1) === "up 1", 2_000);
  await clock.run(10_000);
  expect(network.ends.size).toBe(4);
});

test("a pause of this process is not taken for one of the peer", async () => {
  const { clock, a, b } = await twoMembers();
  await clock.run(5_500);
  // Nothing of m1's runs for a minute, then everything that is due at once.
  clock.skip(60_000);
  await clock.run(10_000);
  expect([a.events, b.events]).toEqual([["up 2"], ["up 1"]]);
});

test("an idle connection stays up", async () => {
  const { clock, a, b } = await twoMembers();
  await clock.run(600_000);
  expect([a.events, b.events]).toEqual([["up 2"], ["up 1"]]);
  // Pings and pongs both ways, and nothing else: well under the labs' 60 messages in an idle second.
  expect(a.transport.stats().writes / 600).toBeLessThan(2.1);
});

test("a removed peer is let go in both directions, and refused from then on", async () => {
  const { clock, a, b } = await twoMembers();
  a.transport.removePeer(2);
  await clock.run(3_000);
  expect(a.events).toEqual(["up 2"]);
  expect(b.events).toEqual(["up 1", "down 1"]);
  expect([a.transport.connected(2), b.transport.connected(1)]).toEqual([false, false]);
  expect(b.lines("peer refuses the connection")).toHaveLength(1);
  expect(a.transport.peers()).toEqual([]);
});

test("a peer that moves is dialled at its new address", async () => {
  const { clock, network, open, a, b } = await twoMembers();
  network.kill("m2");
  await clock.run(10);
  const moved = await open(2, { listen: "elsewhere:1" });
  moved.transport.setPeer(1, addressOf(1));
  a.transport.setPeer(2, "elsewhere:1");
  a.transport.setPeer(2, "elsewhere:1");
  await clock.until("they are up", () => a.events.at(-1) === "up 2" && moved.events.at(-1) === "up 1");
  expect(a.events).toEqual(["up 2", "down 2", "up 2"]);
  expect(b.messages).toEqual([]);
});

test("closing from within an event leaves nothing behind", async () => {
  const { clock, network, a, b } = await twoMembers();
  a.onDown = () => void a.transport.close();
  network.break("m2", addressOf(1));
  await clock.run(5_000);
  expect(a.events).toEqual(["up 2", "down 2"]);
  expect(b.transport.connected(1)).toBe(false);
});

test("closing when a newer connection takes an older one's place leaves nothing behind", async () => {
  const { clock, network, a, b } = await twoMembers();
  a.onDown = () => void a.transport.close();
  const two = { clusterId: CLUSTER, memberId: 2, incarnation: 1, group: GROUP, name: "two" };
  const hello = helloOf(two, 1, "messages", { min: 1, max: 1 });
  const newer = new RawPeer(network.of("raw"), addressOf(1));
  newer.write(encodeFrame(hello));
  await clock.until("it is closed", () => newer.closed);
  await clock.run(1_000);
  expect(a.events).toEqual(["up 2", "down 2"]);
  expect(b.events).toEqual(["up 1", "down 1"]);
});

test("nothing is said after close, and closing twice is closing once", async () => {
  const { clock, a, b } = await twoMembers();
  await Promise.all([a.transport.close(), a.transport.close()]);
  const said = a.events.length;
  a.transport.send([heartbeat(1, 2, 1)]);
  a.transport.flush();
  a.transport.setPeer(3, addressOf(3));
  expect(a.transport.forward(2, 1, [])).toBe(false);
  await clock.run(100);
  expect(a.events).toHaveLength(said);
  expect(b.events).toEqual(["up 1", "down 1"]);
});
