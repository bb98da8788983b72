import { expect, test } from "vitest";
import { ENTRY_PAYLOAD_BYTES_MAX } from "../../src/codec/index.js";
import { FileError } from "../../src/platform/index.js";
import { readLog } from "../../src/storage/index.js";
import { HandClock } from "./hand-clock.js";
import { type CallKind, RecordedFiles } from "./recorded-files.js";
import {
  allEntries,
  append,
  BOOTSTRAP,
  codeOf,
  DIR,
  entries,
  entry,
  hardState,
  meta,
  openStorage,
  plain,
  receive,
  snapshotFile,
  write,
} from "./storages.js";

/** Counts the calls of a kind from now on. */
function counter(files: RecordedFiles, kind: CallKind): () => number {
  let calls = 0;
  files.fault = (called) => {
    if (called === kind) calls++;
    return undefined;
  };
  return () => calls;
}

test("C3 whatever arrives while a sync runs shares the next one", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  const syncs = counter(files, "writeAndSync:sync");
  const writes: Promise<void>[] = [];
  for (let index = 1; index <= 100; index++) writes.push(append(storage, { entries: [entry(index, 1)] }));
  await Promise.all(writes);
  // The first one alone, since nothing was under way, then all others together.
  expect(syncs()).toBe(2);
  expect(storage.lastIndex()).toBe(100);
  await storage.close();
});

test("D3 nobody is told before the sync, and memory holds only what is durable", async () => {
  const storage = await openStorage(new RecordedFiles());
  let turns = "";
  storage.append(write({ hardState: hardState(1, 2, 0), entries: entries(1, 3, 1) }), () => {
    turns += ` told at ${storage.lastIndex()}, term ${storage.initialState().hardState.term}`;
  });
  turns += `returned at ${storage.lastIndex()}, term ${storage.initialState().hardState.term}`;
  await append(storage, {});
  expect(turns).toBe("returned at 0, term 0 told at 3, term 1");
  await storage.close();
});

test("C9 writes are acknowledged in the order in which they came, those that need no sync among them", async () => {
  const storage = await openStorage(new RecordedFiles());
  const order: string[] = [];
  const told = (name: string) => (): void => {
    order.push(name);
  };
  storage.append(write({ hardState: hardState(1, 0, 0) }), told("term"));
  storage.append(write({ hardState: hardState(1, 0, 0) }), told("same again"));
  storage.append(write({ entries: [entry(1, 1)] }), told("entry"));
  storage.append(write({ hardState: hardState(1, 0, 1) }), told("commit"));
  storage.append(write({}), told("nothing"));
  storage.append(write({ entries: [entry(2, 1)] }), told("entry 2"));
  expect(order).toEqual([]);
  await append(storage, {});
  expect(order).toEqual(["term", "same again", "entry", "commit", "nothing", "entry 2"]);
  await storage.close();
});

test("C9 a write from within an acknowledgement comes behind those still to be acknowledged", async () => {
  const storage = await openStorage(new RecordedFiles());
  const order: string[] = [];
  await append(storage, { entries: [entry(1, 1)] });
  const inner = new Promise<void>((resolve) => {
    storage.append(write({ entries: [entry(2, 1)] }), () => {
      order.push("first");
      storage.append(write({ hardState: hardState(0, 0, 1) }), () => {
        order.push("inner");
        resolve();
      });
    });
  });
  storage.append(write({ hardState: hardState(0, 0, 1) }), () => order.push("second"));
  await inner;
  expect(order).toEqual(["first", "second", "inner"]);
  await storage.close();
});

test("F1 a changed commit index alone costs no sync, and comes with the next write", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(1, 5, 0), entries: entries(1, 4, 1) });
  const syncs = counter(files, "writeAndSync:sync");
  let isTold = false;
  storage.append(write({ hardState: hardState(1, 5, 3) }), () => {
    isTold = true;
  });
  expect(isTold).toBe(true);
  await append(storage, { hardState: hardState(1, 5, 4) });
  expect(syncs()).toBe(0);
  expect(storage.initialState().hardState.commit).toBe(4);
  expect((await readLog(files, DIR)).hardState.commit).toBe(0);
  await append(storage, { entries: [entry(5, 1)] });
  expect((await readLog(files, DIR)).hardState).toEqual(hardState(1, 5, 4));
  await append(storage, { hardState: hardState(1, 5, 5) });
  await storage.close();
  expect((await readLog(files, DIR)).hardState.commit).toBe(5);
});

