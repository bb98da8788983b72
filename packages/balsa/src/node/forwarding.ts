import { type BalsaErrorCode, invariant } from "../core/index.js";
import type { ForwardAnswer, Transport } from "../transport/index.js";
import { FORWARD_BATCH_BYTES_MAX, FORWARD_BATCH_COUNT_MAX, FORWARDED_BYTES_MAX } from "./limits.js";
import type { Proposal, Proposals } from "./proposals.js";

/** Commands that another member asks this one to propose. */
export interface ForwardedBatch {
  readonly from: number;
  readonly requestId: number;
  readonly commands: readonly Uint8Array[];
}

/**
 * Proposals on their way from a follower to the leader, as a request of the runtime's own: the leader answers with the
 * place in its log or a refusal, so that the follower knows what became of them. (The core's own forwarding, which
 * tells nobody, is off.)
 */
export class Forwarding {
  private readonly sent: Map<number, readonly Proposal[]> = new Map();
  private received: ForwardedBatch[] = [];
  private receivedBytes = 0;
  private lastRequestId: number;
  private readonly proposals: Proposals;
  private readonly transport: Transport;

  constructor(proposals: Proposals, transport: Transport, firstRequestId: number) {
    this.proposals = proposals;
    this.transport = transport;
    this.lastRequestId = firstRequestId;
  }

  get hasReceived(): boolean {
    return this.received.length > 0;
  }

  /** Sends proposals to the leader; those that can't be sent now go back to wait. */
  send(leader: number, proposals: readonly Proposal[]): void {
    let from = 0;
    while (from < proposals.length) {
      const batch = cutBatch(proposals, from);
      const requestId = ++this.lastRequestId;
      const commands = batch.map((proposal) => proposal.data);
      if (!this.transport.forward(leader, requestId, commands)) break;
      this.proposals.submit(batch);
      this.sent.set(requestId, batch);
      from += batch.length;
    }
    if (from < proposals.length) this.proposals.giveBack(proposals.slice(from));
  }

  /** What became of a batch that was sent. `appliedIndex`: how far this member's state machine has come. */
  answered(requestId: number, answer: ForwardAnswer | { readonly kind: "lost" }, appliedIndex: number): void {
    const batch = this.sent.get(requestId);
    if (batch === undefined) return;
    this.sent.delete(requestId);
    switch (answer.kind) {
      case "accepted":
        // The answer precedes the entries on the same connection, so that they are not applied yet; if they were, their
        // results would be gone.
        if (answer.firstIndex <= appliedIndex) fail(batch, "timeout", "applied before its place was known");
        else this.proposals.accept(batch, answer.firstIndex, answer.term);
        return;
      case "refused":
        if (answer.code === "not-leader") this.proposals.giveBack(batch);
        else fail(batch, answer.code, "the leader refused it", true);
        return;
      case "lost":
        fail(batch, "not-leader", "the leader was lost before it answered");
        return;
      default:
        answer satisfies never;
        invariant(false, "forwarding: unknown answer");
    }
  }

  /** A follower's commands, for this turn's proposal. */
  receive(batch: ForwardedBatch): void {
    let bytes = 0;
    for (const command of batch.commands) bytes += command.length;
    if (this.receivedBytes + bytes > FORWARDED_BYTES_MAX) {
      this.transport.answerForward(batch.from, batch.requestId, { kind: "refused", code: "overloaded", leader: 0 });
      return;
    }
    this.receivedBytes += bytes;
    this.received.push(batch);
  }

  takeReceived(): readonly ForwardedBatch[] {
    const taken = this.received;
    this.received = [];
    this.receivedBytes = 0;
    return taken;
  }

  answer(batch: ForwardedBatch, answer: ForwardAnswer): void {
    this.transport.answerForward(batch.from, batch.requestId, answer);
  }
}

function cutBatch(proposals: readonly Proposal[], from: number): readonly Proposal[] {
  let bytes = 0;
  let to = from;
  for (; to < proposals.length && to - from < FORWARD_BATCH_COUNT_MAX; to++) {
    bytes += proposals[to]?.data.length ?? 0;
    if (bytes > FORWARD_BATCH_BYTES_MAX && to > from) break;
  }
  return proposals.slice(from, to);
}

function fail(batch: readonly Proposal[], code: BalsaErrorCode, reason: string, surelyNotApplied = false): void {
  for (const proposal of batch) proposal.fail(code, reason, surelyNotApplied);
}
