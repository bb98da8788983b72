import { BalsaError, NONE, type RawNode, unreachable } from "../core/index.js";
import type { Clock } from "../platform/index.js";
import type { Asker, Transport } from "../transport/index.js";
import { type CallOptions, TIMEOUT_MS_DEFAULT } from "./abort.js";
import type { ClusterMembers } from "./cluster-members.js";
import type { MemberChange } from "./member-change.js";
import { membershipRefused } from "./member-change.js";
import { type ChangeApplied, changesToJoin, type Membership, notLeader } from "./membership.js";
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  errorOf,
  type MemberAnswer,
  type MemberRequest,
  refusedAnswer,
} from "./requests.js";

export interface ChangeOptions extends CallOptions {
  /** Also where too few of the voters that would remain can be reached. Default false. */
  readonly force?: boolean | undefined;
}

export interface MembershipCallsParts {
  readonly raw: RawNode;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly clusterId: number;
  readonly heartbeatMs: number;
  readonly members: ClusterMembers;
  readonly membership: Membership;
  readonly appliedIndex: () => number;
  /** Why no call is taken any more. */
  readonly ended: () => BalsaError | undefined;
}

type Request = Extract<MemberRequest, { readonly kind: "change" | "transfer" }>;
type Join = Extract<MemberRequest, { readonly kind: "join" }>;

/**
 * Calls that change the members or the leader, made on whichever member: as proposals they go to the leader, by a
 * request of the runtime's own, which is answered with what became of them. And those requests, at the other end.
 */
export class MembershipCalls {
  private readonly parts: MembershipCallsParts;

  constructor(parts: MembershipCallsParts) {
    this.parts = parts;
  }

  async change(changes: readonly MemberChange[], options: ChangeOptions): Promise<ChangeApplied> {
    const { force = false } = options;
    try {
      return await this.viaLeader((timeoutMs) => ({ kind: "change", changes, force, timeoutMs }), options);
    } catch (cause) {
      // This member has learned of its own removal before the answer came.
      if (this.parts.ended()?.code === "removed" && this.removesSelf(changes)) {
        return { index: this.parts.appliedIndex(), term: this.parts.raw.term, added: [] };
      }
      throw cause;
    }
  }

  async transfer(to: number, options: CallOptions): Promise<void> {
    await this.viaLeader((timeoutMs) => ({ kind: "transfer", to, timeoutMs }), options);
  }

  /** Answers what a member, or one that would be, asks. */
  async answer(asker: Asker, body: Uint8Array): Promise<Uint8Array> {
    return encodeAnswer(await this.answerOf(asker, body));
  }

  private async answerOf(asker: Asker, body: Uint8Array): Promise<MemberAnswer> {
    try {
      const request = decodeRequest(body);
      switch (request.kind) {
        case "change":
        case "transfer":
          return { kind: "done", ...(await this.asLeader(request, undefined)) };
        case "join":
          return await this.join(request);
        case "introduce":
          return this.introduced(asker, request.id, request.incarnation);
        default:
          throw unreachable(request satisfies never);
      }
    } catch (cause) {
      const { members, raw } = this.parts;
      return refusedAnswer(cause, members.find(raw.lead)?.address ?? "");
    }
  }

  /** What is known here of a first member whose directory has promised nothing yet. */
  private introduced(asker: Asker, id: number, incarnation: number): MemberAnswer {
    const { members, raw, appliedIndex } = this.parts;
    if (!members.knowsAll(appliedIndex())) throw notLeader("this member does not know all of its own log yet");
    const { term } = raw;
    if (members.isRemoved(id)) {
      if (!members.isSurelyRemoved(id)) throw notLeader("it was removed, which is not durable here yet");
      // Under its name another has taken its place: it was replaced, rather than removed.
      const known = members.named(asker.name) === undefined ? "removed" : "otherwise";
      return { kind: "introduced", known, term };
    }
    const recorded = members.incarnationOf(id);
    if (recorded !== 0 && recorded !== incarnation) return { kind: "introduced", known: "otherwise", term };
    const isCommitted = members.find(id)?.incarnation === incarnation;
    if (!isCommitted && raw.role === "leader") members.introduced(id, incarnation);
    return { kind: "introduced", known: isCommitted ? "as-this" : "not-yet", term };
  }

  private async join(request: Join): Promise<MemberAnswer> {
    const { members, membership, clusterId, raw } = this.parts;
    if (raw.role !== "leader") throw notLeader("another member leads");
    const known = members.named(request.name);
    // Under the same incarnation it was taken in before, and has not heard of its new ID.
    if (request.id !== 0 && known?.id !== request.id && known?.incarnation !== request.incarnation) {
      throw membershipRefused("unknown-member", `${request.name} was a member once, and is none any more`);
    }
    if (known === undefined || known.incarnation !== request.incarnation) {
      const votes = known !== undefined && members.confState.voters.includes(known.id);
      if (known !== undefined && known.incarnation !== 0 && membership.isReachable(known.id)) {
        throw membershipRefused("member-is-up", `${known.name} is a member and can be reached`);
      }
      const changes = changesToJoin(request, known, votes);
      await membership.propose(changes, false, this.ticks(request.timeoutMs), undefined);
    }
    const joined = members.named(request.name);
    if (joined?.incarnation !== request.incarnation) throw notLeader("it was changed again meanwhile");
    return { kind: "joined", clusterId, memberId: joined.id, members: members.configuration.members };
  }

