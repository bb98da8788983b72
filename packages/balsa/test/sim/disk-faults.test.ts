import { describe, expect, test } from "vitest";
import type { File, FileError } from "../../src/platform/index.js";
import type { WorldNode } from "../../src/sim/index.js";
import { loseUnsynced, World } from "../../src/sim/index.js";
import { BLOCK_BYTES, SECTOR_BYTES } from "../../src/sim/limits.js";

interface Scene {
  readonly world: World;
  readonly node: WorldNode;
  readonly file: File;
}

/** A node with a file of so many bytes, all 1, durable. */
async function scene(lengthBytes: number, seed = 1): Promise<Scene> {
  const world = new World({ seed });
  const node = world.addNode("a");
  const file = await world.settle(node.platform.files.open("/f", "create"));
  await world.settle(file.write(0, [new Uint8Array(lengthBytes).fill(1)]));
  await world.settle(file.sync());
  await world.settle(node.platform.files.syncDir("/"));
  return { world, node, file };
}

function writeAndSync(file: File, position: number, bytes: Uint8Array): Promise<FileError | undefined> {
  return new Promise((resolve) => {
    file.writeAndSync(position, [bytes], resolve);
  });
}

describe("a full disk", () => {
  test("refuses what does not fit, after as much as does; there is room again when there is more or less is used", async () => {
    const { world, node, file } = await scene(BLOCK_BYTES);
    node.disk.capacityBytes = 3 * BLOCK_BYTES;
    expect(node.disk.usedBytes).toBe(BLOCK_BYTES);
    const refused = file.write(BLOCK_BYTES, [new Uint8Array(3 * BLOCK_BYTES)]);
    await expect(world.settle(refused)).rejects.toMatchObject({ code: "full" });
    expect(await world.settle(file.sizeBytes())).toBe(3 * BLOCK_BYTES);
    expect(await world.settle(writeAndSync(file, 3 * BLOCK_BYTES, new Uint8Array(1)))).toMatchObject({ code: "full" });
    await world.settle(file.truncate(BLOCK_BYTES + 1));
    expect(await world.settle(writeAndSync(file, BLOCK_BYTES, new Uint8Array(2 * BLOCK_BYTES)))).toBeUndefined();
    node.disk.capacityBytes = 4 * BLOCK_BYTES;
    expect(await world.settle(writeAndSync(file, 3 * BLOCK_BYTES, new Uint8Array(1)))).toBeUndefined();
  });

  test("what has room already can be overwritten, a hole can't be filled", async () => {
    const { world, node, file } = await scene(2 * BLOCK_BYTES);
    await world.settle(file.truncate(4 * BLOCK_BYTES));
    node.disk.capacityBytes = 2 * BLOCK_BYTES;
    expect(await world.settle(writeAndSync(file, 0, new Uint8Array(2 * BLOCK_BYTES)))).toBeUndefined();
    expect(await world.settle(writeAndSync(file, 3 * BLOCK_BYTES, new Uint8Array(1)))).toMatchObject({ code: "full" });
  });

  test("a removed file gives its room back", async () => {
    const { world, node } = await scene(2 * BLOCK_BYTES);
    node.disk.capacityBytes = 2 * BLOCK_BYTES;
    await world.settle(node.platform.files.remove("/f"));
    const other = await world.settle(node.platform.files.open("/g", "create"));
    expect(await world.settle(writeAndSync(other, 0, new Uint8Array(BLOCK_BYTES)))).toBeUndefined();
  });
});

test("a slow disk takes a multiple of the time for each call", async () => {
  const timeOf = async (slowness: number): Promise<number> => {
    const { world, node, file } = await scene(10);
    node.disk.slowness = slowness;
    const startMs = world.nowMs;
    await world.settle(writeAndSync(file, 0, new Uint8Array(10)));
    return world.nowMs - startMs;
  };
  const [normalMs, slowMs] = [await timeOf(1), await timeOf(500)];
  expect(slowMs / normalMs).toBeCloseTo(500, 0);
});

