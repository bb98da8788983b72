import { describe, expect, test } from "vitest";
import { World } from "../../src/sim/index.js";
import { connect, dial, End, listen } from "./ends.js";

describe("delivery", () => {
  test("bytes arrive in order though cut and joined anywhere, after a while", async () => {
    const shapes = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const { world, atA, atB } = await connect(seed);
      const sent: number[] = [];
      for (let i = 0; i < 40; i += 1) {
        const values = Array.from({ length: 10 }, (_, j) => (i * 10 + j) & 0xff);
        sent.push(...values);
        atA.write(...values);
      }
      const before = world.nowMs;
      expect(atB.pieces).toEqual([]);
      await world.run({ until: () => atB.received.length === sent.length });
      expect(atB.received).toEqual(sent);
      expect(world.nowMs).toBeGreaterThan(before);
      for (const { length } of atB.pieces) shapes.add(length < 10 ? "cut" : length > 10 ? "joined" : "whole");
    }
    expect([...shapes].sort()).toEqual(["cut", "joined", "whole"]);
  });

  test("connections are independent: a later one may be faster", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const world = new World({ seed });
      const [a, b] = [world.addNode("a"), world.addNode("b")];
      const accepted = await listen(world, b);
      const dialled = [dial(a, "b:1"), dial(a, "b:1")];
      await world.run({ until: () => dialled.every((end) => end.isOpen) });
      dialled[0]?.write(1);
      dialled[1]?.write(2);
      await world.run({ until: () => accepted.some((end) => end.pieces.length > 0) });
      orders.add(accepted.flatMap((end) => end.received).join());
    }
    expect(orders).toEqual(new Set(["1", "2"]));
  });

  test("a sender that changes its buffers after a write is found out", async () => {
    const { world, atA } = await connect(1, { splitChance: 0 });
    const buffer = new Uint8Array([1, 2, 3]);
    atA.connection?.write([buffer]);
    buffer.fill(9);
    await expect(world.run({ forMs: 100 })).rejects.toThrow(/must not change/);
  });
});

describe("dialling", () => {
  test("a node that is dead, has no listener or does not exist refuses", async () => {
    const world = new World({ seed: 1 });
    const [a, b] = [world.addNode("a"), world.addNode("b")];
    await listen(world, b);
    b.crash();
    const ends = ["b:1", "a:9", "nobody:1"].map((address) => dial(a, address));
    await world.run({ until: () => ends.every((end) => end.reasons.length > 0) });
    for (const end of ends) expect(end.reasons).toMatchObject([{ kind: "unreachable", message: /refused/ }]);
  });

  test("after a restart the node can be dialled again once it listens again", async () => {
    const world = new World({ seed: 1 });
    const [a, b] = [world.addNode("a"), world.addNode("b")];
    await listen(world, b);
    b.crash();
    b.restart();
    const early = dial(a, "b:1");
    await world.run({ until: () => early.reasons.length > 0 });
    expect(early.outcome).toBe("unreachable");
    await listen(world, b);
    const late = dial(a, "b:1");
    await world.run({ until: () => late.isOpen });
  });

  test("a node can listen on its own name only", async () => {
    const world = new World({ seed: 1 });
    const { network } = world.addNode("a").platform;
    const listening = network.listen("b:1", () => new End());
    await expect(world.settle(listening)).rejects.toMatchObject({ code: "bad-address" });
  });

  test.each([
    ["a", "b"],
    ["b", "a"],
  ])(
    "blocked from %s to %s it neither opens nor fails, until the wire carries or the system gives up",
    async (x, y) => {
      const world = new World({ seed: 1, network: { resetChance: 0 } });
      const [a, b] = [world.addNode("a"), world.addNode("b")];
      await listen(world, b);
      world.network.block(x, y);
      const end = dial(a, "b:1");
      await world.run({ forMs: 60_000 });
      expect([end.isOpen, end.outcome]).toEqual([false, ""]);
      world.network.heal();
      await world.run({ until: () => end.isOpen });

      world.network.block(x, y);
      const second = dial(a, "b:1");
      await world.run({ until: () => second.reasons.length > 0, limitMs: 200_000 });
      expect(second.reasons).toMatchObject([{ kind: "unreachable", message: /timed out/ }]);
      world.network.heal();
      await world.run({ forMs: 5_000 });
      expect([second.isOpen, second.outcome]).toEqual([false, "unreachable"]);
    },
  );

  test("a dial that was blocked is heard once the wire carries again: what may break then is what was open", async () => {
    const world = new World({ seed: 1, network: { resetChance: 1 } });
    const [a, b] = [world.addNode("a"), world.addNode("b")];
    await listen(world, b);
    world.network.block("a", "b");
    const end = dial(a, "b:1");
    await world.run({ forMs: 1_000 });
    world.network.heal();
    await world.run({ until: () => end.isOpen, limitMs: 1_500 });
    expect(end.outcome).toBe("");
  });
});

