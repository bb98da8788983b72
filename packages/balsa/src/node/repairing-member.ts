import { BalsaError, type SnapshotMessage } from "../core/index.js";
import type { DamagedDirectory } from "../storage/index.js";
import type { Asker, RefusalCode, SnapshotSink, Transport } from "../transport/index.js";
import { type CallOptions, TIMEOUT_MS_DEFAULT } from "./abort.js";
import { ActiveMember } from "./active-member.js";
import type { Configuration } from "./configuration.js";
import { REPAIR_CALLS_MAX } from "./limits.js";
import { openWhole } from "./open-member.js";
import type { RaftNodeOptions, Settings } from "./options.js";
import { Repair } from "./repair.js";
import { answerFromDamaged } from "./repair-answers.js";
import { type RaftNodeStatus, repairingStatus } from "./status.js";
import { failureOf } from "./turn.js";

export interface RepairingParts {
  readonly options: RaftNodeOptions;
  readonly settings: Settings;
  readonly directory: DamagedDirectory;
  readonly transport: Transport;
  readonly configuration: Configuration;
}

/** Takes part once it is repaired; the call goes there, with what is left of its time. */
export interface Repaired {
  readonly member: ActiveMember;
  readonly leftMs: number;
}

/**
 * A member whose log is damaged. To its peers it is like one that is down, but that it asks them for what it has lost and
 * tells others what it still has.
 */
export class RepairingMember {
  private readonly parts: RepairingParts;
  private readonly repair: Repair;
  private readonly done: Promise<ActiveMember>;
  private calls = 0;
  private closed = false;
  private ended: BalsaError | undefined;

  constructor(parts: RepairingParts) {
    const { options, directory, transport, configuration } = parts;
    const { memberId } = directory.identity;
    const peers = configuration.members.filter(({ id }) => id !== memberId);
    this.parts = parts;
    this.repair = new Repair({ platform: options.platform, directory, transport, peers });
    for (const { id, address } of peers) transport.setPeer(id, address);
    this.done = this.run();
    // Whoever waits for it hears of a failure; without anybody it is no unhandled one.
    this.done.catch(() => {});
  }

  get term(): number {
    return this.parts.directory.log.hardState.term;
  }

  status(): RaftNodeStatus {
    return repairingStatus(this.parts.directory, this.parts.configuration, this.repair, this.ended);
  }

  /** The member that takes part afterwards. Rejects with why there will be none. */
  repaired(): Promise<ActiveMember> {
    return this.done;
  }

  /** A call waits for the end of the repair, for as long as it has. @throws BalsaError `timeout`, `aborted`, `closed` */
  async call({ timeoutMs = TIMEOUT_MS_DEFAULT, signal }: CallOptions): Promise<Repaired> {
    const { clock } = this.parts.options.platform;
    if (signal?.aborted === true) throw new BalsaError("aborted", "called off");
    if (this.calls >= REPAIR_CALLS_MAX) {
      throw new BalsaError("overloaded", "too many calls wait for the end of a repair", { retryable: true });
    }
    const dueMs = clock.now() + timeoutMs;
    this.calls++;
    let cancel: () => void = () => {};
    const givenUp = new Promise<never>((_resolve, reject) => {
      const timer = clock.setTimer(timeoutMs, () =>
        reject(new BalsaError("timeout", "the member's log is being repaired", { retryable: true })),
      );
      const abort = (): void => reject(new BalsaError("aborted", "called off"));
      signal?.addEventListener("abort", abort);
      cancel = () => {
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      };
    });
    try {
      const member = await Promise.race([this.done, givenUp]);
      return { member, leftMs: Math.max(1, dueMs - clock.now()) };
    } finally {
      this.calls--;
      cancel();
    }
  }

  async offeredSnapshot(message: SnapshotMessage): Promise<SnapshotSink | undefined> {
    return this.repair.offered(message);
  }

  receiveSnapshot(message: SnapshotMessage): void {
    this.repair.received(message);
  }

  /** Another member asks for what it has lost itself. @throws BalsaError `corrupt`, `identity-mismatch` */
  answerRepair(asker: Asker, body: Uint8Array): Uint8Array {
    if (!this.parts.configuration.members.some(({ id }) => id === asker.id)) {
      throw new BalsaError("identity-mismatch", "the log is for members only");
    }
    return answerFromDamaged(this.parts.directory, body);
  }

  /** A peer will have nothing to do with this member. */
  refused(_by: number, code: RefusalCode, reason: string): void {
    if (code === "removed" || code === "departed") this.repair.stop(new BalsaError("removed", reason));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.repair.stop();
    // Ends what it has asked, too.
    await this.parts.transport.close();
    const member = await this.done.catch(() => undefined);
    await member?.close();
    await this.parts.directory.close();
  }

  private async run(): Promise<ActiveMember> {
    const { options, settings, transport } = this.parts;
    const { clock, logger } = options.platform;
    const startedMs = clock.now();
    const { damage, damages, lost } = this.repair.status();
    logger.log("error", "the log is damaged: the member takes no part until it is repaired", { damage, damages, lost });
    options.onEvent?.({ kind: "repair-started", damage, damages, lost });
    try {
      const figures = await this.repair.run();
      const { storage, configuration, provisional } = await openWhole(options, settings);
      if (this.closed) {
        await storage.close();
        throw new BalsaError("closed", "the member is closed");
      }
      const tookMs = clock.now() - startedMs;
      logger.log("info", "the log is repaired: the member takes part again", { ...figures, tookMs });
      const member = new ActiveMember({ options, settings, storage, transport, configuration, provisional });
      options.onEvent?.({ kind: "repaired", tookMs, ...figures });
      return member;
    } catch (cause) {
      const error = failureOf(cause);
      this.ended = error;
      await this.parts.directory.close();
      if (!this.closed) {
        logger.log("error", "the repair failed; the member stops", { code: error.code, reason: error.message, cause });
        options.onEvent?.({ kind: "failed", error });
      }
      throw error;
    }
  }
}
