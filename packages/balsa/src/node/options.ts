import { encodeUtf8 } from "../codec/index.js";
import { BalsaError } from "../core/index.js";
import type { Platform } from "../platform/index.js";
import { TRANSPORT_LIMITS } from "../transport/index.js";
import type { Bootstrap } from "./bootstrap.js";
import { ADDRESS_BYTES_MAX, HEARTBEAT_MS_MIN, MEMBERS_MAX, NAME_BYTES_MAX } from "./limits.js";
import type { RaftNodeObserver } from "./observer.js";
import type { RepairFigures } from "./repair.js";
import type { StateMachine } from "./state-machine.js";

/** What happened to a member that its application may want to know at once. */
export type RaftNodeEvent =
  /** 0 = no leader known. */
  | { readonly kind: "leader-changed"; readonly leader: number; readonly term: number }
  | { readonly kind: "snapshot-taken"; readonly index: number }
  | { readonly kind: "snapshot-restored"; readonly index: number }
  /** This member's disk is full: while it leads, proposals are refused as `disk-full`. Reads and the cluster go on. */
  | { readonly kind: "disk-full" }
  /** It has room again. */
  | { readonly kind: "disk-has-room" }
  /** Its log is damaged. It takes no part until it is repaired from peers; `damage`: file, offset, index and term. */
  | { readonly kind: "repair-started"; readonly damage: string; readonly damages: number; readonly lost: number }
  /** Its log is whole again, and it takes part. */
  | ({ readonly kind: "repaired"; readonly tookMs: number } & RepairFigures)
  /** This member was removed from the cluster; it has stopped for good. */
  | { readonly kind: "removed" }
  /** The member has stopped for good; `close` is all that is left to do. */
  | { readonly kind: "failed"; readonly error: BalsaError };

/** A cluster that exists, of which an empty directory becomes a member. */
export interface Join {
  /** Addresses of some of its members. */
  readonly join: readonly string[];
  /** Where the others reach this member, `host:port`. Default: where it listens. */
  readonly address?: string | undefined;
  /** Whether it becomes a voter once it has caught up. Default false: it stays a learner until it is promoted. */
  readonly voter?: boolean | undefined;
}

export interface RaftNodeOptions {
  readonly platform: Platform;
  /** The data directory: this member's alone. */
  readonly dir: string;
  /** Unique in the cluster. */
  readonly name: string;
  /** Where to listen for peers, `host:port`. */
  readonly listen: string;
  /**
   * For an empty directory: a new cluster, or one to join. With a directory that holds data it must describe the same
   * cluster, or be left out.
   */
  readonly cluster?: { readonly bootstrap: Bootstrap } | Join | undefined;
  readonly stateMachine: StateMachine;
  /** Interval between a leader's heartbeats, and the group's tick. Default 100. */
  readonly heartbeatMs?: number | undefined;
  /** How long a follower waits for a leader, at least; at most twice that. Default 1,000. */
  readonly electionMs?: number | undefined;
  /** A snapshot is taken once the log has grown by this many bytes … Default 64 MiB. */
  readonly snapshotLogBytes?: number | undefined;
  /** … or this many entries. Default 100,000. */
  readonly snapshotLogEntries?: number | undefined;
  /** Entries kept behind a snapshot, for followers that are a little slow. Default 5,000. */
  readonly keepEntries?: number | undefined;
  /** What snapshots that are sent to other members may take of the network, bytes/s, all together. Default 64 MiB. */
  readonly snapshotBytesPerSecond?: number | undefined;
  /** Entries of the log that are held in memory; older ones are read back from disk when needed. Default 32 MiB. */
  readonly logCacheBytes?: number | undefined;
  readonly onEvent?: ((event: RaftNodeEvent) => void) | undefined;
  /** Limits that a simulation makes small, so that what is rare comes often. */
  readonly tuning?: Tuning | undefined;
  /** To be as an earlier version is (docs/upgrading.md). For simulation and tests. */
  readonly formats?: Formats | undefined;
  /** For simulation and tests. */
  readonly observer?: RaftNodeObserver | undefined;
}

/** Where left out, what node/limits.ts and storage/limits.ts say. */
export interface Tuning {
  /** Of the log's segments. */
  readonly segmentBytes?: number | undefined;
  /** Of entries in one append message. */
  readonly appendBytesMax?: number | undefined;
  /** Append messages, and their bytes, on the way to one peer. */
  readonly inflightMessagesMax?: number | undefined;
  readonly inflightBytesMax?: number | undefined;
  /** Committed entries handed to the state machine at a time. */
  readonly committedBytesMax?: number | undefined;
  /** What a leader holds uncommitted before it refuses proposals. */
  readonly uncommittedBytesMax?: number | undefined;
}

