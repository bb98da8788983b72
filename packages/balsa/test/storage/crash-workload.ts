import type { DiskStorage, LogWrite } from "../../src/storage/index.js";
import { HandClock } from "./hand-clock.js";
import { applied, EMPTY_MODEL, type ModelState } from "./log-model.js";
import { type JournalStep, RecordedFiles } from "./recorded-files.js";
import {
  append,
  CONF_STATE,
  entries,
  hardState,
  meta,
  openStorage,
  receive,
  snapshotFile,
  takeSnapshot,
  write,
} from "./storages.js";

/** What the journal of a workload says of itself, between the steps of the disk. */
export type Note =
  /** The directory has been made: from here on it must open. */
  | { readonly kind: "opened" }
  /** So many writes were handed over, or acknowledged. */
  | { readonly kind: "submitted" | "acknowledged"; readonly writes: number }
  /** `commit` of a snapshot taken here resolved. */
  | { readonly kind: "snapshot"; readonly index: number };

export interface RecordedWorkload {
  readonly journal: readonly JournalStep[];
  /** States[n]: the log after n writes. */
  readonly states: readonly ModelState[];
}

/** A storage whose writes are counted and noted. */
class Writer {
  readonly files: RecordedFiles;
  readonly clock = new HandClock();
  readonly states: ModelState[] = [EMPTY_MODEL];
  storage: DiskStorage;
  #submitted = 0;
  #acknowledged = 0;

  private constructor(files: RecordedFiles, storage: DiskStorage) {
    this.files = files;
    this.storage = storage;
  }

  static async open(files: RecordedFiles): Promise<Writer> {
    const writer = new Writer(files, await openStorage(files, { segmentBytes: SEGMENT_BYTES }));
    writer.note({ kind: "opened" });
    return writer;
  }

  note(note: Note): void {
    this.files.note(note);
  }

  /** Not awaited: what is written while a sync runs shares the next one. */
  write(parts: Partial<LogWrite>): Promise<void> {
    const whole = write(parts);
    this.states.push(applied(this.states.at(-1) ?? EMPTY_MODEL, whole));
    this.note({ kind: "submitted", writes: ++this.#submitted });
    return append(this.storage, whole).then(() => this.note({ kind: "acknowledged", writes: ++this.#acknowledged }));
  }

  async snapshot(index: number, term: number): Promise<void> {
    await takeSnapshot(this.storage, index, term);
    this.note({ kind: "snapshot", index });
  }

  async reopen(): Promise<void> {
    await this.storage.close();
    this.storage = await openStorage(this.files, { segmentBytes: SEGMENT_BYTES });
  }
}

/** Small enough that a few batches fill a segment. */
const SEGMENT_BYTES = 2048;

/** Appends, overwritten entries, rotations, snapshots, compaction, marks, a reopening, received snapshots. */
export async function recordWorkload(): Promise<RecordedWorkload> {
  const files = new RecordedFiles();
  const received = await snapshotFile(new RecordedFiles(), 60, 4);
  const never = await snapshotFile(new RecordedFiles(), 200, 5);
  const writer = await Writer.open(files);

  // A new cluster's first snapshot, written ahead of the log.
  await takeSnapshot(writer.storage, 1, 1);
  await writer.write({
    hardState: hardState(1, 0, 1),
    snapshot: { meta: { index: 1, term: 1, confState: CONF_STATE }, data: new Uint8Array(0) },
  });
  // Callers that wait, and callers that come together.
  await writer.write({ hardState: hardState(2, 7, 1), entries: entries(2, 5, 2) });
  await Promise.all([
    writer.write({ entries: entries(6, 6, 2, 300) }),
    writer.write({ hardState: hardState(2, 7, 5) }),
    writer.write({ entries: entries(7, 9, 2) }),
    writer.write({ hardState: hardState(3, 0, 6) }),
    writer.write({ entries: entries(10, 14, 2, 0) }),
  ]);
  writer.clock.pass(1000);
  // Another leader's entries replace what was not committed; also twice within one batch.
  await Promise.all([
    writer.write({ hardState: hardState(4, 9, 8), entries: entries(10, 20, 4, 100) }),
    writer.write({ entries: entries(18, 22, 4, 50) }),
    writer.write({ entries: entries(12, 19, 4, 10), hardState: hardState(5, 0, 11) }),
  ]);
  await writer.snapshot(9, 2);
  writer.storage.compact(7);
  await Promise.all([
    writer.write({ entries: entries(20, 30, 5, 120) }),
    writer.write({ entries: entries(31, 34, 5) }),
  ]);
  // A snapshot while writes go on.
  await Promise.all([writer.snapshot(20, 5), writer.write({ entries: entries(35, 40, 5, 64) })]);
  writer.storage.compact(20);
  await writer.write({ hardState: hardState(5, 0, 40) });
  await writer.reopen();
  await writer.write({ entries: entries(41, 44, 5), hardState: hardState(5, 0, 41) });
  await writer.snapshot(41, 5);
  writer.storage.compact(41);
  // From a leader that is far ahead; and one that never comes to be taken over.
  await receive(writer.storage, 60, 4, received);
  await Promise.all([
    writer.write({ entries: entries(45, 45, 5) }),
    writer.write({
      hardState: hardState(6, 0, 60),
      snapshot: { meta: meta(60, 4), data: new Uint8Array(0) },
      entries: entries(61, 62, 6),
    }),
    writer.write({ entries: entries(63, 66, 6) }),
  ]);
  await receive(writer.storage, 200, 5, never);
  await writer.write({ entries: entries(64, 70, 6, 90) });
  await writer.storage.close();
  return { journal: files.journal, states: writer.states };
}

/** What a disk holds of a workload whose journal was cut after `steps`. */
export interface CrashPoint {
  readonly isOpened: boolean;
  readonly submitted: number;
  readonly acknowledged: number;
  readonly snapshotIndex: number;
}

export function crashPoint(steps: readonly JournalStep[]): CrashPoint {
  let point: CrashPoint = { isOpened: false, submitted: 0, acknowledged: 0, snapshotIndex: 0 };
  for (const step of steps) {
    if (step.kind !== "note") continue;
    const note = step.note as Note;
    switch (note.kind) {
      case "opened":
        point = { ...point, isOpened: true };
        break;
      case "submitted":
        point = { ...point, submitted: note.writes };
        break;
      case "acknowledged":
        point = { ...point, acknowledged: note.writes };
        break;
      case "snapshot":
        point = { ...point, snapshotIndex: note.index };
        break;
      default:
        note satisfies never;
    }
  }
  return point;
}