test.each([
  ["a term", { hardState: hardState(2, 0, 0) }],
  ["a vote", { hardState: hardState(1, 9, 0) }],
  ["an entry", { entries: [entry(1, 1)] }],
  ["what demands it", { mustSync: true }],
])("D3 %s is synced", async (_what, parts) => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { hardState: hardState(1, 0, 0) });
  const syncs = counter(files, "writeAndSync:sync");
  await append(storage, parts);
  expect(syncs()).toBe(1);
  await storage.close();
});

test("a batch that is large enough takes no more, and what waits comes in order", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  const syncs = counter(files, "writeAndSync:sync");
  const large = 3 * 1024 * 1024;
  const writes = [append(storage, { entries: [entry(1, 1)] })];
  for (let index = 2; index <= 6; index++) {
    writes.push(append(storage, { entries: [entry(index, 1, large)] }));
    writes.push(append(storage, { hardState: hardState(0, 0, index) }));
  }
  await Promise.all(writes);
  // 1; 2 and 3; 4 and 5; 6
  expect(syncs()).toBe(4);
  await storage.close();
  const log = await readLog(files, DIR);
  expect(log.entries.map(({ data }) => data.length)).toEqual([20, large, large, large, large, large]);
  expect(log.hardState.commit).toBe(6);
});

test("F1 what comes together with a received snapshot, before and behind it, is kept in order", async () => {
  const files = new RecordedFiles();
  const file = await snapshotFile(new RecordedFiles(), 50, 3);
  const storage = await openStorage(files);
  await receive(storage, 50, 3, file);
  await Promise.all([
    append(storage, { entries: entries(1, 10, 1), hardState: hardState(1, 0, 0) }),
    append(storage, { entries: entries(8, 12, 2), hardState: hardState(2, 0, 0) }),
    append(storage, { snapshot: { meta: meta(50, 3), data: new Uint8Array(0) }, hardState: hardState(3, 0, 50) }),
    append(storage, { entries: entries(51, 55, 3) }),
  ]);
  expect(plain(allEntries(storage))).toEqual(plain(entries(51, 55, 3)));
  await storage.close();
  const log = await readLog(files, DIR);
  expect(log.snapshot?.index).toBe(50);
  expect(plain(log.entries)).toEqual(plain(entries(51, 55, 3)));
  expect(log.hardState).toEqual(hardState(3, 0, 50));
});

test("an idle log vouches for its last batch, once, and not while there is work", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const storage = await openStorage(files, { clock });
  const syncs = counter(files, "writeAndSync:sync");
  clock.pass(1000);
  expect(syncs()).toBe(0); // the fresh segment's first batch needs no mark
  await append(storage, { entries: [entry(1, 1)] });
  clock.pass(300);
  await append(storage, { entries: [entry(2, 1)] });
  clock.pass(300);
  expect(syncs()).toBe(2);
  await append(storage, { hardState: hardState(0, 0, 2) });
  clock.pass(500);
  await append(storage, {});
  expect(syncs()).toBe(3);
  expect((await readLog(files, DIR)).hardState.commit).toBe(2);
  clock.pass(1000);
  expect(syncs()).toBe(3);
  expect(clock.timers).toBe(0);
  await storage.close();
  expect(syncs()).toBe(3);
});

