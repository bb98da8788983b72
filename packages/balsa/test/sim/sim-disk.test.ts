import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drawCrash } from "../../src/sim/crash-choice.js";
import type { DiskFile } from "../../src/sim/disk-file.js";
import { type CrashChoice, keepUnsynced, loseUnsynced, SimDisk } from "../../src/sim/index.js";
import { SECTOR_BYTES } from "../../src/sim/limits.js";
import { Prng } from "../../src/sim/prng.js";

function write(disk: SimDisk, file: DiskFile, position: number, bytes: Uint8Array): void {
  file.write(disk.nextSequence(), position, bytes).completed = true;
}

function sync(file: DiskFile): void {
  file.endSync(file.beginSync());
}

function syncDir(disk: SimDisk, path: string): void {
  disk.endSyncDir(disk.beginSyncDir(path));
}

function filled(lengthBytes: number, value: number): Uint8Array {
  return new Uint8Array(lengthBytes).fill(value);
}

/** A disk with a file that is there for good, holding `content`. */
function diskWith(content: Uint8Array): { disk: SimDisk; file: DiskFile } {
  const disk = new SimDisk();
  const file = disk.open("f", "create");
  write(disk, file, 0, content);
  sync(file);
  syncDir(disk, "/");
  return { disk, file };
}

function contentOf(disk: SimDisk, path: string): number[] {
  const file = disk.open(path, "read");
  return [...file.read(0, file.sizeBytes)];
}

/** What is on the disk after each of the states that a crash may leave: the disk is made anew for each. */
function allCrashStates(make: () => SimDisk, describeDisk: (disk: SimDisk) => string): Set<string> {
  const states = new Set<string>();
  // The choices as digits, each with its base: counted up like an odometer.
  let digits: number[] = [];
  for (;;) {
    const bases: number[] = [];
    const choose = (options: number): number => {
      bases.push(options);
      return digits[bases.length - 1] ?? 0;
    };
    const disk = make();
    disk.crash({
      keep: (sequences) => choose(sequences.length + 1),
      tear: () => choose(2) * (SECTOR_BYTES / 2),
    });
    states.add(describeDisk(disk));
    digits = bases.map((_, at) => digits[at] ?? 0);
    while (digits.length > 0 && digits.at(-1) === (bases[digits.length - 1] ?? 0) - 1) digits.pop();
    if (digits.length === 0) return states;
    digits.push((digits.pop() ?? 0) + 1);
  }
}

