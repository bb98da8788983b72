import { describe, expect, test } from "vitest";
import { longTailedDelay, uniformDelay, World } from "../../src/sim/index.js";
import { connect, dial, listen } from "./ends.js";

/** No cuts, joins or breaks: only what the test is about. */
const plain = { splitChance: 0, joinChance: 0, resetChance: 0 };

describe("links", () => {
  test("each has delays of its own, one way only", async () => {
    const { world, atA, atB } = await connect(1, plain);
    world.network.setLink("a", "b", { delayUs: uniformDelay(40_000, 50_000) });
    let sentMs = world.nowMs;
    atA.write(1);
    await world.run({ until: () => atB.received.length === 1 });
    expect(world.nowMs - sentMs).toBeGreaterThanOrEqual(40);
    expect(world.nowMs - sentMs).toBeLessThanOrEqual(50);
    sentMs = world.nowMs;
    atB.write(1);
    await world.run({ until: () => atA.received.length === 1 });
    expect(world.nowMs - sentMs).toBeLessThanOrEqual(5);
    world.network.setLink("a", "b");
    sentMs = world.nowMs;
    atA.write(1);
    await world.run({ until: () => atB.received.length === 2 });
    expect(world.nowMs - sentMs).toBeLessThanOrEqual(5);
  });

  test("delays can have long tails: most are short, some are far longer", async () => {
    const { prng } = new World({ seed: 1 });
    const delay = longTailedDelay(200, 2_200_000, 0.5);
    const drawn = Array.from({ length: 4_000 }, () => delay(prng)).sort((x, y) => x - y);
    expect(drawn[0]).toBeGreaterThanOrEqual(200);
    expect(drawn[2_000]).toBeLessThan(1_000);
    expect(drawn.at(-1)).toBeGreaterThan(100_000);
    expect(drawn.at(-1)).toBeLessThanOrEqual(2_200_000);
  });

  test("a slow link passes so many bytes a millisecond, over all its connections", async () => {
    const { world, a, b, atA, atB } = await connect(1, plain);
    const second = dial(a, "b:1");
    await world.run({ until: () => second.isOpen });
    world.network.setLink("a", "b", { bytesPerMs: 100 });
    const sentMs = world.nowMs;
    atA.connection?.write([new Uint8Array(5_000)]);
    second.connection?.write([new Uint8Array(5_000)]);
    await world.run({ until: () => atB.received.length === 5_000 });
    expect(world.nowMs - sentMs).toBeGreaterThan(50);
    await world.run({ forMs: 40 });
    atA.write(1);
    await world.run({ until: () => atB.received.length === 5_001 });
    expect(world.nowMs - sentMs).toBeGreaterThan(100);
    expect([a.isUp, b.isUp]).toEqual([true, true]);
  });

  test("what is lost comes after a retransmission, and what is behind it waits", async () => {
    const { world, atA, atB } = await connect(1, plain);
    world.network.setLink("a", "b", { lossChance: 0.3 });
    const times: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      const sentMs = world.nowMs;
      atA.write(i);
      await world.run({ until: () => atB.received.length === i + 1 });
      times.push(world.nowMs - sentMs);
    }
    expect(atB.received).toEqual(Array.from({ length: 60 }, (_, i) => i));
    const late = times.filter((ms) => ms >= 200);
    expect(late.length).toBeGreaterThan(8);
    expect(late.length).toBeLessThan(35);
    expect(Math.max(...times)).toBeGreaterThan(500);
  });

  test("a stall holds everything one way for so long, and breaks nothing", async () => {
    const { world, atA, atB } = await connect(1, { ...plain, resetChance: 1 });
    world.network.stall("a", "b", 300);
    const sinceMs = world.nowMs;
    atA.write(1, 2);
    atB.write(3);
    await world.run({ until: () => atB.received.length === 2 });
    expect(world.nowMs - sinceMs).toBeGreaterThanOrEqual(300);
    expect(world.nowMs - sinceMs).toBeLessThan(310);
    expect([atA.received, atA.outcome, atB.outcome]).toEqual([[3], "", ""]);
    expect(world.trace.lines.some((line) => line.includes("stall-link a 300"))).toBe(true);
  });

  test("healing ends stalls, and does not leave to a thin line what is under way: all is there a second later", async () => {
    const { world, atA, atB } = await connect(1, { ...plain, resetChance: 1 });
    world.network.stall("a", "b", 60_000);
    world.network.setLink("b", "a", { bytesPerMs: 0.001 });
    atA.write(1, 2);
    atB.write(3, 4);
    await world.run({ forMs: 10 });
    atB.write(5);
    await world.run({ forMs: 1_500 });
    expect([atA.received, atB.received]).toEqual([[], []]);
    world.network.heal();
    world.network.setLink("b", "a");
    atA.write(6);
    await world.run({ forMs: 1_001 });
    expect([atA.received, atB.received]).toEqual([
      [3, 4, 5],
      [1, 2, 6],
    ]);
    const sinceMs = world.nowMs;
    atA.write(7);
    await world.run({ until: () => atB.received.length === 4 });
    expect(world.nowMs - sinceMs).toBeLessThan(10);
  });

  test("a write may come in pieces as tiny as one byte, in order", async () => {
    const { world, atA, atB } = await connect(1, { ...plain, pieceBytesMax: 3 });
    const sent = Array.from({ length: 240 }, (_, i) => i);
    for (let i = 0; i < 20; i += 1) {
      atA.write(...sent.slice(i * 12, i * 12 + 12));
      await world.run({ forMs: 1 });
    }
    await world.run({ until: () => atB.received.length === 240 });
    expect(atB.received).toEqual(sent);
    expect(new Set(atB.pieces.map((piece) => piece.length))).toEqual(new Set([1, 2, 3]));
  });

  test("a receiver that pauses between two pieces gets the rest when it resumes, before what comes later", async () => {
    const { world, atA, atB } = await connect(1, { ...plain, pieceBytesMax: 1 });
    const onData = atB.onData.bind(atB);
    atB.onData = (bytes) => {
      onData(bytes);
      if (atB.received.length === 2) atB.connection?.pause();
    };
    atA.write(0, 1, 2, 3);
    await world.run({ forMs: 20 });
    atA.write(4, 5);
    await world.run({ forMs: 20 });
    expect(atB.received).toEqual([0, 1]);
    atB.connection?.resume();
    await world.run({ until: () => atB.received.length === 6 });
    expect(atB.received).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

test("a bridge: two halves that see one node in common, and not each other", async () => {
  const world = new World({ seed: 1 });
  const names = ["a", "b", "c", "d", "e"];
  const nodes = names.map((name) => world.addNode(name));
  for (const node of nodes) await listen(world, node);
  world.network.partition(["a", "b"], ["d", "e"]);
  const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ from, to })));
  const ends = pairs.map(({ from, to }) => ({ from, to, end: dial(nodes[names.indexOf(from)]!, `${to}:1`) }));
  await world.run({ forMs: 1_000 });
  const apart = ends.filter(({ end }) => !end.isOpen).map(({ from, to }) => `${from}${to}`);
  expect(apart.sort()).toEqual(["ad", "ae", "bd", "be", "da", "db", "ea", "eb"]);
});

