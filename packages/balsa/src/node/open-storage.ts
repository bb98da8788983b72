import { BalsaError, invariant, type SnapshotMeta } from "../core/index.js";
import { DiskStorage } from "../storage/index.js";
import { clusterIdOf, encodeLibrarySection, firstConfState, firstMembers } from "./members.js";
import type { RaftNodeOptions, Settings } from "./options.js";

/** One group a directory for now; the formats name it. */
export const GROUP = 1;

/**
 * A new cluster begins with a snapshot that holds only its configuration: every first member writes the same one, at
 * this index and term, and the log begins behind it. So a member always finds its configuration in the same place.
 */
export const BOOTSTRAP_INDEX = 1;
const BOOTSTRAP_TERM = 1;

/**
 * Opens the data directory, or makes a new one for a cluster that is being bootstrapped.
 * @throws BalsaError `locked`, `identity-mismatch`, `corrupt`, `invalid-argument`, `storage-failed`
 */
export async function openStorage(options: RaftNodeOptions, settings: Settings): Promise<DiskStorage> {
  const { platform, dir, name } = options;
  const bootstrap = options.cluster?.bootstrap;
  const { keepEntries, logCacheBytes: cacheBytes } = settings;
  const common = { platform, dir, keepEntries, cacheBytes, segmentBytes: options.tuning?.segmentBytes };
  if (bootstrap === undefined) {
    const storage = await DiskStorage.open({ ...common, expect: { kind: "existing", group: GROUP, name } });
    return withConfiguration(storage);
  }
  const members = firstMembers(bootstrap);
  const self = members.find((member) => member.name === name);
  invariant(self !== undefined, "options: the bootstrap names this member");
  const expect = {
    kind: "bootstrap",
    group: GROUP,
    name,
    clusterId: clusterIdOf(bootstrap),
    memberId: self.id,
  } as const;
  const storage = await DiskStorage.open({ ...common, expect });
  try {
    // Also when an earlier start broke off between the identity and the snapshot.
    if (storage.snapshot().meta.index === 0) {
      const meta = { index: BOOTSTRAP_INDEX, term: BOOTSTRAP_TERM, confState: firstConfState(members) };
      await writeFirstSnapshot(storage, meta, encodeLibrarySection(members));
    }
  } catch (cause) {
    await storage.close();
    throw cause;
  }
  return storage;
}

async function withConfiguration(storage: DiskStorage): Promise<DiskStorage> {
  if (storage.snapshot().meta.index > 0) return storage;
  await storage.close();
  throw new BalsaError(
    "invalid-argument",
    "the data directory was never filled: its first start broke off; start again with the cluster's bootstrap",
  );
}

async function writeFirstSnapshot(storage: DiskStorage, meta: SnapshotMeta, library: Uint8Array): Promise<void> {
  const receiver = await storage.createSnapshot(meta, library);
  await receiver.commit();
  const hardState = { term: meta.term, vote: 0, commit: meta.index };
  const snapshot = { meta, data: new Uint8Array(0) };
  await new Promise<void>((resolve, reject) => {
    storage.append({ hardState, entries: [], snapshot, mustSync: true }, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
