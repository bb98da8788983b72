import { isLibraryCommand } from "../codec/index.js";
import { BalsaError, type Entry, type Snapshot, type SnapshotMeta } from "../core/index.js";
import type { FileSystem, Platform } from "../platform/index.js";
import { DiskStorage, drawIncarnation, type LogContent, openSnapshotFile, readLog } from "../storage/index.js";
import { type Configuration, encodeLibrarySection } from "./configuration.js";
import { GROUP } from "./first-snapshot.js";

export interface RecoverOptions {
  readonly platform: Pick<Platform, "clock" | "files" | "random" | "logger">;
  /** The survivor's data directory. Its member must be stopped; it is read and not changed. */
  readonly from: string;
  /** Where the new cluster's only member is to keep its data: must be empty or absent. */
  readonly to: string;
  /** Where others will reach it, `host:port`. */
  readonly address: string;
}

/** What a survivor's directory holds, and what it can't tell. */
export interface Survivor {
  readonly name: string;
  readonly snapshotIndex: number;
  readonly lastIndex: number;
  /** Up to here it knows that everything was committed; the rest may have been, or not. */
  readonly commit: number;
  readonly term: number;
}

/** @throws BalsaError `corrupt` (repair it first), `identity-mismatch`, `storage-failed`, `invalid-argument` */
export async function surveySurvivor(files: FileSystem, dir: string): Promise<Survivor> {
  const { identity, hardState, snapshot, lastIndex } = await readSurvivor(files, dir);
  const { name } = identity;
  return { name, snapshotIndex: snapshot.index, lastIndex, commit: hardState.commit, term: hardState.term };
}

/**
 * Makes a new cluster of one member out of what one survivor of an old one holds, for when a majority of that is gone
 * for good. All of the survivor's log counts as committed, membership changes apart. What it did not have is lost,
 * acknowledged or not. The new cluster has an ID of its own, so that members of the old one that come back after all
 * are kept out; new members join it as any other.
 * @throws BalsaError `corrupt` (repair it first), `identity-mismatch`, `storage-failed`, `invalid-argument`
 */
export async function recoverCluster(options: RecoverOptions): Promise<Survivor> {
  const { platform, from, to, address } = options;
  const { files, random } = platform;
  const survivor = await readSurvivor(files, from);
  const { identity, hardState, snapshot, entries, lastIndex } = survivor;
  const { name } = identity;
  const whose = { clusterId: drawId(platform), memberId: drawId(platform), incarnation: drawIncarnation(random) };
  const obtain = async (): Promise<typeof whose> => whose;
  const storage = await DiskStorage.open({
    platform,
    dir: to,
    expect: { kind: "join", group: GROUP, name, replaces: 0, obtain },
  });
  try {
    if (storage.identity.clusterId !== whose.clusterId || storage.snapshot().meta.index > 0) {
      throw new BalsaError("invalid-argument", `${to} holds a member's data already; name an empty directory`);
    }
    const { memberId, incarnation } = whose;
    const confState = { voters: [memberId], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const members = [{ id: memberId, name, address, incarnation, promote: false }];
    const meta: SnapshotMeta = { index: snapshot.index, term: snapshot.term, confState };
    await copySnapshot(storage, files, from, snapshot, meta, { confState, members, removed: [] });
    await write(storage, hardState.term, { meta, data: new Uint8Array(0) }, entries.map(withoutMembership));
  } finally {
    await storage.close();
  }
  return { name, snapshotIndex: snapshot.index, lastIndex, commit: hardState.commit, term: hardState.term };
}

async function readSurvivor(
  files: FileSystem,
  dir: string,
): Promise<LogContent & { readonly snapshot: SnapshotMeta; readonly lastIndex: number }> {
  const content = await readLog(files, dir);
  const { snapshot, entries } = content;
  if (snapshot === undefined)
    throw new BalsaError("invalid-argument", `${dir} was never filled: there is nothing in it`);
  return { ...content, snapshot, lastIndex: entries.at(-1)?.index ?? snapshot.index };
}

/** As all IDs of members and clusters: in [2^52, 2^53). */
function drawId({ random }: Pick<Platform, "random">): number {
  return 2 ** 52 + random.below(2 ** 52);
}

async function copySnapshot(
  storage: DiskStorage,
  files: FileSystem,
  from: string,
  old: SnapshotMeta,
  meta: SnapshotMeta,
  configuration: Configuration,
): Promise<void> {
  const reader = await openSnapshotFile(files, from, old);
  try {
    const writer = await storage.createSnapshot(meta, encodeLibrarySection(configuration));
    for await (const piece of reader.content()) await writer.write(piece);
    await writer.commit();
  } finally {
    await reader.close();
  }
}

/** The old cluster's members are none of the new one's: such an entry keeps its place, and says nothing. */
function withoutMembership(entry: Entry): Entry {
  if (entry.type === "normal" && !isLibraryCommand(entry.data)) return entry;
  const { index, term } = entry;
  return { type: "normal", index, term, data: new Uint8Array(0), checksum: 0 };
}

function write(storage: DiskStorage, term: number, snapshot: Snapshot, entries: readonly Entry[]): Promise<void> {
  const commit = entries.at(-1)?.index ?? snapshot.meta.index;
  // One write after the other: they are durable in this order, and so is the last one only when all are.
  return new Promise((resolve, reject) => {
    const hardState = { term, vote: 0, commit };
    storage.append(
      { hardState: { ...hardState, commit: snapshot.meta.index }, entries: [], snapshot, mustSync: true },
      () => {},
    );
    storage.append({ hardState, entries, snapshot: undefined, mustSync: true }, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
