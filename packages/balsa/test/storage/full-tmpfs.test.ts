import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { silentLogger } from "../../src/platform/index.js";
import { nodePlatform } from "../../src/platform/node/index.js";
import { DiskStorage, readLog } from "../../src/storage/index.js";
import { append, BOOTSTRAP, codeOf, entries, entry, hardState, plain, takeSnapshot } from "./storages.js";

const DISK_BYTES = 4 * 1024 * 1024;
const SEGMENT_BYTES = 256 * 1024;
const ENTRY_BYTES = 16_000;

/** A small disk of its own; undefined where this process may not mount one. */
function mountSmallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "balsa-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", dir], { stdio: "pipe" });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

const disk = mountSmallDisk();

afterAll(() => {
  if (disk === undefined) return;
  // Also where a failed test has left files open.
  execFileSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true });
});

const platform = nodePlatform({ logger: silentLogger });

function open(dir: string): Promise<DiskStorage> {
  return DiskStorage.open({ platform, dir, expect: BOOTSTRAP, segmentBytes: SEGMENT_BYTES });
}

/** Appends one entry after the other until one is not acknowledged; gives its index and what becomes of it. */
async function fill(storage: DiskStorage, first: number): Promise<{ last: number; waiting: Promise<void> }> {
  const isFull = new Promise<void>((resolve) => {
    storage.watchRoom((full) => full && resolve());
    if (storage.isFull) resolve();
  });
  for (let index = first; ; index++) {
    const waiting = append(storage, {
      hardState: hardState(1, 1, index - 1),
      entries: [entry(index, 1, ENTRY_BYTES)],
    }).then(() => "written" as const);
    // What is prepared is used up before a write waits, so the first word of a full disk is not the end.
    const outcome = await Promise.race([waiting, isFull.then(() => waitLong())]);
    if (outcome !== "written") return { last: index, waiting: waiting.then(() => {}) };
  }
}

/** Longer than the log waits between two attempts to find room. */
function waitLong(): Promise<"waits"> {
  return new Promise((resolve) => setTimeout(resolve, 700, "waits"));
}

/** Takes the space that is left, down to the last page. */
function occupy(path: string): void {
  for (let bytes = DISK_BYTES; bytes >= 512; ) {
    try {
      writeFileSync(`${path}-${bytes}-${Math.random()}`, new Uint8Array(bytes));
    } catch {
      bytes >>>= 1;
    }
  }
}

test.skipIf(disk === undefined)(
  "F4 a real disk that is full: nothing acknowledged is lost, reads go on, room is used when there is some",
  async () => {
    const root = disk ?? "";
    const dir = join(root, "data");
    const filler = join(root, "filler");
    // Somebody else's files, which can be removed.
    mkdirSync(filler);
    writeFileSync(join(filler, "f"), new Uint8Array(DISK_BYTES / 2));
    const storage = await open(dir);
    const { last, waiting } = await fill(storage, 1);
    expect(last).toBeGreaterThan(50);
    expect(storage.isFull).toBe(true);
    // Reads go on, of what was acknowledged, and of nothing else.
    expect(storage.lastIndex()).toBe(last - 1);
    expect(plain(storage.entries(last - 3, last, 1e9))).toEqual(plain(entries(last - 3, last - 1, 1, ENTRY_BYTES)));
    // A snapshot finds no room either: refused, and no more than that.
    expect(await codeOf(takeSnapshot(storage, last - 2, 1, [new Uint8Array(600_000)]))).toBe("disk-full");

    // Without a byte more: what waits is given up, and the directory is opened again as it is.
    const outcome = codeOf(waiting);
    occupy(join(filler, "f"));
    await storage.close();
    expect(await outcome).toBe("disk-full");
    const again = await open(dir);
    expect([last - 1, last]).toContain(again.lastIndex());
    expect(again.initialState().hardState.term).toBe(1);
    const next = await fill(again, again.lastIndex() + 1);

    // Room is made: the write that waited goes on by itself, and so does the next snapshot.
    rmSync(filler, { recursive: true });
    await next.waiting;
    expect(again.lastIndex()).toBe(next.last);
    await takeSnapshot(again, next.last - 20, 1);
    await takeSnapshot(again, next.last - 10, 1);
    again.compact(next.last - 20);
    await append(again, { hardState: hardState(2, 0, next.last - 1), entries: [entry(next.last + 1, 2, 100)] });
    // Near the end of a segment there is room for certain once there is a spare, which is tried for again by and by.
    await new Promise<void>((resolve) => {
      if (again.isFull) again.watchRoom((isFull) => !isFull && resolve());
      else resolve();
    });
    expect(again.isFull).toBe(false);
    await again.close();

    const log = await readLog(platform.files, dir);
    expect(log.hardState.term).toBe(2);
    expect(plain(log.entries)).toEqual(
      plain([...entries(next.last - 9, next.last, 1, ENTRY_BYTES), entry(next.last + 1, 2, 100)]),
    );
  },
  60_000,
);
