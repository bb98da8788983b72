import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { nodeFiles } from "balsa/platform/node";
import { afterEach, describe, expect, it } from "vitest";
import { dataDirectory, flipBit, flipBitIn, keysIn } from "./data-directory.js";
import { balsa } from "./outcome.js";

const KEYS = ["a", "b", "c", "d", "e"];
let dir = "";
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("a sound directory", () => {
  it("wal inspect tells its segments, its end and its owner", async () => {
    dir = await dataDirectory(KEYS);
    const { exitCode, out } = await balsa("wal", "inspect", dir);
    expect(out).toMatch(/^member solo \([0-9a-f]+\) of cluster [0-9a-f]+, incarnation/);
    expect(out).toMatch(/\nlog up to index \d+\n/);
    expect(out).toMatch(/\nSEGMENT +BYTES +USED +BATCHES +ENTRIES +INDEXES\n/);
    expect(exitCode).toBe(0);
    const json: unknown = JSON.parse((await balsa("wal", "inspect", dir, "--json")).out);
    expect(json).toMatchObject({ damages: [], lost: [], endKnown: true, member: { name: "solo" } });
  });

  it("wal verify finds nothing", async () => {
    dir = await dataDirectory(KEYS);
    const { exitCode, out } = await balsa("wal", "verify", dir);
    expect(out).toMatch(/\nsound\n$/);
    expect(exitCode).toBe(0);
  });

  it("wal dump shows each entry, and what clients wrote where asked to", async () => {
    dir = await dataDirectory(KEYS);
    const plain = await balsa("wal", "dump", dir);
    expect(plain.out).toContain("a new leader's empty entry");
    expect(plain.out).not.toContain("value of");
    const { out } = await balsa("wal", "dump", dir, "--data", "text");
    for (const key of KEYS) expect(out).toContain(`value of ${key}`);
    const lines = (await balsa("wal", "dump", dir, "--json", "--from", "4", "--to", "5")).out.trimEnd().split("\n");
    const entries = lines.map((line): { kind: string; index?: number } => JSON.parse(line));
    expect(new Set(entries.filter(({ kind }) => kind === "entry").map(({ index }) => index))).toEqual(new Set([4, 5]));
  });

  it("snapshot inspect and verify read each one", async () => {
    dir = await dataDirectory(KEYS, 3);
    const inspected = await balsa("snapshot", "inspect", dir);
    expect(inspected.out).toMatch(/up to index \d+, term \d+\n {2}\d+ bytes, [1-9]\d* of them the application's\n/);
    expect(inspected.exitCode).toBe(0);
    const verified = await balsa("snapshot", "verify", dir, "--json");
    const all: unknown = JSON.parse(verified.out);
    expect(all).toEqual(expect.arrayContaining([expect.objectContaining({ kind: "sound" })]));
  });
});

describe("a damaged directory", () => {
  it("wal verify says which entry, where, and fails", async () => {
    dir = await dataDirectory(KEYS);
    await flipBit(join(dir, "log"), "value of c");
    const { exitCode, out } = await balsa("wal", "verify", dir);
    expect(out).toMatch(/\ndamaged: .*\.log, offset \d+, index \d+, term \d+: /);
    expect(out).toMatch(/\nlost: entries (\d+) to \1\n/);
    expect(out).toMatch(/\nDAMAGED; see docs\/operations\/storage\.md\n$/);
    expect(exitCode).toBe(1);
    expect((await balsa("wal", "inspect", dir)).out).toContain("1 damaged");
    const dump = await balsa("wal", "dump", dir, "--data", "text");
    expect(dump.out).toContain("DAMAGED entry");
    expect(dump.out).toContain("value of d");
    expect(dump.exitCode).toBe(1);
  });

  it("snapshot verify says which, and fails", async () => {
    dir = await dataDirectory(KEYS, 3);
    await flipBit(join(dir, "snapshots"), "value of a");
    const { exitCode, out } = await balsa("snapshot", "verify", dir);
    expect(out).toContain("DAMAGED: ");
    expect(exitCode).toBe(1);
    expect((await balsa("snapshot", "inspect", dir)).exitCode).toBe(1);
  });
});

describe("balsa wal repair", () => {
  it("says what would be lost, and loses it only when told to; damaged files are kept", async () => {
    dir = await dataDirectory(KEYS);
    await flipBit(join(dir, "log"), "value of c");
    const plan = await balsa("wal", "repair", dir);
    expect(plan.out).toMatch(/\nentries \d+ to \d+ would be lost, acknowledged or not\n.*add --apply/);
    expect(plan.exitCode).toBe(1);
    expect((await balsa("wal", "verify", dir)).exitCode).toBe(1);

    const done = await balsa("wal", "repair", dir, "--apply");
    expect(done.out).toMatch(/done: the log ends at index \d+; damaged files are in .*\/set-aside\n$/);
    expect(done.exitCode).toBe(0);
    expect((await balsa("wal", "verify", dir)).exitCode).toBe(0);
    expect(await readdir(join(dir, "set-aside"))).toHaveLength(1);
    expect(await keysIn(dir)).toEqual(["a", "b"]);
    expect((await balsa("wal", "repair", dir)).out).toBe("sound: there is nothing to repair\n");
  });

  it("loses nothing where the snapshot before a damaged one is sound, and the log reaches back to it", async () => {
    dir = await dataDirectory(KEYS, 4);
    // Another may have been under way when the member was closed: what it left is no snapshot.
    const snapshots = (await readdir(join(dir, "snapshots"))).filter((name) => name.endsWith(".snapshot"));
    const newest = snapshots.sort().at(-1) ?? "";
    expect(await flipBitIn(join(dir, "snapshots", newest), "value of a")).toBe(true);
    expect((await balsa("wal", "repair", dir)).out).toContain("no entry would be lost");
    expect((await balsa("wal", "repair", dir, "--apply")).exitCode).toBe(0);
    expect(await readdir(join(dir, "set-aside"))).toEqual([newest]);
    expect(await keysIn(dir)).toEqual(KEYS);
  });

  it("leaves a member of a cluster to the others, unless it is forced", async () => {
    dir = await dataDirectory([], undefined, ["solo", "other", "third"]);
    await flipBit(join(dir, "log"), "BTCH");
    const refused = await balsa("wal", "repair", dir, "--apply");
    expect(refused.out).toContain("other members can repair it");
    expect(refused.exitCode).toBe(1);
    expect((await balsa("wal", "repair", dir, "--apply", "--force")).exitCode).toBe(0);
    expect((await balsa("wal", "verify", dir)).exitCode).toBe(0);
  });
});

describe("balsa recover", () => {
  it("makes a new cluster of what a survivor holds, once the loss is accepted", async () => {
    dir = await dataDirectory(KEYS, 4);
    const to = `${dir}-recovered`;
    try {
      const plan = await balsa("recover", dir, "--to", to);
      expect(plan.out).toMatch(/entries up to \d+ are known to be committed\n.*what others had.*nothing is done/s);
      expect(plan.exitCode).toBe(2);
      const done = await balsa("recover", dir, "--to", to, "--accept-data-loss");
      expect(done.out).toContain("is the first member of a new cluster");
      expect(done.exitCode).toBe(0);
      expect(await keysIn(to)).toEqual(KEYS);
      expect(await keysIn(dir)).toEqual(KEYS);
      const clusters = await Promise.all([dir, to].map(async (one) => (await balsa("wal", "inspect", one)).out));
      const [old, recovered] = clusters.map((out) => /of cluster (\w+)/.exec(out)?.[1]);
      expect(recovered).not.toBe(old);
      const again = await balsa("recover", dir, "--to", to, "--accept-data-loss");
      expect(again.error).toContain("holds a member's data already");
    } finally {
      await rm(to, { recursive: true, force: true });
    }
  });

  it("makes one of a survivor of three, which could lead no cluster any more", async () => {
    dir = await dataDirectory([], undefined, ["solo", "other", "third"]);
    const to = `${dir}-recovered`;
    try {
      expect((await balsa("recover", dir, "--to", to, "--accept-data-loss")).exitCode).toBe(0);
      expect(await keysIn(to)).toEqual([]);
    } finally {
      await rm(to, { recursive: true, force: true });
    }
  });
});

describe("a directory that can't be looked into", () => {
  it("one that holds nothing is named", async () => {
    dir = "/nonexistent/balsa";
    for (const command of [
      ["wal", "verify"],
      ["wal", "inspect"],
      ["wal", "dump"],
      ["snapshot", "verify"],
    ]) {
      const { exitCode, error } = await balsa(...command, dir);
      expect(error).toBe(`balsa: ${dir} holds no member's data\n`);
      expect(exitCode).toBe(1);
    }
  });

  it("one in use is not verified", async () => {
    dir = await dataDirectory(KEYS);
    const lock = await nodeFiles.lock(join(dir, "lock"));
    const { exitCode, error } = await balsa("wal", "verify", dir);
    await lock.release();
    expect(error).toContain("stop the member first");
    expect(exitCode).toBe(1);
  });
});
