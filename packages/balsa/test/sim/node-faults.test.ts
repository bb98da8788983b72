import { describe, expect, test } from "vitest";
import type { Closeable } from "../../src/sim/index.js";
import { loseUnsynced, World } from "../../src/sim/index.js";
import { connect, dial, listen } from "./ends.js";

describe("a paused node", () => {
  test("hears no timer, turn or answer until it goes on, then all of them in order; its clock went on", async () => {
    const world = new World({ seed: 1 });
    const a = world.addNode("a");
    const { clock, files } = a.platform;
    const heard: string[] = [];
    const startMs = clock.now();
    clock.setTimer(30, () => heard.push("second timer"));
    clock.setTimer(10, () => heard.push("first timer"));
    clock.setTimer(60_000, () => heard.push("not due"));
    clock.nextTurn(() => heard.push("turn"));
    files.makeDir("/d").then(
      () => heard.push("answer"),
      () => heard.push("failure"),
    );
    a.pause();
    await world.run({ forMs: 5_000 });
    expect([heard, a.isPaused, a.isUp]).toEqual([[], true, true]);
    expect(clock.now() - startMs).toBe(5_000);
    a.resume();
    await world.run({ forMs: 0 });
    expect(heard).toEqual(["turn", "answer", "first timer", "second timer"]);
    expect(a.isPaused).toBe(false);
  });

  test("a timer that the process cancels as it goes on does not fire", async () => {
    const world = new World({ seed: 1 });
    const a = world.addNode("a");
    const fired: string[] = [];
    a.platform.clock.setTimer(1, () => {
      fired.push("first");
      second.cancel();
    });
    const second = a.platform.clock.setTimer(2, () => fired.push("second"));
    a.pause();
    await world.run({ forMs: 10 });
    a.resume();
    await world.run({ forMs: 10 });
    expect(fired).toEqual(["first"]);
  });

  test("bytes and connections wait for it, acknowledged by its system", async () => {
    const { world, a, b, atA, atB } = await connect(1, { splitChance: 0, joinChance: 0 });
    b.pause();
    atA.write(1);
    atA.write(2);
    const late = dial(a, "b:1");
    await world.run({ until: () => late.isOpen, limitMs: 100 });
    late.write(3);
    await world.run({ forMs: 10_000 });
    expect([atB.received, atA.outcome]).toEqual([[], ""]);
    b.resume();
    await world.run({ until: () => atB.received.length === 2 });
    expect(atB.received).toEqual([1, 2]);
  });

  test("what was dialled and sent meanwhile it accepts and reads when it goes on, in order", async () => {
    const world = new World({ seed: 1, network: { splitChance: 0, joinChance: 0 } });
    const [a, b] = [world.addNode("a"), world.addNode("b")];
    const accepted = await listen(world, b);
    b.pause();
    const end = dial(a, "b:1");
    await world.run({ until: () => end.isOpen, limitMs: 100 });
    for (let i = 0; i < 5; i += 1) end.write(i);
    await world.run({ forMs: 1_000 });
    expect(accepted).toEqual([]);
    b.resume();
    for (let i = 5; i < 10; i += 1) end.write(i);
    await world.run({ until: () => accepted[0]?.received.length === 10 });
    expect(accepted[0]?.received).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("killed as it stands, nothing of what it waited for ever happens", async () => {
    const { world, b, atA, atB } = await connect(1);
    let fired = 0;
    b.platform.clock.setTimer(1, () => {
      fired += 1;
    });
    b.pause();
    atA.write(1);
    await world.run({ forMs: 50 });
    b.crash({ disk: loseUnsynced });
    b.resume();
    b.restart();
    expect(b.isPaused).toBe(false);
    await world.run({ forMs: 1_000 });
    expect([fired, atB.received, atA.outcome]).toEqual([0, [], "reset"]);
  });
});

describe("a node's clock", () => {
  test("runs at its rate: what it measures and how long its timers take", async () => {
    const world = new World({ seed: 1 });
    const [fast, slow] = [world.addNode("fast"), world.addNode("slow")];
    fast.clockRate = 1.25;
    slow.clockRate = 0.8;
    const [fastMs, slowMs] = [fast.platform.clock.now(), slow.platform.clock.now()];
    const fired: string[] = [];
    fast.platform.clock.setTimer(1_000, () => fired.push(`fast ${world.nowMs}`));
    slow.platform.clock.setTimer(1_000, () => fired.push(`slow ${world.nowMs}`));
    await world.run({ untilMs: 10_000 });
    expect(fired).toEqual(["fast 800", "slow 1250"]);
    expect(fast.platform.clock.now() - fastMs).toBe(12_500);
    expect(slow.platform.clock.now() - slowMs).toBe(8_000);
  });

  test("a change of the rate moves timers that are under way, both ways, and not what it measured so far", async () => {
    const world = new World({ seed: 1 });
    const a = world.addNode("a");
    const { clock } = a.platform;
    const fired: number[] = [];
    clock.setTimer(1_000, () => fired.push(world.nowMs));
    clock.setTimer(2_000, () => fired.push(world.nowMs));
    const startMs = clock.now();
    await world.run({ untilMs: 500 });
    a.clockRate = 2;
    expect(clock.now() - startMs).toBe(500);
    await world.run({ untilMs: 800 });
    a.clockRate = 0.5;
    await world.run({ untilMs: 10_000 });
    // 500 ms at 1, 250 of the other 500 at 2; then 1100 have passed, and the last 900 take 1800.
    expect(fired).toEqual([750, 2_600]);
    expect(clock.now() - startMs).toBe(1_100 + 9_200 / 2);
  });

  test("the rate is the machine's: the next life has it too", async () => {
    const world = new World({ seed: 1 });
    const a = world.addNode("a");
    a.clockRate = 3;
    a.crash();
    a.restart();
    const startMs = a.platform.clock.now();
    await world.run({ forMs: 100 });
    expect([a.platform.clock.now() - startMs, a.clockRate]).toEqual([300, 3]);
  });

  test("the calendar can be set, monotonic time cannot", async () => {
    const world = new World({ seed: 1 });
    const { clock } = world.addNode("a").platform;
    const [now, wall] = [clock.now(), clock.wallTime()];
    world.nodes[0]?.jumpClock(-3_600_000);
    expect([clock.now() - now, clock.wallTime() - wall]).toEqual([0, -3_600_000]);
  });
});

test("a wiped node comes back with an empty disk, and only a node that is down can be wiped", async () => {
  const contents: string[] = [];
  const world = new World({ seed: 1 });
  const node = world.addNode("a", async ({ files }): Promise<Closeable> => {
    contents.push((await files.list("/")).join());
    await files.makeDir("/data");
    await files.syncDir("/");
    return { close: async () => {} };
  });
  await world.run({ until: () => node.program !== undefined });
  expect(() => node.wipe()).toThrow(/is up/);
  node.kill();
  node.restart();
  await world.run({ until: () => node.program !== undefined });
  node.kill();
  node.wipe();
  node.restart();
  await world.run({ until: () => node.program !== undefined });
  expect(contents).toEqual(["", "data", ""]);
});
