import type { Logger as Pino } from "pino";
import { PUBLISH_RETRY_MS } from "../limits.js";
import { encodeCommand } from "../machine/command.js";
import type { EtcdState } from "../machine/etcd-state.js";
import { encodeAttributes, type MemberAttributes, sameAttributes } from "../machine/member-attributes.js";
import type { Consensus } from "./consensus.js";

export interface PublisherParts {
  readonly consensus: Consensus;
  readonly state: EtcdState;
  readonly attributes: MemberAttributes;
  readonly timeoutMs: number;
  readonly log: Pino;
}

/**
 * Makes a member's name and client addresses known to the cluster once it has started, as etcd does: tries until it is
 * done or the member stops. Saying it twice does no harm; saying what is known already costs a place in the log.
 */
export class Publisher {
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.parts = parts;
  }

  start(): void {
    this.attempt().then(
      () => this.parts.log.info({ clientUrls: this.parts.attributes.clientUrls }, "known to the cluster"),
      (cause: unknown) => {
        if (this.stopped) return;
        this.parts.log.debug({ cause }, "not known to the cluster yet");
        this.timer = setTimeout(() => this.start(), PUBLISH_RETRY_MS);
      },
    );
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async attempt(): Promise<void> {
    const { consensus, state, attributes, timeoutMs } = this.parts;
    await consensus.read({ timeoutMs });
    const known = state.attributesOf(attributes.memberId);
    if (known !== undefined && sameAttributes(known, attributes)) return;
    await consensus.propose(encodeCommand("publish", encodeAttributes(attributes)), { timeoutMs });
  }
}
