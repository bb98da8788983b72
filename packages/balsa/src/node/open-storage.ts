import { BalsaError, invariant } from "../core/index.js";
import { DiskStorage, drawIncarnation, type ExpectedIdentity } from "../storage/index.js";
import { hasPromisedNothing, wasRemoved } from "./admission.js";
import { type Bootstrap, clusterIdOf, firstConfiguration } from "./bootstrap.js";
import { type Configuration, encodeLibrarySection, type MemberRecord } from "./configuration.js";
import { BOOTSTRAP_INDEX, BOOTSTRAP_TERM, GROUP } from "./first-snapshot.js";
import { introduce, type Joined, join, type Newcomer } from "./join.js";
import type { Join, RaftNodeOptions, Settings } from "./options.js";

/** An open data directory. */
export interface OpenedStorage {
  readonly storage: DiskStorage;
  /** Of a newcomer that has yet to be sent the cluster's configuration: whom it takes for its peers until then. */
  readonly provisional: readonly MemberRecord[];
}

/** What one that joins says of itself. */
interface Wish {
  readonly address: string;
  readonly promote: boolean;
}

interface Opening extends RaftNodeOptions {
  readonly settings: Settings;
}

/**
 * Opens the data directory, or makes a new one: for a cluster that is being bootstrapped, or for a cluster that takes
 * this member in.
 * @throws BalsaError `locked`, `identity-mismatch`, `corrupt`, `invalid-argument`, `storage-failed`, `removed`; of those
 * that join also `timeout`, `membership-refused`
 */
export async function openStorage(given: RaftNodeOptions, settings: Settings): Promise<OpenedStorage> {
  const options: Opening = { ...given, settings };
  const { cluster, name } = options;
  if (cluster === undefined) {
    const storage = await open(options, { kind: "existing", group: GROUP, name });
    if (storage.snapshot().meta.index > 0) return { storage, provisional: [] };
    await storage.close();
    throw new BalsaError(
      "invalid-argument",
      "the data directory was never filled: its first start broke off; start again as then, with `bootstrap` or `join`",
    );
  }
  return "bootstrap" in cluster ? openFirst(options, cluster.bootstrap) : openJoining(options, cluster);
}

function open({ platform, dir, tuning, settings }: Opening, expect: ExpectedIdentity): Promise<DiskStorage> {
  const { keepEntries, logCacheBytes: cacheBytes } = settings;
  return DiskStorage.open({ platform, dir, expect, keepEntries, cacheBytes, segmentBytes: tuning?.segmentBytes });
}

/** A first member of a new cluster, or one that was once. */
async function openFirst(options: Opening, bootstrap: Bootstrap): Promise<OpenedStorage> {
  const { name } = options;
  const configuration = firstConfiguration(bootstrap);
  const self = configuration.members.find((member) => member.name === name);
  invariant(self !== undefined, "options: the bootstrap names this member");
  const clusterId = clusterIdOf(bootstrap);
  const storage = await open(options, { kind: "bootstrap", group: GROUP, name, clusterId, memberId: self.id });
  try {
    const others = configuration.members.filter(({ id }) => id !== self.id).map(({ address }) => address);
    const wish = { address: self.address, promote: true };
    // It lost its directory once and has joined again, under another ID.
    if (storage.identity.memberId !== self.id) return await fillUp(options, storage, others, wish);
    // Also when an earlier start broke off between the identity and the snapshot.
    if (storage.snapshot().meta.index === 0) await writeFirstSnapshot(storage, configuration);
    return await introduced(options, storage, others, wish);
  } catch (cause) {
    await storage.close();
    throw cause;
  }
}

/** A directory that has promised nothing may be new, or take the place of one that is lost: the others know. */
async function introduced(
  options: Opening,
  storage: DiskStorage,
  others: readonly string[],
  wish: Wish,
): Promise<OpenedStorage> {
  const { platform, name } = options;
  const { clusterId, memberId, incarnation } = storage.identity;
  const newcomer: Newcomer = { clusterId, memberId, incarnation, group: GROUP, name };
  const known = hasPromisedNothing(storage) ? await introduce(platform, newcomer, others) : "unknown";
  if (known === "unknown" || known === "as-this") return { storage, provisional: [] };
  if (known === "removed") throw wasRemoved();
  platform.logger.log("warn", "the data directory of this member is lost: it joins its cluster anew", { name });
  await storage.close();
  return joinAs(options, { ...newcomer, memberId: 0 }, others, wish, incarnation);
}

async function openJoining(options: Opening, cluster: Join): Promise<OpenedStorage> {
  const { listen, name } = options;
  const wish = { address: cluster.address ?? listen, promote: cluster.voter ?? false };
  const newcomer: Newcomer = { clusterId: 0, memberId: 0, incarnation: 0, group: GROUP, name };
  return joinAs(options, newcomer, cluster.join, wish, 0);
}

/** Opens what is there, or asks for a place in the cluster and makes a directory for it. */
async function joinAs(
  options: Opening,
  newcomer: Newcomer,
  seeds: readonly string[],
  wish: Wish,
  replaces: number,
): Promise<OpenedStorage> {
  const { platform, name } = options;
  let joined: Joined | undefined;
  const obtain = async (): Promise<{ clusterId: number; memberId: number; incarnation: number }> => {
    const incarnation = drawIncarnation(platform.random);
    joined = await join(platform, { ...newcomer, incarnation }, seeds, wish);
    return { clusterId: joined.clusterId, memberId: joined.memberId, incarnation };
  };
  const storage = await open(options, { kind: "join", group: GROUP, name, replaces, obtain });
  if (joined !== undefined) return { storage, provisional: joined.members };
  return fillUp(options, storage, seeds, wish);
}

/** A directory that has joined: until it has got its first snapshot it depends on others to tell it of its peers. */
async function fillUp(
  options: Opening,
  storage: DiskStorage,
  seeds: readonly string[],
  wish: Wish,
): Promise<OpenedStorage> {
  try {
    if (storage.snapshot().meta.index > 0) return await introduced(options, storage, seeds, wish);
    const { clusterId, memberId, incarnation } = storage.identity;
    const newcomer: Newcomer = { clusterId, memberId, incarnation, group: GROUP, name: options.name };
    const joined = await join(options.platform, newcomer, seeds, wish);
    if (joined.memberId !== memberId) return await renamed(options, storage, joined);
    return { storage, provisional: joined.members };
  } catch (cause) {
    await storage.close();
    throw cause;
  }
}

/**
 * A first member's start in a new directory broke off, and went on as one that joins: the cluster knew it with another
 * directory, and has taken this one in under another ID. It has promised nothing yet under the old one.
 */
async function renamed(options: Opening, storage: DiskStorage, joined: Joined): Promise<OpenedStorage> {
  const { incarnation } = storage.identity;
  const { clusterId, memberId, members } = joined;
  await storage.close();
  const obtain = () => Promise.resolve({ clusterId, memberId, incarnation });
  const filled = await open(options, {
    kind: "join",
    group: GROUP,
    name: options.name,
    replaces: incarnation,
    obtain,
  });
  return { storage: filled, provisional: members };
}

async function writeFirstSnapshot(storage: DiskStorage, configuration: Configuration): Promise<void> {
  const meta = { index: BOOTSTRAP_INDEX, term: BOOTSTRAP_TERM, confState: configuration.confState };
  const receiver = await storage.createSnapshot(meta, encodeLibrarySection(configuration));
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
