import { expect, test, vi } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { FileError, type FileErrorCode } from "../../src/platform/index.js";
import type { DiskStorage, LogWrite } from "../../src/storage/index.js";
import { IDLE_MARK_MS } from "../../src/storage/limits.js";
import { HandClock } from "./hand-clock.js";
import { applied, difference, EMPTY_MODEL, type ModelState } from "./log-model.js";
import { RecordedFiles } from "./recorded-files.js";
import { allEntries, append, codeOf, entries, entry, hardState, openStorage, takeSnapshot, write } from "./storages.js";

interface Progress {
  readonly states: ModelState[];
  acknowledged: number;
  /** What was refused, and how. */
  readonly refusals: string[];
}

async function attempt(progress: Progress, storage: DiskStorage, parts: Partial<LogWrite>): Promise<void> {
  progress.states.push(applied(progress.states.at(-1) ?? EMPTY_MODEL, write(parts)));
  const number = progress.states.length - 1;
  await noting(progress, append(storage, parts), () => {
    // Nothing is acknowledged behind something that failed.
    expect(progress.acknowledged).toBe(number - 1);
    progress.acknowledged = number;
  });
}

async function noting(progress: Progress, work: Promise<void>, onSuccess: () => void = () => {}): Promise<void> {
  try {
    await work;
    onSuccess();
  } catch (error) {
    if (!(error instanceof BalsaError)) throw error;
    progress.refusals.push(error.code);
  }
}

/** How long a process lives: over many segments, or only in the one that it began with. */
type Life = "long" | "short";

/** Until the first failure of its own; the writes behind it are refused. */
async function work(files: RecordedFiles, progress: Progress, clock: HandClock, life: Life): Promise<void> {
  const storage = await openStorage(files, { segmentBytes: 1024, clock });
  if (life === "short") {
    await attempt(progress, storage, { hardState: hardState(1, 2, 0), entries: entries(1, 2, 1) });
    await storage.close();
    return;
  }
  for (let index = 1; index <= 12; index++) {
    await attempt(progress, storage, { hardState: hardState(1, 0, index - 1), entries: entries(index, index, 1, 90) });
  }
  await attempt(progress, storage, { hardState: hardState(2, 3, 11), entries: entries(12, 16, 2, 90) });
  if (storage.lastIndex() >= 9) await noting(progress, takeSnapshot(storage, 9, 1), () => storage.compact(9));
  await attempt(progress, storage, { entries: entries(17, 24, 2, 90) });
  await storage.close();
}

/** Time passes by itself, so that what waits for room finds it. */
function passingClock(): { clock: HandClock; stop: () => void } {
  const clock = new HandClock();
  let isPassing = true;
  const pass = (): void => {
    if (!isPassing) return;
    clock.pass(50);
    setImmediate(pass);
  };
  pass();
  return {
    clock,
    stop: () => {
      isPassing = false;
    },
  };
}

async function workUnderFaults(
  code: FileErrorCode,
  life: Life,
  failAt: number,
): Promise<{ calls: number; progress: Progress }> {
  const files = new RecordedFiles();
  await (await openStorage(files)).close();
  const progress: Progress = { states: [EMPTY_MODEL], acknowledged: 0, refusals: [] };
  let calls = 0;
  files.fault = (kind, path) => (calls++ === failAt ? new FileError(code, path, `injected at ${kind}`) : undefined);
  const { clock, stop } = passingClock();
  await noting(progress, work(files, progress, clock, life));
  stop();
  files.fault = undefined;

  // The next process finds all that was acknowledged.
  const storage = await openStorage(files);
  const { meta } = storage.snapshot();
  const found = {
    hardState: storage.initialState().hardState,
    snapshot: meta.index === 0 ? undefined : meta,
    entries: allEntries(storage),
  };
  const reasons = progress.states.slice(progress.acknowledged).map((state) => difference(state, found));
  expect([failAt, reasons]).toEqual([failAt, expect.arrayContaining([undefined])]);
  const last = found.entries.at(-1)?.index ?? meta.index;
  await append(storage, { entries: entries(last + 1, last + 1, 9) });
  await storage.close();
  return { calls, progress };
}

test.each<[FileErrorCode, readonly string[]]>([
  ["io", ["storage-failed"]],
  // The log waits and tries again; a snapshot is dropped; a sync is final.
  ["full", ["disk-full", "storage-failed"]],
  ["too-many-open", ["storage-failed"]],
])("F1 a call that fails (%s), whichever it is, costs nothing that was acknowledged", async (code, refusals) => {
  const seen = new Set<string>();
  for (const [life, callsMin] of [
    ["long", 80],
    ["short", 15],
  ] as const) {
    const { calls } = await workUnderFaults(code, life, -1);
    expect(calls).toBeGreaterThan(callsMin);
    for (let failAt = 0; failAt < calls; failAt++) {
      for (const refusal of (await workUnderFaults(code, life, failAt)).progress.refusals) seen.add(refusal);
    }
  }
  expect([...seen].sort()).toEqual(refusals);
});

test("a file system that refuses while the directory is opened leaves it unlocked", async () => {
  const files = new RecordedFiles();
  await (await openStorage(files)).close();
  files.fault = (kind, path) => (kind === "syncDir" ? new FileError("io", path, "injected") : undefined);
  await expect(openStorage(files)).rejects.toMatchObject({ code: "storage-failed" });
  files.fault = undefined;
  await (await openStorage(files)).close();
});

test("F1 a mark that can't be written stops the log although nobody waits for it", async () => {
  const files = new RecordedFiles();
  const clock = new HandClock();
  const storage = await openStorage(files, { clock });
  const told: string[] = [];
  storage.watchFailure(({ code }) => told.push(code));
  await append(storage, { entries: [entry(1, 1)] });
  files.fault = (_kind, path) => new FileError("io", path, "injected");
  clock.pass(IDLE_MARK_MS);
  await vi.waitUntil(() => told.length > 0);
  files.fault = undefined;
  expect(await codeOf(append(storage, { entries: [entry(2, 1)] }))).toBe("storage-failed");
  await storage.close();
  expect(told).toEqual(["storage-failed"]);
});