describe("syncs that fail for a time", () => {
  test("lose what they were to write, the file must not be used, and a file opened later can be", async () => {
    const { world, node, file } = await scene(10);
    node.disk.syncError = "io";
    expect(await world.settle(writeAndSync(file, 0, new Uint8Array(10).fill(2)))).toMatchObject({ code: "io" });
    await expect(world.settle(node.platform.files.syncDir("/"))).rejects.toMatchObject({ code: "io" });
    node.disk.syncError = undefined;
    await expect(world.settle(file.sync())).rejects.toThrow(/failed before/);
    const again = await world.settle(node.platform.files.open("/f", "write"));
    await world.settle(again.sync());
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("/f", "read").read(0, 10)).toEqual(new Uint8Array(10).fill(1));
  });
});

describe("rot", () => {
  test("turns one bit of what is durable over, and tells where", async () => {
    const places = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, node, file } = await scene(100, seed);
      const rotten = node.disk.rot(world.prng);
      expect(rotten?.path).toBe("/f");
      const { offset = 0, bit = 0 } = rotten ?? {};
      const expected = new Uint8Array(100).fill(1);
      expected[offset] = 1 ^ (1 << bit);
      expect(await world.settle(file.read(0, 100))).toEqual(expected);
      node.crash({ disk: loseUnsynced });
      expect(node.disk.open("/f", "read").read(0, 100)).toEqual(expected);
      places.add(offset);
      expect(world.trace.lines.some((line) => line.includes(`disk rot /f ${offset}`))).toBe(true);
    }
    expect(places.size).toBeGreaterThan(10);
  });

  test("programs go on seeing what they wrote over it; the disk does not, if that is lost", async () => {
    const { world, node, file } = await scene(100);
    await world.settle(file.write(0, [new Uint8Array(100).fill(7)]));
    const { offset = 0, bit = 0 } = node.disk.rot(world.prng) ?? {};
    expect(await world.settle(file.read(0, 100))).toEqual(new Uint8Array(100).fill(7));
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("/f", "read").read(offset, 1)).toEqual(new Uint8Array([1 ^ (1 << bit)]));
  });

  test("only where it is admitted; nowhere if nothing is", async () => {
    const { world, node } = await scene(100);
    const { offset } = node.disk.rot(world.prng, (place) => place.path === "/f" && place.offset < 10) ?? {};
    expect(offset).toBeLessThan(10);
    const before = node.disk.open("/f", "read").read(0, 100);
    expect(node.disk.rot(world.prng, () => false)).toBeUndefined();
    expect(node.disk.open("/f", "read").read(0, 100)).toEqual(before);
    expect(new World({ seed: 1 }).addNode("empty").disk.rot(world.prng)).toBeUndefined();
  });
});

describe("an unreadable sector", () => {
  test("fails what reads any of it or writes a part of it, and nothing else, over restarts, until it is written as a whole", async () => {
    const { world, node } = await scene(3 * SECTOR_BYTES);
    const place = node.disk.spoilSector(world.prng, ({ offset }) => Math.floor(offset / SECTOR_BYTES) === 1);
    expect(place?.path).toBe("/f");
    node.crash();
    node.restart();
    const file = await world.settle(node.platform.files.open("/f", "write"));
    const read = (position: number, lengthBytes: number): Promise<Uint8Array> =>
      world.settle(file.read(position, lengthBytes));
    await expect(read(0, 3 * SECTOR_BYTES)).rejects.toMatchObject({ code: "io" });
    await expect(read(2 * SECTOR_BYTES - 1, 1)).rejects.toMatchObject({ code: "io" });
    expect((await read(0, SECTOR_BYTES)).length).toBe(SECTOR_BYTES);
    expect((await read(2 * SECTOR_BYTES, SECTOR_BYTES)).length).toBe(SECTOR_BYTES);
    const partly = world.settle(file.write(SECTOR_BYTES, [new Uint8Array(SECTOR_BYTES - 1)]));
    await expect(partly).rejects.toMatchObject({ code: "io" });
    await expect(read(SECTOR_BYTES, 1)).rejects.toMatchObject({ code: "io" });
    await world.settle(file.write(SECTOR_BYTES, [new Uint8Array(SECTOR_BYTES)]));
    expect((await read(0, 3 * SECTOR_BYTES)).length).toBe(3 * SECTOR_BYTES);
  });
});