describe("SimDisk, files", () => {
  test("what was synced survives, what was not is forgotten", () => {
    const { disk, file } = diskWith(filled(3, 1));
    write(disk, file, 2, filled(4, 2));
    expect(contentOf(disk, "f")).toEqual([1, 1, 2, 2, 2, 2]);
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([1, 1, 1]);
    expect(disk.unsyncedRange()).toBeUndefined();
  });

  test("all of what was not synced may be there", () => {
    const { disk, file } = diskWith(filled(3, 1));
    write(disk, file, 2, filled(4, 2));
    file.resize(disk.nextSequence(), 5);
    disk.crash(keepUnsynced);
    expect(contentOf(disk, "f")).toEqual([1, 1, 2, 2, 2]);
  });

  test("a sync covers what was done when it began: not a write still under way, nor one that came later", () => {
    const { disk, file } = diskWith(filled(3, 0));
    write(disk, file, 0, filled(1, 1));
    file.write(disk.nextSequence(), 1, filled(1, 2));
    const covered = file.beginSync();
    write(disk, file, 2, filled(1, 3));
    file.endSync(covered);
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([1, 0, 0]);
  });

  test("a sync under way when the power goes has promised nothing", () => {
    const { disk, file } = diskWith(filled(1, 0));
    write(disk, file, 0, filled(1, 1));
    file.beginSync();
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([0]);
  });

  test("after a failed sync the bytes are seen, and no later sync makes them durable", () => {
    const { disk, file } = diskWith(filled(2, 0));
    write(disk, file, 0, filled(1, 1));
    file.failSync(file.beginSync());
    expect(contentOf(disk, "f")).toEqual([1, 0]);
    write(disk, file, 1, filled(1, 2));
    sync(file);
    disk.crash(keepUnsynced);
    expect(contentOf(disk, "f")).toEqual([0, 2]);
  });

  test("each sector may have got none, a part or all of a write, each on its own", () => {
    const states = allCrashStates(
      () => {
        const { disk, file } = diskWith(filled(2 * SECTOR_BYTES, 0));
        write(disk, file, 0, filled(2 * SECTOR_BYTES, 1));
        return disk;
      },
      (disk) => {
        const content = contentOf(disk, "f");
        expect(content).toHaveLength(2 * SECTOR_BYTES);
        const half = SECTOR_BYTES / 2;
        return [0, half, 2 * half, 3 * half].map((at) => content[at]).join("");
      },
    );
    const halves = ["00", "10", "11"];
    expect(states).toEqual(new Set(halves.flatMap((first) => halves.map((second) => first + second))));
  });

  test("a sector gets the writes that touched it in their order", () => {
    const states = allCrashStates(
      () => {
        const { disk, file } = diskWith(filled(2, 0));
        for (const value of [1, 2, 3]) write(disk, file, 0, filled(2, value));
        return disk;
      },
      (disk) => contentOf(disk, "f").join(""),
    );
    expect(states).toEqual(new Set(["00", "11", "22", "33"]));
  });

  test("a file's size survives or not apart from its bytes: what did not arrive reads as zeros", () => {
    const states = allCrashStates(
      () => {
        const { disk, file } = diskWith(filled(1, 7));
        write(disk, file, 1, filled(1, 8));
        return disk;
      },
      (disk) => contentOf(disk, "f").join(""),
    );
    expect(states).toEqual(new Set(["7", "70", "78"]));
  });

  test("bytes beyond a lost size do not come back when the file grows again", () => {
    const { disk } = diskWith(filled(1, 7));
    write(disk, disk.open("f", "write"), 1, filled(3, 8));
    let asked = 0;
    // The sector is asked for first, and kept; then the size, and lost.
    disk.crash({ keep: (sequences) => (asked++ === 0 ? sequences.length : 0), tear: () => 0 });
    const file = disk.open("f", "write");
    file.resize(disk.nextSequence(), 4);
    expect(contentOf(disk, "f")).toEqual([7, 0, 0, 0]);
  });

  test("cutting a file may survive or not; growing it again shows zeros where it did", () => {
    const states = allCrashStates(
      () => {
        const { disk, file } = diskWith(filled(2, 7));
        file.resize(disk.nextSequence(), 1);
        file.resize(disk.nextSequence(), 2);
        return disk;
      },
      (disk) => contentOf(disk, "f").join(""),
    );
    expect(states).toEqual(new Set(["77", "7", "70"]));
  });

  test("every drawn crash leaves each byte as some write left it, and never less than was synced", () => {
    const operations = fc.array(
      fc.record({ position: fc.nat(1500), lengthBytes: fc.integer({ min: 1, max: 1200 }), isSynced: fc.boolean() }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(operations, fc.string(), (list, seed) => {
        const { disk, file } = diskWith(new Uint8Array(0));
        // For each position, the values it may have after a crash.
        const legal = Array.from({ length: 3000 }, () => new Set([0]));
        let syncedBytes = 0;
        for (const [i, { position, lengthBytes, isSynced }] of list.entries()) {
          write(disk, file, position, filled(lengthBytes, i + 1));
          for (let at = position; at < position + lengthBytes; at += 1) legal[at]?.add(i + 1);
          if (!isSynced) continue;
          sync(file);
          syncedBytes = file.sizeBytes;
          for (const [at, byte] of contentOf(disk, "f").entries()) legal[at] = new Set([byte]);
        }
        const range = disk.unsyncedRange() ?? { oldest: 0, newest: 0 };
        disk.crash(drawCrash(new Prng(seed), range.oldest, range.newest, false).choice ?? keepUnsynced);
        const content = contentOf(disk, "f");
        expect(content.length).toBeGreaterThanOrEqual(syncedBytes);
        expect(content.findIndex((byte, at) => legal[at]?.has(byte) !== true)).toBe(-1);
      }),
      { numRuns: 200 },
    );
  });

  test("drawn crashes lose all, keep all, cut in the middle and tear, over a few seeds", () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { disk, file } = diskWith(filled(4 * SECTOR_BYTES, 0));
      for (const sector of [0, 1, 2, 3]) write(disk, file, sector * SECTOR_BYTES, filled(SECTOR_BYTES, 1));
      const range = disk.unsyncedRange() ?? { oldest: 0, newest: 0 };
      disk.crash(drawCrash(new Prng(seed), range.oldest, range.newest, false).choice ?? keepUnsynced);
      const content = contentOf(disk, "f");
      const sectors = [0, 1, 2, 3].map((sector) => {
        const bytes = content.slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
        if (bytes.every((byte) => byte === 1)) return "1";
        return bytes.every((byte) => byte === 0) ? "0" : "t";
      });
      kept.add(sectors.join(""));
    }
    expect(kept).toContain("0000");
    expect(kept).toContain("1111");
    expect(kept).toContain("1100");
    expect([...kept].some((state) => state.includes("t"))).toBe(true);
    expect([...kept].some((state) => /0[1t]/.test(state))).toBe(true);
  });
});