test("F1 a failed sync fails everything that waits and everything that comes", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: [entry(1, 1)] });
  let failures = 0;
  files.fault = (kind, path) =>
    kind === "writeAndSync:sync" && failures++ === 0 ? new FileError("io", path, "injected") : undefined;
  const outcomes = await Promise.allSettled([
    append(storage, { entries: [entry(2, 1)] }),
    append(storage, { hardState: hardState(0, 0, 1) }),
    append(storage, { entries: [entry(3, 1)] }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(await codeOf(append(storage, { entries: [entry(2, 1)] }))).toBe("storage-failed");
  expect(await codeOf(append(storage, {}))).toBe("storage-failed");
  expect(failures).toBe(1);
  expect(storage.lastIndex()).toBe(1);
  await storage.close();
});

test("F1 a batch that a failed sync left in the cache alone is written anew before anything is built upon it", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: [entry(1, 1)] });
  files.fault = (kind, path) => (kind === "writeAndSync:sync" ? new FileError("io", path, "injected") : undefined);
  expect(await codeOf(append(storage, { entries: [entry(2, 1)] }))).toBe("storage-failed");
  await storage.close();
  files.fault = undefined;
  // The next process sees entry 2, which is not on the disk.
  const next = await openStorage(files);
  expect(next.lastIndex()).toBe(2);
  await append(next, { entries: [entry(3, 1)] });
  // The power fails.
  files.disk.crash({ keep: () => 0, tear: () => 0 });
  expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, 3, 1)));
});

test("close finishes what was appended and takes no more", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  const writes = [append(storage, { entries: [entry(1, 1)] }), append(storage, { entries: [entry(2, 1)] })];
  const closing = storage.close();
  expect(await codeOf(append(storage, { entries: [entry(3, 1)] }))).toBe("closed");
  await closing;
  await Promise.all(writes);
  const existing = { ...BOOTSTRAP, kind: "existing" } as const;
  const again = await openStorage(files, { expect: existing });
  expect(again.lastIndex()).toBe(2);
  await again.close();
});

test("the log's own growth is counted, less what is replaced and what is compacted", async () => {
  const storage = await openStorage(new RecordedFiles());
  await append(storage, { entries: entries(1, 10, 1, 100) });
  expect(storage.logBytes).toBe(10 * 128);
  await append(storage, { entries: entries(9, 9, 2, 50) });
  expect(storage.logBytes).toBe(8 * 128 + 78);
  await storage.close();
});

test("F1 a write that can't be encoded fails the storage, and what was acknowledged before stays", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: [entry(1, 1)] });
  const tooLarge = { ...entry(3, 1), data: new Uint8Array(ENTRY_PAYLOAD_BYTES_MAX + 1) };
  const outcomes = await Promise.allSettled([
    append(storage, { entries: [entry(2, 1)] }),
    append(storage, { entries: [entry(3, 1), { ...tooLarge, index: 4 }] }),
    append(storage, { entries: [entry(5, 1)] }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(await codeOf(append(storage, {}))).toBe("too-large");
  await storage.close();
  const log = await readLog(files, DIR);
  expect(plain(log.entries.slice(0, 1))).toEqual(plain([entry(1, 1)]));
  expect(log.entries.length).toBeLessThanOrEqual(2);
});

test("F1 a gap in the log is a bug of the caller's that reaches no disk", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 2, 1) });
  expect(await codeOf(append(storage, { entries: [entry(4, 1)] }))).toBe("invariant");
  await storage.close();
  expect(plain((await readLog(files, DIR)).entries)).toEqual(plain(entries(1, 2, 1)));
});

test("C3 where syncs are slow those who are told share the next one with those who waited, and nobody is left behind", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const storage = await openStorage(files, { clock });
  let syncs = 0;
  files.fault = (kind) => {
    if (kind === "writeAndSync:sync") {
      syncs++;
      clock.pass(5);
    }
    return undefined;
  };
  const [callers, rounds] = [10, 20];
  let index = 0;
  const caller = async (): Promise<void> => {
    for (let i = 0; i < rounds; i++) {
      index++;
      await append(storage, { entries: [entry(index, 1)] });
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  expect(storage.lastIndex()).toBe(callers * rounds);
  // The first caller comes alone, and its group is one ahead of the others' at the end: no more than that is lost.
  expect(syncs).toBeLessThanOrEqual(rounds + 2);
  await storage.close();
});