/** What a member says and writes, where versions differ. Left out: as the newest. */
export interface Formats {
  /** The newest protocol version that it speaks. */
  readonly protocol?: number | undefined;
  /** Whether its log ends with a terminator. */
  readonly terminators?: boolean | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly heartbeatMs: number;
  readonly electionTicks: number;
  readonly snapshotLogBytes: number;
  readonly snapshotLogEntries: number;
  readonly keepEntries: number;
  readonly logCacheBytes: number;
  readonly snapshotBytesPerSecond: number;
}

/** @throws BalsaError `invalid-argument`, saying which option and what to do. */
export function checkOptions(options: RaftNodeOptions): Settings {
  requireText("name", options.name, NAME_BYTES_MAX);
  requireText("dir", options.dir, 4096);
  requireText("listen", options.listen, ADDRESS_BYTES_MAX);
  const heartbeatMs = options.heartbeatMs ?? 100;
  const electionMs = options.electionMs ?? 1_000;
  requireNumber("heartbeatMs", heartbeatMs, HEARTBEAT_MS_MIN, 60_000);
  requireNumber("electionMs", electionMs, heartbeatMs * 2, 600_000);
  const { cluster } = options;
  if (cluster !== undefined && "bootstrap" in cluster) checkBootstrap(cluster.bootstrap, options);
  else if (cluster !== undefined) checkJoin(cluster, options);
  const settings: Settings = {
    heartbeatMs,
    electionTicks: Math.ceil(electionMs / heartbeatMs),
    snapshotLogBytes: options.snapshotLogBytes ?? 64 * 1024 * 1024,
    snapshotLogEntries: options.snapshotLogEntries ?? 100_000,
    keepEntries: options.keepEntries ?? 5_000,
    logCacheBytes: options.logCacheBytes ?? 32 * 1024 * 1024,
    snapshotBytesPerSecond: options.snapshotBytesPerSecond ?? TRANSPORT_LIMITS.snapshotBytesPerS,
  };
  requireNumber("snapshotLogBytes", settings.snapshotLogBytes, 1, Number.MAX_SAFE_INTEGER);
  requireNumber("snapshotLogEntries", settings.snapshotLogEntries, 1, Number.MAX_SAFE_INTEGER);
  requireNumber("keepEntries", settings.keepEntries, 0, Number.MAX_SAFE_INTEGER);
  // Below it a piece would take longer than a stream may be silent.
  requireNumber("snapshotBytesPerSecond", settings.snapshotBytesPerSecond, 64 * 1024, Number.MAX_SAFE_INTEGER);
  requireNumber("logCacheBytes", settings.logCacheBytes, 0, Number.MAX_SAFE_INTEGER);
  return settings;
}

function checkBootstrap(bootstrap: Bootstrap, options: RaftNodeOptions): void {
  const { members } = bootstrap;
  if (members.length === 0 || members.length > MEMBERS_MAX) {
    throw invalid("cluster.bootstrap.members", `has ${members.length} members; give 1 to ${MEMBERS_MAX}`);
  }
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const member of members) {
    requireText("cluster.bootstrap.members[].name", member.name, NAME_BYTES_MAX);
    requireText("cluster.bootstrap.members[].address", member.address, ADDRESS_BYTES_MAX);
    if (names.has(member.name)) throw invalid("cluster.bootstrap.members", `names ${member.name} twice`);
    if (addresses.has(member.address)) throw invalid("cluster.bootstrap.members", `has ${member.address} twice`);
    names.add(member.name);
    addresses.add(member.address);
  }
  if (!names.has(options.name)) {
    throw invalid("cluster.bootstrap.members", `does not name this member, ${options.name}: ${[...names].join(", ")}`);
  }
}

function checkJoin({ join, address }: Join, { listen }: RaftNodeOptions): void {
  if (join.length === 0 || join.length > MEMBERS_MAX) {
    throw invalid("cluster.join", `has ${join.length} addresses; give 1 to ${MEMBERS_MAX}`);
  }
  for (const seed of join) requireText("cluster.join[]", seed, ADDRESS_BYTES_MAX);
  requireText("cluster.address", address ?? listen, ADDRESS_BYTES_MAX);
  if ((address ?? listen).endsWith(":0")) {
    throw invalid("cluster.address", "must say where the others reach this member; port 0 is no such place");
  }
}

function requireText(option: string, value: string, bytesMax: number): void {
  if (typeof value !== "string" || value.length === 0) throw invalid(option, "must be a text that is not empty");
  if (encodeUtf8(value).length > bytesMax) throw invalid(option, `is longer than ${bytesMax} bytes`);
}

function requireNumber(option: string, value: number, min: number, max: number): void {
  if (!Number.isFinite(value) || value < min || value > max) {
    throw invalid(option, `is ${value}; it must lie between ${min} and ${max}`);
  }
}

function invalid(option: string, problem: string): BalsaError {
  return new BalsaError("invalid-argument", `option ${option} ${problem}`);
}