/** The names of a directory with the first byte of each file. */
function look(disk: SimDisk, path: string): string {
  const names = disk.list(path);
  return names.map((name) => `${name}=${contentOf(disk, `${path}/${name}`)[0] ?? "-"}`).join(" ");
}

function createSynced(disk: SimDisk, path: string, value: number): void {
  const file = disk.open(path, "create");
  write(disk, file, 0, filled(1, value));
  sync(file);
}

describe("SimDisk, directories", () => {
  test("a file that was synced is lost with its name, until its directory is synced too", () => {
    const disk = new SimDisk();
    createSynced(disk, "f", 1);
    expect(disk.list("/")).toEqual(["f"]);
    disk.crash(loseUnsynced);
    expect(disk.list("/")).toEqual([]);

    createSynced(disk, "f", 1);
    syncDir(disk, "/");
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([1]);
  });

  test("a name that survived shows a file whose content did not", () => {
    const disk = new SimDisk();
    write(disk, disk.open("f", "create"), 0, filled(1, 1));
    syncDir(disk, "/");
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([]);
  });

  test("a new directory is lost with all that is in it, until its parent is synced", () => {
    const disk = new SimDisk();
    disk.makeDir("a/b");
    createSynced(disk, "a/b/f", 1);
    syncDir(disk, "a/b");
    syncDir(disk, "a");
    disk.crash(loseUnsynced);
    expect(disk.list("/")).toEqual([]);
  });

  test("a removed file is back until the directory is synced", () => {
    const { disk } = diskWith(filled(1, 1));
    disk.remove("f");
    expect(disk.list("/")).toEqual([]);
    disk.crash(loseUnsynced);
    expect(contentOf(disk, "f")).toEqual([1]);
    disk.remove("f");
    syncDir(disk, "/");
    disk.crash(loseUnsynced);
    expect(disk.list("/")).toEqual([]);
  });

  test("a rename happens as a whole or not at all: the name shows the old file or the new one", () => {
    const states = allCrashStates(
      () => {
        const { disk } = diskWith(filled(1, 1));
        createSynced(disk, "new", 2);
        syncDir(disk, "/");
        disk.rename("new", "f");
        return disk;
      },
      (disk) => look(disk, "/"),
    );
    expect(states).toEqual(new Set(["f=1 new=2", "f=2"]));
  });

  test("creation and rename: the new file is there under one name, or not at all", () => {
    const states = allCrashStates(
      () => {
        const { disk } = diskWith(filled(1, 1));
        createSynced(disk, "new", 2);
        disk.rename("new", "f");
        return disk;
      },
      (disk) => look(disk, "/"),
    );
    expect(states).toEqual(new Set(["f=1", "f=1 new=2", "f=2"]));
  });

  test("a sync of the directory renamed into covers the creation that the rename builds upon", () => {
    const disk = new SimDisk();
    disk.makeDir("from");
    disk.makeDir("to");
    syncDir(disk, "/");
    createSynced(disk, "from/f", 1);
    createSynced(disk, "from/other", 2);
    disk.rename("from/f", "to/f");
    syncDir(disk, "to");
    disk.crash(loseUnsynced);
    expect(look(disk, "to")).toBe("f=1");
    expect(look(disk, "from")).toBe("");
  });

  test("changes of different names survive in any combination, of one name in their order", () => {
    const states = allCrashStates(
      () => {
        const disk = new SimDisk();
        createSynced(disk, "a", 1);
        createSynced(disk, "b", 2);
        disk.remove("a");
        createSynced(disk, "a", 3);
        return disk;
      },
      (disk) => look(disk, "/"),
    );
    expect(states).toEqual(new Set(["", "a=1", "b=2", "a=1 b=2", "a=3", "a=3 b=2"]));
  });

  test("paths are the same path however they are written", () => {
    const disk = new SimDisk();
    disk.makeDir("/a/b/");
    createSynced(disk, "a//b/./f", 1);
    expect(disk.list("/a/c/../b")).toEqual(["f"]);
    disk.rename("a/b/f", "/a/b/../f");
    expect(look(disk, "a/b")).toBe("");
    expect(contentOf(disk, "/a/f")).toEqual([1]);
  });

  test("a choice is asked for each thing once, in the order of the operations", () => {
    const { disk, file } = diskWith(filled(SECTOR_BYTES, 0));
    write(disk, file, 0, filled(2, 1));
    write(disk, file, 1, filled(SECTOR_BYTES, 2));
    disk.open("g", "create");
    const asked: number[][] = [];
    const choice: CrashChoice = {
      keep(sequences) {
        asked.push([...sequences]);
        return sequences.length;
      },
      tear: () => 0,
    };
    const first = disk.unsyncedRange()?.oldest ?? 0;
    disk.crash(choice);
    // The entry, then the file's two sectors, then its size.
    expect(asked.map((sequences) => sequences.map((sequence) => sequence - first))).toEqual([[2], [0, 1], [1], [1]]);
  });
});