describe("partition", () => {
  test("nothing gets through, nobody is told; once healed all arrives in order", async () => {
    const { world, atA, atB } = await connect(1, { resetChance: 0 });
    world.network.partition(["a"], ["b"]);
    atA.write(1, 2);
    atB.write(3);
    await world.run({ forMs: 30_000 });
    expect([atA.received, atB.received, atA.outcome, atB.outcome]).toEqual([[], [], "", ""]);
    atA.write(4);
    world.network.heal();
    await world.run({ until: () => atB.received.length === 3 && atA.received.length === 1 });
    expect([atA.received, atB.received]).toEqual([[3], [1, 2, 4]]);
  });

  test("what is on its way is stopped too", async () => {
    const { world, atA, atB } = await connect(1, { resetChance: 0 });
    atA.write(1);
    world.network.partition(["a"], ["b"]);
    await world.run({ forMs: 1_000 });
    expect(atB.received).toEqual([]);
  });

  test("a one-way block leaves the way back open", async () => {
    const { world, atA, atB } = await connect(1, { resetChance: 0 });
    world.network.block("a", "b");
    atA.write(1);
    atB.write(2);
    await world.run({ until: () => atA.received.length === 1 });
    await world.run({ forMs: 1_000 });
    expect(atB.received).toEqual([]);
    world.network.unblock("a", "b");
    await world.run({ until: () => atB.received.length === 1 });
  });

  test("the longer it lasted, the later a connection may notice that it is over, up to a second", async () => {
    const delays: number[] = [];
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, atA, atB } = await connect(seed, { resetChance: 0 });
      world.network.partition(["a"], ["b"]);
      atA.write(1);
      await world.run({ forMs: 10_000 });
      world.network.heal();
      const healedMs = world.nowMs;
      await world.run({ until: () => atB.received.length === 1 });
      delays.push(world.nowMs - healedMs);
    }
    expect(Math.max(...delays)).toBeGreaterThan(500);
    expect(Math.max(...delays)).toBeLessThan(1_100);
    expect(Math.min(...delays)).toBeLessThan(300);
  });

  test("a connection that stalled may break instead, at both ends", async () => {
    const { world, atA, atB } = await connect(1, { resetChance: 1 });
    world.network.partition(["a"], ["b"]);
    atA.write(1);
    await world.run({ forMs: 1_000 });
    world.network.heal();
    await world.run({ until: () => atA.reasons.length > 0 && atB.reasons.length > 0 });
    expect([atA.outcome, atB.outcome, atB.received]).toEqual(["reset", "reset", []]);
  });

  test("a third node goes on with both sides", async () => {
    const world = new World({ seed: 1 });
    const [a, b, c] = [world.addNode("a"), world.addNode("b"), world.addNode("c")];
    await listen(world, c);
    world.network.partition(["a"], ["b"]);
    const [fromA, fromB] = [dial(a, "c:1"), dial(b, "c:1")];
    await world.run({ until: () => fromA.isOpen && fromB.isOpen });
    expect([fromA.outcome, fromB.outcome]).toEqual(["", ""]);
  });
});