describe("a write that did not land where it should", () => {
  test("lost: the sector is zeros, on the disk and for programs", async () => {
    const { world, node, file } = await scene(3 * SECTOR_BYTES);
    const place = node.disk.overwriteSector(world.prng, "lost", ({ offset }) => offset >= 2 * SECTOR_BYTES);
    expect(place?.path).toBe("/f");
    const expected = new Uint8Array(3 * SECTOR_BYTES).fill(1).fill(0, 2 * SECTOR_BYTES);
    expect(await world.settle(file.read(0, 3 * SECTOR_BYTES))).toEqual(expected);
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("/f", "read").read(0, 3 * SECTOR_BYTES)).toEqual(expected);
    // What is zeros already has lost nothing.
    expect(node.disk.overwriteSector(world.prng, "lost", ({ offset }) => offset >= 2 * SECTOR_BYTES)).toBeUndefined();
  });

  test("misdirected: the sector is another one's, of the part of the file that there is", async () => {
    const { world, node, file } = await scene(2 * SECTOR_BYTES + 10);
    await world.settle(file.write(0, [new Uint8Array(SECTOR_BYTES).fill(7)]));
    await world.settle(file.sync());
    let place: ReturnType<typeof node.disk.overwriteSector>;
    for (let draw = 0; place === undefined && draw < 50; draw += 1) {
      place = node.disk.overwriteSector(world.prng, "misdirected", ({ path }) => path === "/f");
    }
    const sectors = node.disk.open("/f", "read").read(0, 3 * SECTOR_BYTES);
    expect(sectors.length).toBe(2 * SECTOR_BYTES + 10);
    const changed = Math.floor((place?.offset ?? 0) / SECTOR_BYTES);
    const first = sectors[0] as number;
    const expected = changed === 0 ? 1 : 7;
    expect(changed === 0 ? first : sectors[changed * SECTOR_BYTES]).toBe(expected);
    expect(world.trace.lines.some((line) => line.includes("disk misdirected /f"))).toBe(true);
  });

  test("programs go on seeing what they wrote over it; the disk does not, if that is lost", async () => {
    const { world, node, file } = await scene(SECTOR_BYTES);
    await world.settle(file.write(0, [new Uint8Array(SECTOR_BYTES).fill(7)]));
    expect(node.disk.overwriteSector(world.prng, "lost")).toBeDefined();
    expect(await world.settle(file.read(0, SECTOR_BYTES))).toEqual(new Uint8Array(SECTOR_BYTES).fill(7));
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("/f", "read").read(0, SECTOR_BYTES)).toEqual(new Uint8Array(SECTOR_BYTES));
  });

  test("of a sector that is partly written over they see what they wrote, and the damage around it", async () => {
    const { world, node, file } = await scene(SECTOR_BYTES);
    await world.settle(file.write(100, [new Uint8Array(10).fill(7)]));
    expect(node.disk.overwriteSector(world.prng, "lost")).toBeDefined();
    const seen = new Uint8Array(SECTOR_BYTES).fill(7, 100, 110);
    expect(await world.settle(file.read(0, SECTOR_BYTES))).toEqual(seen);
    await world.settle(file.sync());
    node.crash({ disk: loseUnsynced });
    expect(node.disk.open("/f", "read").read(0, SECTOR_BYTES)).toEqual(seen);
  });
});
