import { afterEach, describe, expect, test, vi } from "vitest";
import type { Platform } from "../../src/platform/index.js";
import type { Closeable } from "../../src/sim/index.js";
import { World, WorldError } from "../../src/sim/index.js";
import { runStory, startToys } from "./toy-cluster.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

const nothing: Closeable = { close: async () => {} };

/** Never settles by itself: what a dead process' promises do. */
async function stateOf(promise: Promise<unknown>): Promise<"pending" | "resolved" | "rejected"> {
  let state: "pending" | "resolved" | "rejected" = "pending";
  promise.then(
    () => {
      state = "resolved";
    },
    () => {
      state = "rejected";
    },
  );
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return state;
}

describe("determinism", () => {
  test("the same seed gives the same trace, byte for byte, through crash and partition", async () => {
    for (const seed of [1, 2, 3, "a name"]) {
      const [first, second] = [await runStory({ seed }), await runStory({ seed })];
      expect(second.world.trace.lines).toEqual(first.world.trace.lines);
      expect(second.world.trace.hash()).toBe(first.world.trace.hash());
      expect(first.world.trace.count).toBeGreaterThan(500);
    }
  });

  test("another seed gives another trace", async () => {
    const hashes = new Set<string>();
    for (let seed = 0; seed < 5; seed += 1) hashes.add((await runStory({ seed })).world.trace.hash());
    expect(hashes.size).toBe(5);
  });

  test("the trace has all kinds of events in it, and time does not go back", async () => {
    const { world } = await runStory({ seed: 4 });
    const times = world.trace.lines.map((line) => Number(line.split(" ")[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const kinds = new Set(world.trace.lines.map((line) => line.split(" ")[2]));
    for (const kind of [
      "start",
      "boot",
      "timer",
      "turn",
      "listen",
      "arrive",
      "open",
      "write",
      "sync",
      "syncDir",
      "close",
    ]) {
      expect(kinds).toContain(kind);
    }
    for (const kind of ["crash", "stop", "partition", "heal", "block", "unblock", "reset", "stall", "log", "world"]) {
      expect(kinds).toContain(kind);
    }
  });

  test("keeping only the hash gives the same hash", async () => {
    const lines = await runStory({ seed: 5 });
    const hash = await runStory({ seed: 5, trace: "hash" });
    expect(hash.world.trace.hash()).toBe(lines.world.trace.hash());
    expect(hash.world.trace.count).toBe(lines.world.trace.count);
    expect(hash.world.trace.lines).toEqual([]);
  });

  test("where there is no setImmediate, as in browsers, the trace is the same", async () => {
    const here = await runStory({ seed: 6 });
    vi.stubGlobal("setImmediate", undefined);
    const browser = await runStory({ seed: 6 });
    expect(browser.world.trace.hash()).toBe(here.world.trace.hash());
  });

  test("what the test draws for itself moves nothing else", async () => {
    const quiet = startToys({ seed: 7 });
    const busy = startToys({ seed: 7 });
    for (let i = 0; i < 10; i += 1) busy.world.prng.uint32();
    await quiet.world.run({ forMs: 100 });
    await busy.world.run({ forMs: 100 });
    expect(busy.world.trace.hash()).toBe(quiet.world.trace.hash());
  });
});

describe("time", () => {
  test("virtual time costs no real time", async () => {
    const world = new World({ seed: 1 });
    const { clock } = world.addNode("a").platform;
    const before = clock.now();
    let fired = 0;
    clock.setTimer(24 * 3600 * 1000, () => {
      fired += 1;
    });
    await world.run({ until: () => fired === 1, limitMs: 25 * 3600 * 1000 });
    expect(clock.now() - before).toBe(24 * 3600 * 1000);
    expect(world.nowMs).toBe(24 * 3600 * 1000);
  });

  test("nextTurn comes after all that was due at this instant already, whoever's it is", async () => {
    const world = new World({ seed: 1 });
    const [a, b] = [world.addNode("a").platform.clock, world.addNode("b").platform.clock];
    const order: string[] = [];
    a.setTimer(1, () => {
      order.push("a");
      a.nextTurn(() => order.push("turn of a"));
    });
    b.setTimer(1, () => order.push("b"));
    a.setTimer(1, () => order.push("a again"));
    await world.run({ forMs: 2 });
    expect(order).toEqual(["a", "b", "a again", "turn of a"]);
  });

  test("all promises that an event settled have run their course before the next event", async () => {
    const world = new World({ seed: 1 });
    const { clock } = world.addNode("a").platform;
    const order: string[] = [];
    clock.setTimer(1, () => {
      const slowly = async (): Promise<void> => {
        for (let i = 0; i < 100; i += 1) await Promise.resolve();
        order.push("promises of the first");
      };
      void slowly();
    });
    clock.setTimer(1, () => order.push("second"));
    await world.run({ forMs: 2 });
    expect(order).toEqual(["promises of the first", "second"]);
  });

  test("a program that turns on the spot is an error, not an endless loop", async () => {
    const world = new World({ seed: 1, trace: "hash" });
    const { clock } = world.addNode("a").platform;
    const turn = (): void => clock.nextTurn(turn);
    turn();
    await expect(world.run({ forMs: 1 })).rejects.toThrow(/stands still/);
  });
});

describe("run and settle", () => {
  test("run goes on to a time, for a time, until something holds, or until nothing is left", async () => {
    const world = new World({ seed: 1 });
    const { clock } = world.addNode("a").platform;
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      if (ticks < 100) clock.setTimer(10, tick);
    };
    clock.setTimer(10, tick);
    await world.run({ untilMs: 25 });
    expect([world.nowMs, ticks]).toEqual([25, 2]);
    await world.run({ forMs: 10 });
    expect([world.nowMs, ticks]).toEqual([35, 3]);
    await world.run({ until: () => ticks === 5 });
    expect([world.nowMs, ticks]).toEqual([50, 5]);
    await world.run();
    expect([world.nowMs, ticks]).toEqual([1000, 100]);
  });

  test("until that holds already lets nothing happen", async () => {
    const world = new World({ seed: 1 });
    world.addNode("a").platform.clock.nextTurn(() => {});
    await world.run({ until: () => true });
    expect(world.trace.lines).toEqual(["0 a start life=1"]);
  });

  test("what does not come true in time is an error that names the seed and what happened last", async () => {
    const { world } = startToys({ seed: 77 });
    const running = world.run({ until: () => false, limitMs: 100 });
    await expect(running).rejects.toThrow(WorldError);
    await expect(running).rejects.toThrow(/seed 77[^]*arrive/);
    expect(world.nowMs).toBe(100);
  });

  test("when nothing is left to happen, waiting is an error at once", async () => {
    const world = new World({ seed: 1 });
    await expect(world.settle(new Promise(() => {}))).rejects.toThrow(/nothing is left to happen/);
  });

  test("settle gives what the promise gave, or throws what it threw", async () => {
    const world = new World({ seed: 1 });
    const { files } = world.addNode("a").platform;
    await world.settle(files.makeDir("x"));
    expect(await world.settle(files.list("/"))).toEqual(["x"]);
    await expect(world.settle(files.list("/y"))).rejects.toMatchObject({ code: "not-found" });
  });

  test("what an event throws, or a program that does not start, ends the run and tells the seed", async () => {
    const cause = new Error("a bug");
    const world = new World({ seed: 9 });
    world.addNode("a").platform.clock.setTimer(1, () => {
      throw cause;
    });
    await expect(world.run({ forMs: 5 })).rejects.toMatchObject({ cause, seed: "9" });
    world.addNode("b", () => Promise.reject(cause));
    await expect(world.run({ forMs: 5 })).rejects.toThrow(/b did not start: Error: a bug/);
    await world.run({ forMs: 5 });
  });

  test("a world runs once at a time", async () => {
    const world = new World({ seed: 1 });
    const running = world.run({ forMs: 1 });
    await expect(world.run({ forMs: 1 })).rejects.toThrow(/running already/);
    await running;
  });
});

describe("the lives of a node", () => {
  test("a boot is called with each life, with what is on the disk, and gives the running program", async () => {
    const lives: string[] = [];
    const world = new World({ seed: 1 });
    const node = world.addNode("a", async ({ files }) => {
      lives.push((await files.list("/")).join());
      const file = await files.open(`life-${lives.length}`, "create");
      await file.close();
      await files.syncDir("/");
      return nothing;
    });
    expect(node.program).toBeUndefined();
    await world.run({ until: () => node.program !== undefined });
    expect(node.running).toBe(nothing);
    node.crash();
    expect([node.isUp, node.program, node.lives]).toEqual([false, undefined, 1]);
    expect(() => node.running).toThrow(/must be running/);
    node.restart();
    expect(() => node.restart()).toThrow(/is up/);
    await world.run({ until: () => node.program !== undefined });
    expect(lives).toEqual(["", "life-1"]);
    expect(node.lives).toBe(2);
  });

  test("no timer, turn, answer or delivery of a dead life ever fires", async () => {
    const world = new World({ seed: 1 });
    const [a, b] = [world.addNode("a"), world.addNode("b")];
    const fired: string[] = [];
    const { clock, files, network } = a.platform;
    const file = await world.settle(files.open("f", "create"));
    await world.settle(
      network.listen("a:1", () => ({
        onOpen: () => {},
        onData: () => fired.push("data"),
        onDrain: () => {},
        onClose: () => fired.push("close"),
      })),
    );
    let isOpen = false;
    const connection = b.platform.network.connect("a:1", {
      onOpen: () => {
        isOpen = true;
      },
      onData: () => {},
      onDrain: () => {},
      onClose: () => {},
    });
    await world.run({ until: () => isOpen });
    connection.write([new Uint8Array(5)]);
    clock.setTimer(1, () => fired.push("timer"));
    clock.nextTurn(() => fired.push("turn"));
    const written = file.write(0, [new Uint8Array(5)]);
    file.writeAndSync(10, [new Uint8Array(5)], () => fired.push("writeAndSync"));
    const linesBefore = world.trace.count;
    a.crash();
    // Neither what it had begun nor what its code might still begin.
    const afterwards = files.open("g", "create");
    clock.setTimer(1, () => fired.push("timer of the dead"));
    network.connect("b:1", {
      onOpen: () => {},
      onData: () => {},
      onDrain: () => {},
      onClose: () => fired.push("close of the dead"),
    });
    await world.run({ forMs: 1000 });
    expect(fired).toEqual([]);
    expect(await stateOf(written)).toBe("pending");
    expect(await stateOf(afterwards)).toBe("pending");
    const ofA = world.trace.lines.slice(linesBefore).filter((line) => line.split(" ")[1] === "a");
    expect(ofA.map((line) => line.split(" ")[2])).toEqual(["crash"]);
    expect(a.disk.list("/")).not.toContain("g");
  });

  test("a lock dies with its holder", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    await world.settle(node.platform.files.lock("LOCK"));
    await expect(world.settle(node.platform.files.lock("LOCK"))).rejects.toMatchObject({ code: "locked" });
    node.crash();
    node.restart();
    await world.settle(node.platform.files.lock("LOCK"));
  });

  test("stop closes the program and keeps what was written, synced or not", async () => {
    const world = new World({ seed: 1 });
    const closed: string[] = [];
    const boot = async ({ files }: Platform): Promise<Closeable> => {
      const file = await files.open("f", "create").catch(() => files.open("f", "write"));
      await file.write(await file.sizeBytes(), [new Uint8Array([1])]);
      return {
        close: async () => {
          await file.close();
          closed.push("closed");
        },
      };
    };
    const node = world.addNode("a", boot);
    await world.run({ until: () => node.program !== undefined });
    await world.settle(node.stop());
    expect(closed).toEqual(["closed"]);
    expect(node.isUp).toBe(false);
    node.restart();
    await world.run({ until: () => node.program !== undefined });
    const file = await world.settle(node.platform.files.open("f", "read"));
    expect(await world.settle(file.sizeBytes())).toBe(2);
  });

  test("each life has a clock with an origin of its own, and random numbers of its own", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const [now, drawn] = [node.platform.clock.now(), node.platform.random.below(2 ** 53)];
    node.crash();
    node.restart();
    expect(node.platform.clock.now()).not.toBe(now);
    expect(node.platform.random.below(2 ** 53)).not.toBe(drawn);
  });

  test("names are unique and can be host names", () => {
    const world = new World({ seed: 1 });
    world.addNode("node-1.example");
    for (const name of ["node-1.example", "", "a b", "a:1"]) expect(() => world.addNode(name)).toThrow(/no name/);
  });
});
