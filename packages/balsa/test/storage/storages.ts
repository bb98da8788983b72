import type { ConfState, Entry, HardState, SnapshotMeta } from "../../src/core/index.js";
import { BalsaError, StorageError } from "../../src/core/index.js";
import type { FileSystem, Logger } from "../../src/platform/index.js";
import { FileError, silentLogger } from "../../src/platform/index.js";
import { Prng } from "../../src/sim/index.js";
import { DiskStorage, type DiskStorageOptions, type ExpectedIdentity, type LogWrite } from "../../src/storage/index.js";
import { HandClock } from "./hand-clock.js";
import type { Found } from "./log-model.js";
import type { RecordedFiles } from "./recorded-files.js";

export const DIR = "/data/a";
export const GROUP = 1;
export const BOOTSTRAP: Extract<ExpectedIdentity, { readonly kind: "bootstrap" }> = {
  kind: "bootstrap",
  clusterId: 2 ** 52 + 17,
  memberId: 2 ** 52 + 1,
  group: GROUP,
  name: "a",
};
export const CONF_STATE: ConfState = {
  voters: [2 ** 52 + 1, 2 ** 52 + 2],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

export interface OpenOptions {
  readonly clock?: HandClock;
  readonly logger?: Logger;
  readonly segmentBytes?: number;
  readonly isTerminated?: boolean;
  readonly cacheBytes?: number;
  readonly keepEntries?: number;
  readonly expect?: ExpectedIdentity;
  readonly dir?: string;
}

export function platformOn(files: FileSystem): DiskStorageOptions["platform"] {
  return { clock: new HandClock(), files, logger: silentLogger, random: new Prng("storage") };
}

export function openStorage(files: FileSystem, options: OpenOptions = {}): Promise<DiskStorage> {
  const { segmentBytes, expect = BOOTSTRAP, dir = DIR } = options;
  const usual = platformOn(files);
  const { clock = usual.clock, logger = usual.logger } = options;
  const platform = { ...usual, clock, logger };
  const { cacheBytes, keepEntries, isTerminated } = options;
  return DiskStorage.open({ platform, dir, expect, segmentBytes, isTerminated, cacheBytes, keepEntries });
}

/** Has segments grow: there is no room to prepare any. */
export function refuseSpares(files: RecordedFiles): void {
  files.fault = (kind, path) =>
    kind === "open" && path.includes(".spare") ? new FileError("full", path, "no spares") : undefined;
}

/** Bytes that say where they belong. */
export function payload(index: number, term: number, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = (index * 31 + term * 7 + i) & 0xff;
  return bytes;
}

export function entry(index: number, term: number, lengthBytes = 20): Entry {
  return { type: "normal", index, term, data: payload(index, term, lengthBytes), checksum: 0 };
}

export function entries(first: number, last: number, term: number, lengthBytes = 20): Entry[] {
  const made: Entry[] = [];
  for (let index = first; index <= last; index++) made.push(entry(index, term, lengthBytes));
  return made;
}

export function hardState(term: number, vote: number, commit: number): HardState {
  return { term, vote, commit };
}

export function meta(index: number, term: number): SnapshotMeta {
  return { index, term, confState: CONF_STATE };
}

export function write(parts: Partial<LogWrite>): LogWrite {
  return { hardState: undefined, entries: [], snapshot: undefined, mustSync: false, ...parts };
}

/** Resolves when it is durable, rejects with why it will not be. */
export function append(storage: DiskStorage, parts: Partial<LogWrite>): Promise<void> {
  return new Promise((resolve, reject) => {
    storage.append(write(parts), (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Entries as something to compare. */
export function plain(list: readonly Entry[]): readonly string[] {
  return list.map(({ type, index, term, data }) => `${type} ${index}@${term} ${Buffer.from(data).toString("hex")}`);
}

export function allEntries(storage: DiskStorage): readonly Entry[] {
  const [first, last] = [storage.firstIndex(), storage.lastIndex()];
  return first > last ? [] : storage.entries(first, last + 1, Number.POSITIVE_INFINITY);
}

/** What it came back with. */
/** All entries, those that are not in memory read back; as a peer that is far behind would have them. */
export async function readEntries(storage: DiskStorage, maxBytes = 1e6): Promise<readonly Entry[]> {
  const read: Entry[] = [];
  for (let at = storage.firstIndex(); at <= storage.lastIndex(); at = (read.at(-1)?.index ?? 0) + 1) {
    read.push(...(await readFrom(storage, at, maxBytes)));
  }
  return read;
}

/** Some entries from this one on. */
export async function readFrom(storage: DiskStorage, from: number, maxBytes = 1e6): Promise<readonly Entry[]> {
  for (;;) {
    const end = storage.lastIndex() + 1;
    const found = entriesInMemory(storage, from, end, maxBytes);
    if (found !== undefined) return found;
    await storage.fetchEntries(from, end);
  }
}

export function entriesInMemory(
  storage: DiskStorage,
  from: number,
  to: number,
  maxBytes = 1e6,
): readonly Entry[] | undefined {
  try {
    return storage.entries(from, to, maxBytes);
  } catch (error) {
    if (error instanceof StorageError && error.code === "entries-temporarily-unavailable") return undefined;
    throw error;
  }
}

export function foundIn(storage: DiskStorage): Found {
  const { meta: current } = storage.snapshot();
  return {
    hardState: storage.initialState().hardState,
    snapshot: current.index === 0 ? undefined : current,
    entries: allEntries(storage).filter(({ index }) => index > current.index),
  };
}

export async function takeSnapshot(
  storage: DiskStorage,
  index: number,
  term: number,
  content: readonly Uint8Array[] = [payload(index, term, 100)],
): Promise<void> {
  const writer = await storage.createSnapshot(meta(index, term), new Uint8Array([1, 2, 3]));
  for (const chunk of content) await writer.write(chunk);
  await writer.commit();
}

/** What a peer would send: the file of such a snapshot, made in a directory of the same cluster. */
export async function snapshotFile(files: FileSystem, index: number, term: number): Promise<Uint8Array> {
  const storage = await openStorage(files, { dir: "/data/peer", expect: { ...BOOTSTRAP, name: "peer" } });
  await takeSnapshot(storage, index, term);
  await append(storage, { snapshot: { meta: meta(index, term), data: new Uint8Array(0) } });
  const reader = await storage.openSnapshot();
  const bytes = await reader.readRaw(0, reader.fileBytes);
  await reader.close();
  await storage.close();
  return bytes;
}

export async function receive(storage: DiskStorage, index: number, term: number, file: Uint8Array): Promise<void> {
  const receiver = await storage.receiveSnapshot(meta(index, term));
  for (let at = 0; at < file.length; at += 50) await receiver.write(file.subarray(at, at + 50));
  await receiver.finish();
}

export async function contentOf(storage: DiskStorage): Promise<Uint8Array> {
  const reader = await storage.openSnapshot();
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.content()) pieces.push(piece);
  await reader.close();
  return new Uint8Array(Buffer.concat(pieces));
}

/** The code with which it is refused; fails if it is not. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof BalsaError) return error.code;
    throw error;
  }
  throw new Error("it was not refused");
}
