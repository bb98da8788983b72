import { describe, expect, test } from "vitest";
import type { FileError, Platform } from "../../src/platform/index.js";
import type { Closeable } from "../../src/sim/index.js";
import { keepUnsynced, loseUnsynced, World } from "../../src/sim/index.js";

describe("the disk of a node", () => {
  test("what was not synced may be lost in a crash, what was is there", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const file = await world.settle(node.platform.files.open("f", "create"));
    await world.settle(node.platform.files.syncDir("/"));
    await world.settle(
      new Promise<void>((resolve) => {
        file.writeAndSync(0, [new Uint8Array([1, 2])], () => resolve());
      }),
    );
    await world.settle(file.write(2, [new Uint8Array([3])]));
    node.crash({ disk: loseUnsynced });
    node.restart();
    const again = await world.settle(node.platform.files.open("f", "read"));
    expect([...(await world.settle(again.read(0, 10)))]).toEqual([1, 2]);
  });

  test("a killed process' writes are there, and may still be lost when the power goes in the next life", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const file = await world.settle(node.platform.files.open("f", "create"));
    await world.settle(node.platform.files.syncDir("/"));
    await world.settle(file.write(0, [new Uint8Array([1])]));
    void file.write(1, [new Uint8Array([2])]);
    node.kill();
    node.restart();
    const again = await world.settle(node.platform.files.open("f", "write"));
    expect([...(await world.settle(again.read(0, 10)))]).toEqual([1, 2]);
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("f", "read").sizeBytes).toBe(0);
  });

  test("what a killed process wrote, the next life's sync makes durable", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const file = await world.settle(node.platform.files.open("f", "create"));
    void file.write(0, [new Uint8Array([1])]);
    node.kill();
    node.restart();
    const again = await world.settle(node.platform.files.open("f", "write"));
    await world.settle(again.sync());
    await world.settle(node.platform.files.syncDir("/"));
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("f", "read").sizeBytes).toBe(1);
  });

  test("crashes are drawn from the seed: killed, lost, cut and in any order", async () => {
    const ends = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const world = new World({ seed });
      world.addNode("a").crash();
      ends.add(/disk=([a-z-]+)/.exec(world.trace.lines.at(-1) ?? "")?.[1] ?? "none");
    }
    expect(ends).toEqual(new Set(["killed", "lost", "cut", "any-order"]));
  });

  test("a crash in the middle of writeAndSync may leave a part, and done is never called", async () => {
    const sizes = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      const world = new World({ seed });
      const node = world.addNode("a");
      const file = await world.settle(node.platform.files.open("f", "create"));
      await world.settle(node.platform.files.syncDir("/"));
      let isDone = false;
      file.writeAndSync(0, [new Uint8Array(2000).fill(1)], () => {
        isDone = true;
      });
      await world.run({ forMs: 0.1 });
      node.crash();
      node.restart();
      await world.run({ forMs: 100 });
      expect(isDone).toBe(false);
      const again = await world.settle(node.platform.files.open("f", "read"));
      const content = await world.settle(again.read(0, 3000));
      sizes.add(content.filter((byte) => byte === 1).length);
    }
    expect(sizes).toContain(0);
    expect(sizes).toContain(2000);
    expect(sizes.size).toBeGreaterThan(4);
  });

  test("faults: each call can be made to fail; a failed sync loses what it was to write, for good", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const { files } = node.platform;
    node.disk.fault = ({ kind }) => (kind === "open" ? "too-many-open" : undefined);
    await expect(world.settle(files.open("f", "create"))).rejects.toMatchObject({ code: "too-many-open" });
    expect(node.disk.list("/")).toEqual([]);
    node.disk.fault = undefined;
    const file = await world.settle(files.open("f", "create"));
    await world.settle(files.syncDir("/"));
    node.disk.fault = ({ kind }) => (kind === "writeAndSync" ? "io" : undefined);
    const error = await world.settle(
      new Promise<FileError | undefined>((resolve) => {
        file.writeAndSync(0, [new Uint8Array(100).fill(1)], resolve);
      }),
    );
    expect(error).toMatchObject({ code: "io", path: "f" });
    node.disk.fault = undefined;
    await expect(world.settle(file.sync())).rejects.toThrow(/failed before/);
    const again = await world.settle(files.open("f", "write"));
    await world.settle(again.sync());
    node.crash({ disk: keepUnsynced });
    expect(node.disk.open("f", "read").sizeBytes).toBe(0);
  });

  test("a write that fails may leave any part of it behind", async () => {
    const sizes = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const world = new World({ seed });
      const node = world.addNode("a");
      const file = await world.settle(node.platform.files.open("f", "create"));
      node.disk.fault = ({ kind }) => (kind === "write" ? "full" : undefined);
      await expect(world.settle(file.write(0, [new Uint8Array(100)]))).rejects.toMatchObject({ code: "full" });
      sizes.add(node.disk.open("f", "read").sizeBytes);
    }
    expect(sizes.size).toBeGreaterThan(10);
  });

  test("a node can be killed at each of its calls: that call has no effect and no answer", async () => {
    const boot = async ({ files }: Platform): Promise<Closeable> => {
      await files.makeDir("d");
      const file = await files.open("d/f", "create");
      await file.write(0, [new Uint8Array([1])]);
      await file.sync();
      await file.close();
      await files.rename("d/f", "d/g");
      await files.syncDir("d");
      await files.syncDir("/");
      return { close: async () => {} };
    };
    for (let killAt = 1; killAt <= 8; killAt += 1) {
      const world = new World({ seed: killAt });
      const node = world.addNode("a", boot);
      const calls: string[] = [];
      node.disk.fault = ({ kind }) => {
        calls.push(kind);
        if (calls.length === killAt) node.crash({ disk: loseUnsynced });
        return undefined;
      };
      await world.run({ forMs: 100 });
      expect(calls).toHaveLength(killAt);
      expect([node.isUp, node.program]).toEqual([false, undefined]);
      expect(node.disk.list("/")).toEqual([]);
    }
  });

  test("a caller that changes its buffers before a write has settled is found out", async () => {
    const world = new World({ seed: 1 });
    const node = world.addNode("a");
    const file = await world.settle(node.platform.files.open("f", "create"));
    const buffer = new Uint8Array([1, 2, 3]);
    const writing = file.write(0, [buffer]);
    buffer[1] = 9;
    await expect(world.settle(writing)).rejects.toThrow(/must not change/);
    file.writeAndSync(0, [buffer], () => {});
    buffer[1] = 10;
    await expect(world.run({ forMs: 10 })).rejects.toThrow(/must not change/);
  });

  test("the same of long ones of which a part changes", async () => {
    for (const lengthBytes of [500, 5_000, 20_000]) {
      const world = new World({ seed: lengthBytes });
      const node = world.addNode("a");
      const file = await world.settle(node.platform.files.open("f", "create"));
      const [head, buffer] = [new Uint8Array(20).fill(1), new Uint8Array(lengthBytes).fill(2)];
      file.writeAndSync(0, [head, buffer], () => {});
      buffer.fill(9, lengthBytes - 600);
      await expect(world.run({ forMs: 10 })).rejects.toThrow(/must not change/);
    }
  });
});
