import { BalsaError } from "./balsa-error.js";
import { DEFAULT_MAX_BYTES_PER_MESSAGE, DEFAULT_MAX_INFLIGHT_MESSAGES } from "./limits.js";
import type { Storage } from "./storage.js";

/**
 * How linearizable reads are confirmed (thesis §6.4): `safe` by a round of heartbeats that a quorum answers;
 * `lease-based` by the leader's clock alone, which holds only as long as clocks run at about the same rate.
 */
export type ReadOnlyMode = "safe" | "lease-based";

/** What a node is made with. Sizes are in bytes, counted as `entryBytes` does unless they say payload. */
export interface Config {
  /** This node; a positive safe integer. */
  readonly id: number;
  /** Ticks without a word from a leader before a follower campaigns: at least this, less than twice this. */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats; fewer than `electionTicks`, better a tenth of it. */
  readonly heartbeatTicks: number;
  /** Stable storage, with what earlier lives of the node have left in it. */
  readonly storage: Storage;
  /** A random integer in [0, bound): the only chance in the core. It spreads election timeouts. */
  readonly random: (bound: number) => number;
  /** Highest index that the state machine has applied already; 0, or any below the snapshot's, is the snapshot's. */
  readonly applied?: number;
  /** Storage writes and applying are messages with answers, and `advance` is not called (C9). Default false. */
  readonly asyncStorageWrites?: boolean;
  /** Entries in one append message. Default 1 MiB. */
  readonly maxBytesPerMessage?: number;
  /** Committed entries handed out and not applied yet. Default `maxBytesPerMessage`. */
  readonly maxCommittedBytesPerReady?: number;
  /** Payloads in the leader's log that are not applied yet: above it proposals are refused (B7). Default: no limit. */
  readonly maxUncommittedBytes?: number;
  /** Append messages on their way to one peer (B6). Default 256. */
  readonly maxInflightMessages?: number;
  /** Payloads on their way to one peer (B6); at least `maxBytesPerMessage`. Default: no limit. */
  readonly maxInflightBytes?: number;
  /** The leader steps down when it hears of no majority for an election timeout, and voters heed its lease (D4). */
  readonly checkQuorum?: boolean;
  /** Ask for votes before raising the term (thesis §9.6). Default false. */
  readonly preVote?: boolean;
  /** Default `safe`. `lease-based` needs `checkQuorum`. */
  readonly readOnly?: ReadOnlyMode;
  /** A follower drops proposals instead of passing them on to the leader. Default false. */
  readonly disableProposalForwarding?: boolean;
  /** Membership changes go into the log as proposed, fitting or not (E1). Default false. */
  readonly disableConfChangeValidation?: boolean;
  /** A leader that a change removes or demotes becomes a follower when it applies it (E1). Default false. */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Whoever is refused a vote, as its log is behind, is told what is known to be committed: else an election may be won by
   * nobody after a membership change (commit-hint.ts). Default false.
   */
  readonly commitHints?: boolean;
  /**
   * Appends that tell a follower of the commit index and of nothing else are not answered where they are accepted
   * (replication.ts): a quarter of the messages of a write. Whoever has it not set still heeds such appends of others.
   * Default false.
   */
  readonly quietCommits?: boolean;
}

/** A configuration that was checked and has nothing left out. Many nodes may share one. */
export type Settings = Required<Config>;

/** @throws BalsaError invalid-argument, saying which option and what it must be */
export function checkedConfig(config: Config): Settings {
  const maxBytesPerMessage = config.maxBytesPerMessage ?? DEFAULT_MAX_BYTES_PER_MESSAGE;
  const settings: Settings = {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    storage: config.storage,
    random: config.random,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    maxBytesPerMessage,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? maxBytesPerMessage,
    maxUncommittedBytes: config.maxUncommittedBytes ?? Number.POSITIVE_INFINITY,
    maxInflightMessages: config.maxInflightMessages ?? DEFAULT_MAX_INFLIGHT_MESSAGES,
    maxInflightBytes: config.maxInflightBytes ?? Number.POSITIVE_INFINITY,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnly: config.readOnly ?? "safe",
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    commitHints: config.commitHints ?? false,
    quietCommits: config.quietCommits ?? false,
  };
  checkNumbers(settings);
  if (settings.electionTicks <= settings.heartbeatTicks) {
    throw invalid("electionTicks", "more than heartbeatTicks");
  }
  if (settings.maxInflightBytes < settings.maxBytesPerMessage) {
    throw invalid("maxInflightBytes", "at least maxBytesPerMessage");
  }
  if (settings.readOnly === "lease-based" && !settings.checkQuorum) {
    throw invalid("checkQuorum", "on where readOnly is lease-based");
  }
  return settings;
}

function checkNumbers(settings: Settings): void {
  if (!isPositive(settings.id)) throw invalid("id", "a positive safe integer");
  if (!isPositive(settings.heartbeatTicks)) throw invalid("heartbeatTicks", "a positive integer");
  if (!isPositive(settings.electionTicks)) throw invalid("electionTicks", "a positive integer");
  if (!isPositive(settings.maxInflightMessages)) throw invalid("maxInflightMessages", "a positive integer");
  if (settings.applied !== 0 && !isPositive(settings.applied)) throw invalid("applied", "an index, or 0");
  const sizes = ["maxBytesPerMessage", "maxCommittedBytesPerReady", "maxUncommittedBytes", "maxInflightBytes"] as const;
  for (const name of sizes) {
    const bytes = settings[name];
    if (bytes !== Number.POSITIVE_INFINITY && !isPositive(bytes)) {
      throw invalid(name, "a positive number of bytes, or Infinity for no limit");
    }
  }
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function invalid(option: string, expected: string): BalsaError {
  return new BalsaError("invalid-argument", `${option} must be ${expected}`);
}
