import { RaftNode, type RaftNodeEvent, type RaftNodeOptions } from "balsa";
import { BalsaError } from "balsa/core";
import type { Logger as Pino } from "pino";
import { CATCH_UP_ENTRIES_MAX, requestTimeoutMs, STOP_GRACE_MS } from "../limits.js";
import { EtcdState } from "../machine/etcd-state.js";
import { GrpcListener } from "../rpc/grpc-listener.js";
import { handlersOf } from "../rpc/services.js";
import { ServerError } from "../server-error.js";
import type { Consensus } from "./consensus.js";
import { requireFree } from "./listen-probe.js";
import { libraryLogger } from "./log.js";
import type { MemberOptions } from "./member-options.js";
import { Publisher } from "./publisher.js";

/** One member of a cluster: the replicated log, the state it builds, and the door for clients. */
export class Member {
  /** Resolves with the reason when the member has stopped by itself, for good. */
  readonly failed: Promise<BalsaError>;
  private readonly consensus: Consensus;
  private readonly listener: GrpcListener;
  private readonly publisher: Publisher;

  /**
   * @param onEvent told of what its operator may want to know at once
   * @throws ServerError `address-in-use`, `invalid-option`, `data-directory`: then nothing was touched
   */
  static async start(
    options: MemberOptions,
    log: Pino,
    onEvent: (event: RaftNodeEvent) => void = () => {},
  ): Promise<Member> {
    for (const address of options.clientAddresses) await requireFree("client address", address);
    await requireFree("peer address", options.peerAddress);
    const state = new EtcdState();
    let fail: (error: BalsaError) => void = () => {};
    const failed = new Promise<BalsaError>((resolve) => {
      fail = resolve;
    });
    const consensus = await openConsensus(options, state, log, (event) => {
      if (event.kind === "failed") fail(event.error);
      onEvent(event);
    });
    try {
      const { clusterId, memberId } = consensus.status();
      const timeoutMs = requestTimeoutMs(options.electionMs);
      const responder = { clusterId, memberId };
      const handlers = handlersOf({ consensus, state, responder, timeoutMs });
      const listener = await GrpcListener.open(options.clientAddresses, handlers);
      const clientUrls = options.advertisedClientUrls;
      const attributes = { memberId, name: options.name, clientUrls };
      const publisher = new Publisher({ consensus, state, attributes, timeoutMs, log });
      publisher.start();
      return new Member({ failed, consensus, listener, publisher });
    } catch (cause) {
      await consensus.close();
      throw cause;
    }
  }

  private constructor(
    parts: Pick<Member, "failed"> & { consensus: Consensus; listener: GrpcListener; publisher: Publisher },
  ) {
    this.failed = parts.failed;
    this.consensus = parts.consensus;
    this.listener = parts.listener;
    this.publisher = parts.publisher;
  }

  get clusterId(): number {
    return this.consensus.status().clusterId;
  }

  get memberId(): number {
    return this.consensus.status().memberId;
  }

  /** Where clients can connect, `host:port`. */
  get clientAddresses(): readonly string[] {
    return this.listener.addresses;
  }

  /** Answers what is under way, then lets go of directory and addresses. */
  async stop(): Promise<void> {
    this.publisher.stop();
    await this.listener.close(STOP_GRACE_MS);
    await this.consensus.close();
  }
}

/** @throws ServerError in the words of the operator's flags */
async function openConsensus(
  options: MemberOptions,
  stateMachine: EtcdState,
  log: Pino,
  onEvent: (event: RaftNodeEvent) => void,
): Promise<Consensus> {
  const { name, dataDir, peerAddress, bootstrap, heartbeatMs, electionMs, snapshotEntries } = options;
  const raftOptions: RaftNodeOptions = {
    dir: dataDir,
    name,
    listen: peerAddress,
    cluster: bootstrap === undefined ? undefined : { bootstrap },
    stateMachine,
    heartbeatMs,
    electionMs,
    snapshotLogEntries: snapshotEntries,
    keepEntries: Math.min(CATCH_UP_ENTRIES_MAX, snapshotEntries),
    logger: libraryLogger(log),
    onEvent,
  };
  try {
    return await RaftNode.open(raftOptions);
  } catch (cause) {
    throw inOperatorsWords(options, cause);
  }
}

function inOperatorsWords({ dataDir, peerAddress }: MemberOptions, cause: unknown): unknown {
  if (!(cause instanceof BalsaError)) return cause;
  switch (cause.code) {
    case "locked":
      return new ServerError("data-directory", `data directory ${dataDir} is in use by another process`, cause);
    case "identity-mismatch":
      // Cluster and member are derived from these flags: other flags are another cluster.
      return new ServerError(
        "data-directory",
        `data directory: ${cause.message}; that follows from --name, --initial-cluster and --initial-cluster-token`,
        cause,
      );
    case "corrupt":
    case "storage-failed":
      return new ServerError("data-directory", `data directory ${dataDir}: ${cause.message}`, cause);
    case "address-in-use":
      return new ServerError("address-in-use", `peer address ${peerAddress} is in use`, cause);
    case "invalid-argument":
      return new ServerError("invalid-option", cause.message, cause);
    default:
      return cause;
  }
}