describe("a fork of a disk", () => {
  test("may be left in every state in which the disk may be, and neither changes the other", () => {
    const { disk, file } = diskWith(filled(600, 1));
    write(disk, file, 500, filled(300, 2));
    file.resize(disk.nextSequence(), 100).completed = true;
    disk.rename("f", "g");
    write(disk, disk.open("h", "create"), 0, filled(10, 3));
    const names = (each: SimDisk): string => each.list("/").join();
    const describeDisk = (each: SimDisk): string =>
      each
        .list("/")
        .map((name) => `${name}: ${contentOf(each, name).join()}`)
        .join("; ");
    const before = describeDisk(disk);
    const ofForks = allCrashStates(() => disk.fork(), describeDisk);
    expect(ofForks.size).toBeGreaterThan(20);
    expect(describeDisk(disk)).toBe(before);
    const fork = disk.fork();
    write(fork, fork.open("h", "write"), 0, filled(600, 4));
    fork.remove("g");
    expect([describeDisk(disk), names(fork)]).toEqual([before, "h"]);
    write(disk, disk.open("h", "write"), 0, filled(10, 5));
    expect(contentOf(fork, "h")).toEqual([...filled(600, 4)]);
    // What is made durable on the fork is so there alone.
    fork.endSyncDir(fork.beginSyncDir("/"));
    disk.crash(loseUnsynced);
    fork.crash(loseUnsynced);
    expect([names(disk), names(fork)]).toEqual(["f", "h"]);
  });
});