describe("the end of a connection", () => {
  test("a crash is seen at the other end as a reset, soon", async () => {
    const { world, b, atA, atB } = await connect(1);
    b.crash();
    await world.run({ until: () => atA.reasons.length > 0, limitMs: 50 });
    expect([atA.outcome, atB.outcome]).toEqual(["reset", ""]);
  });

  test("of what a node sent before it crashed, some may be lost, and only from the end", async () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 100; seed += 1) {
      const { world, b, atA, atB } = await connect(seed, { splitChance: 0, joinChance: 0 });
      for (let i = 0; i < 5; i += 1) atB.write(i);
      b.crash();
      await world.run({ until: () => atA.reasons.length > 0 });
      expect(atA.received).toEqual([0, 1, 2, 3, 4].slice(0, atA.received.length));
      counts.add(atA.received.length);
    }
    expect(counts).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  });

  test("while partitioned a crash is silent; the other end hears of it when the wire carries again", async () => {
    const { world, b, atA } = await connect(1);
    world.network.partition(["a"], ["b"]);
    b.crash();
    await world.run({ forMs: 60_000 });
    expect(atA.outcome).toBe("");
    world.network.heal();
    await world.run({ until: () => atA.reasons.length > 0, limitMs: 2_000 });
    expect(atA.outcome).toBe("reset");
  });

  test("closing is heard at the other end, after what was sent, or broken off in it", async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { world, atA, atB } = await connect(seed, { splitChance: 0, joinChance: 0 });
      for (let i = 0; i < 3; i += 1) atA.write(i);
      atA.connection?.close();
      expect(atA.outcome).toBe("");
      await world.run({ until: () => atB.reasons.length > 0 });
      expect(atA.outcome).toBe("closed");
      expect(atB.received).toEqual([0, 1, 2].slice(0, atB.received.length));
      outcomes.add(`${atB.received.length} ${atB.outcome}`);
    }
    expect(outcomes).toContain("3 ended");
    expect(outcomes).toContain("0 reset");
    expect(outcomes).not.toContain("0 ended");
  });

  test("a reset between two nodes breaks their connections at both ends, and no others", async () => {
    const { world, a, b, atA, atB } = await connect(1);
    const c = world.addNode("c");
    const fromC = dial(c, "b:1");
    await world.run({ until: () => fromC.isOpen });
    world.network.reset(a.name, b.name);
    await world.run({ until: () => atA.reasons.length > 0 && atB.reasons.length > 0 });
    expect([atA.outcome, atB.outcome]).toEqual(["reset", "reset"]);
    await world.run({ forMs: 1_000 });
    expect(fromC.outcome).toBe("");
  });

  test("closed or broken, each end hears it once, whatever else happens", async () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const { world, a, b, atA, atB } = await connect(seed);
      atA.write(1);
      atB.write(2);
      if (world.prng.chance(0.5)) atA.connection?.pause();
      const actions = [
        () => atA.connection?.close(),
        () => atB.connection?.close(),
        () => world.network.reset("a", "b"),
        () => world.network.partition(["a"], ["b"]),
        () => world.network.heal(),
        () => atA.connection?.resume(),
      ];
      for (const action of world.prng.shuffled(actions)) {
        action();
        await world.run({ forMs: world.prng.pick([0, 0.2, 5]) });
      }
      world.network.heal();
      atA.connection?.resume();
      await world.run({ forMs: 5_000 });
      expect([a.isUp, b.isUp, atA.reasons.length, atB.reasons.length]).toEqual([true, true, 1, 1]);
    }
  });

  test("what arrives while paused waits, the end too", async () => {
    const { world, atA, atB } = await connect(1, { splitChance: 0, joinChance: 0 });
    atA.connection?.pause();
    atB.write(1);
    await world.run({ forMs: 20 });
    atB.connection?.close();
    await world.run({ forMs: 20 });
    expect([atA.received, atA.outcome]).toEqual([[], ""]);
    atA.connection?.resume();
    await world.run({ until: () => atA.reasons.length > 0 });
    expect([atA.received, atA.outcome]).toEqual([[1], "ended"]);
  });
});