  /** Finds the leader, asks it, and asks again as long as it is sure that nothing has come of it. */
  private async viaLeader(request: (timeoutMs: number) => Request, options: CallOptions): Promise<ChangeApplied> {
    const { clock, raw, heartbeatMs } = this.parts;
    const { timeoutMs = TIMEOUT_MS_DEFAULT, signal } = options;
    if (!(timeoutMs > 0)) throw new BalsaError("invalid-argument", `timeoutMs is ${timeoutMs}; it must be above 0`);
    const deadlineMs = clock.now() + timeoutMs;
    let reason = "no leader is known";
    for (;;) {
      this.throwIfEnded();
      if (signal?.aborted === true) throw new BalsaError("aborted", "the caller's signal fired");
      const leftMs = deadlineMs - clock.now();
      if (leftMs <= 0) throw new BalsaError("timeout", `no leader took it in time: ${reason}`, { retryable: true });
      try {
        if (raw.lead === raw.id) return await this.asLeader(request(leftMs), signal);
        if (raw.lead !== NONE) return await this.ask(raw.lead, request(leftMs), deadlineMs);
      } catch (cause) {
        // Whoever ends while it waits knows as little as any other what became of the request.
        if (cause instanceof BalsaError && cause.applied === "unknown") throw cause;
        this.throwIfEnded();
        if (!(cause instanceof BalsaError) || cause.code !== "not-leader") throw cause;
        reason = cause.message;
      }
      await this.pause(heartbeatMs);
    }
  }

  private async asLeader(request: Request, signal: CallOptions["signal"]): Promise<ChangeApplied> {
    const { membership, raw, clock } = this.parts;
    const endMs = clock.now() + request.timeoutMs;
    const ticks = this.ticks(request.timeoutMs);
    if (request.kind === "transfer") return membership.transfer(request.to, ticks, signal);
    const { changes, force } = request;
    if (membership.deposesSelf(changes, force) && membership.hasTimeToHandOver(ticks / 2)) {
      // Better to hand over first than to leave the others without a leader; if that fails, it leads until it is out.
      const heirs = this.parts.members.confState.voters.filter((id) => !touches(changes, id));
      const handedOver = await membership.transfer(NONE, ticks / 2, signal, heirs).then(
        () => true,
        () => false,
      );
      if (handedOver || raw.role !== "leader") throw notLeader("leadership was handed over for this");
    }
    return membership.propose(changes, force, this.ticks(endMs - clock.now()), signal);
  }

  private async ask(leader: number, request: Request, deadlineMs: number): Promise<ChangeApplied> {
    const { members, transport, clock } = this.parts;
    const address = members.find(leader)?.address;
    if (address === undefined) throw notLeader("the leader's address is not known");
    const outcome = await transport.ask({ id: leader, address }, encodeRequest(request), deadlineMs - clock.now());
    if (outcome.kind === "failed") {
      const applied = outcome.sent ? "unknown" : "not-applied";
      throw new BalsaError(outcome.code, outcome.reason, { applied, retryable: applied === "not-applied" });
    }
    const answer = decodeAnswer(outcome.body);
    if (answer.kind === "refused") throw errorOf(answer);
    if (answer.kind !== "done") throw notLeader("an answer to something else");
    await this.untilApplied(answer.index, deadlineMs);
    return { index: answer.index, term: answer.term, added: answer.added };
  }

  /** What was done is to be seen here too, if that comes about in time. */
  private async untilApplied(index: number, deadlineMs: number): Promise<void> {
    const { clock, appliedIndex, ended, heartbeatMs } = this.parts;
    while (appliedIndex() < index && clock.now() < deadlineMs && ended() === undefined) {
      await this.pause(Math.min(heartbeatMs, deadlineMs - clock.now()));
    }
  }

  private removesSelf(changes: readonly MemberChange[]): boolean {
    return changes.some((change) => change.kind === "remove" && change.id === this.parts.raw.id);
  }

  private throwIfEnded(): void {
    const ended = this.parts.ended();
    if (ended !== undefined) throw ended;
  }

  private ticks(timeoutMs: number): number {
    return Math.max(1, timeoutMs / this.parts.heartbeatMs);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.parts.clock.setTimer(ms, resolve);
    });
  }
}

function touches(changes: readonly MemberChange[], id: number): boolean {
  return changes.some((change) => change.kind !== "add-learner" && change.id === id);
}
