import type { Config } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";
import {
  APPEND_BYTES_MAX,
  COMMITTED_BYTES_MAX,
  INFLIGHT_BYTES_MAX,
  INFLIGHT_MESSAGES_MAX,
  UNCOMMITTED_BYTES_MAX,
} from "./limits.js";
import type { RaftNodeOptions, Settings } from "./options.js";

/** How RaftNode runs the core. */
export function coreConfig(options: RaftNodeOptions, settings: Settings, storage: DiskStorage): Config {
  const { platform, tuning = {} } = options;
  return {
    id: storage.identity.memberId,
    electionTicks: settings.electionTicks,
    heartbeatTicks: 1,
    storage,
    applied: storage.snapshot().meta.index,
    asyncStorageWrites: true,
    preVote: true,
    checkQuorum: true,
    // RaftNode forwards by itself, so that the caller learns what became of a proposal.
    disableProposalForwarding: true,
    stepDownOnRemoval: true,
    commitHints: true,
    quietCommits: true,
    maxBytesPerMessage: tuning.appendBytesMax ?? APPEND_BYTES_MAX,
    maxCommittedBytesPerReady: tuning.committedBytesMax ?? COMMITTED_BYTES_MAX,
    maxUncommittedBytes: tuning.uncommittedBytesMax ?? UNCOMMITTED_BYTES_MAX,
    maxInflightMessages: tuning.inflightMessagesMax ?? INFLIGHT_MESSAGES_MAX,
    maxInflightBytes: tuning.inflightBytesMax ?? INFLIGHT_BYTES_MAX,
    random: (bound) => platform.random.below(bound),
  };
}
