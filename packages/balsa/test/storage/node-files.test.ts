import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "../../src/platform/index.js";
import { nodePlatform } from "../../src/platform/node/index.js";
import { DiskStorage, readLog } from "../../src/storage/index.js";
import {
  append,
  BOOTSTRAP,
  codeOf,
  contentOf,
  entries,
  entry,
  hardState,
  meta,
  plain,
  takeSnapshot,
} from "./storages.js";

let root = "";

afterEach(() => rm(root, { recursive: true, force: true }));

test("F1 F2 on a real disk: what was acknowledged is there, the directory is locked, segments come and go", async () => {
  root = await mkdtemp(join(tmpdir(), "balsa-storage-"));
  const dir = join(root, "deep", "down");
  const platform = nodePlatform({ logger: silentLogger });
  const options = { platform, dir, expect: BOOTSTRAP, segmentBytes: 64 * 1024 };
  const storage = await DiskStorage.open(options);
  expect(await codeOf(DiskStorage.open(options))).toBe("locked");
  const writes: Promise<void>[] = [];
  for (let index = 1; index <= 3000; index++) {
    writes.push(append(storage, { hardState: hardState(1, 1, index - 1), entries: [entry(index, 1, 200)] }));
    // Some come together, some alone.
    if (index % 97 === 0) await Promise.all(writes);
  }
  await Promise.all(writes);
  const before = (await readdir(join(dir, "log"))).length;
  expect(before).toBeGreaterThan(9);
  await takeSnapshot(storage, 2500, 1, [new Uint8Array(300_000).fill(5)]);
  storage.compact(2400);
  // As a killed process leaves it: nothing is closed.
  expect((await readLog(platform.files, dir)).entries.length).toBe(500);
  await storage.close();
  expect((await readdir(join(dir, "log"))).length).toBeLessThan(before - 6);

  await using again = await DiskStorage.open({ ...options, expect: { kind: "existing", group: 1, name: "a" } });
  expect(again.initialState().hardState).toEqual(hardState(1, 1, 2999));
  expect(again.snapshot().meta).toEqual(meta(2500, 1));
  expect(plain(again.entries(2501, 3001, 1e9))).toEqual(plain(entries(2501, 3000, 1, 200)));
  expect((await contentOf(again)).length).toBe(300_000);
});