describe("half-open connections", () => {
  test("severed at one end, the other hears nothing until it sends", async () => {
    const { world, atA, atB } = await connect(1, plain);
    world.network.sever("a", "b");
    await world.run({ forMs: 60_000 });
    expect([atA.outcome, atB.outcome]).toEqual(["reset", ""]);
    atB.write(1);
    await world.run({ until: () => atB.reasons.length > 0 });
    expect([atA.outcome, atB.outcome, atA.received]).toEqual(["reset", "reset", []]);
  });

  test("a machine without power resets nothing and answers nobody, until it is up again", async () => {
    const { world, a, b, atA, atB } = await connect(1, plain);
    b.powerOff();
    expect(b.isUp).toBe(false);
    const late = dial(a, "b:1");
    atA.write(1);
    await world.run({ forMs: 60_000 });
    expect([atA.outcome, late.isOpen, late.outcome]).toEqual(["", false, ""]);
    b.restart();
    await listen(world, b);
    await world.run({ until: () => atA.reasons.length > 0, limitMs: 3_000 });
    await world.run({ until: () => late.isOpen, limitMs: 3_000 });
    expect([atA.outcome, atB.outcome]).toEqual(["reset", ""]);
  });

  test("one that is never used again stays half-open for ever", async () => {
    const { world, b, atA } = await connect(1, plain);
    b.powerOff();
    b.restart();
    await world.run({ forMs: 600_000 });
    expect(atA.outcome).toBe("");
  });

  test("of what a machine sent before its power went, some of the first may still arrive, but not after a block", async () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { world, b, atA, atB } = await connect(seed, plain);
      for (let i = 0; i < 3; i += 1) atB.write(i);
      b.powerOff();
      const blocked = seed % 2 === 1;
      if (blocked) {
        world.network.partition(["a"], ["b"]);
        await world.run({ forMs: 1_000 });
        world.network.heal();
      }
      await world.run({ forMs: 60_000 });
      expect(atA.received).toEqual([0, 1, 2].slice(0, blocked ? 0 : atA.received.length));
      expect(atA.outcome).toBe("");
      counts.add(atA.received.length);
    }
    expect(counts).toEqual(new Set([0, 1, 2, 3]));
  });

  test("a machine that lost power has lost what was not synced, or part of it", async () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const world = new World({ seed });
      world.addNode("a").powerOff();
      ends.add(/power-off disk=([a-z-]+)/.exec(world.trace.lines.at(-1) ?? "")?.[1] ?? "none");
    }
    expect(ends).toEqual(new Set(["lost", "cut", "any-order"]));
  });
});
