import type { ConfState, PeerMessage, Ready, Role, StorageAppend } from "../core/index.js";
import type { History, Model } from "../linearizability/index.js";
import type { CoreState, RaftNodeObserver, RecoveredState } from "../node/index.js";
import { describeMessage } from "./message-description.js";

/** What a member is, as others would see it. `repairing`: it is up, and takes no part. */
export type Standing = Role | "down" | "starting" | "repairing";

/** A member is something else from then on, or in another term. */
export interface StandingChange {
  readonly atMs: number;
  /** Its number. */
  readonly member: number;
  readonly standing: Standing;
  /** 0 = not known. */
  readonly term: number;
}

/** How far a member is, from then on. */
export interface ProgressChange {
  readonly atMs: number;
  readonly member: number;
  readonly commit: number;
  readonly applied: number;
}

export interface SentMessage {
  readonly sentMs: number;
  readonly from: number;
  /** undefined: nobody who has ever been up. */
  readonly to: number | undefined;
  readonly type: PeerMessage["type"];
  readonly text: string;
  /** When the other's core was given it; undefined: it never was. */
  arrivedMs: number | undefined;
}

/** What happened besides. */
export interface Occurrence {
  readonly atMs: number;
  /** Whom it concerns; undefined: all, or none. */
  readonly member: number | undefined;
  readonly kind: "fault" | "event" | "violation";
  readonly text: string;
  /** How long it lasts; undefined: no time, or it is not known. */
  readonly forMs: number | undefined;
}

/** What a client did. */
export interface CalledOperation {
  readonly invokedMs: number;
  readonly endedMs: number | undefined;
  readonly client: string;
  readonly outcome: "completed" | "failed" | "unknown";
  readonly call: string;
  /** Empty without one. */
  readonly answer: string;
}

/** Hardly a message that is not held up takes longer. */
const WAY_MS = 400;

/** All that a page shows of a run, as it happened; times in ms of the world. Kept where somebody wants to look at it. */
export class Chronicle {
  readonly standings: StandingChange[] = [];
  readonly progress: ProgressChange[] = [];
  readonly messages: SentMessage[] = [];
  readonly occurrences: Occurrence[] = [];
  operations: readonly CalledOperation[] = [];
  readonly #nowMs: () => number;
  /** Numbers of members by their IDs. */
  readonly #numbers = new Map<number, number>();
  /** On their way, by sender, receiver and content; in order. */
  readonly #underWay = new Map<string, SentMessage[]>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  stands(member: number, standing: Standing, term = 0): void {
    this.standings.push({ atMs: this.#nowMs(), member, standing, term });
  }

  occurred(kind: Occurrence["kind"], text: string, member?: number, forMs?: number): void {
    this.occurrences.push({ atMs: this.#nowMs(), member, kind, text, forMs });
  }

  /** A life ended by itself, or never began. */
  ended(member: number, error: unknown): void {
    this.occurred("event", `stopped: ${String(error)}`, member);
    this.stands(member, "down");
  }

  /** Known now; it may have been before. */
  violated(atMs: number, text: string): void {
    this.occurrences.push({ atMs, member: undefined, kind: "violation", text, forMs: undefined });
  }

  /** What a member's observer sees, on its way to the one that it is for. */
  observe(member: number, observer: RaftNodeObserver): RaftNodeObserver {
    return new MemberChronicle(this, member, observer);
  }

  /** A life of its begins: what was sent to it before does not reach it. */
  opened(member: number, memberId: number): void {
    this.#numbers.set(memberId, member);
    for (const underWay of this.#underWay.values()) if (underWay[0]?.to === member) underWay.length = 0;
  }

  reached(member: number, commit: number, applied: number): void {
    this.progress.push({ atMs: this.#nowMs(), member, commit, applied });
  }

  sent(from: number, message: PeerMessage): void {
    const text = describeMessage(message);
    const { type, to } = message;
    const sent: SentMessage = {
      sentMs: this.#nowMs(),
      from,
      to: this.#numbers.get(to),
      type,
      text,
      arrivedMs: undefined,
    };
    this.messages.push(sent);
    const key = keyOf(from, to, text);
    const before = this.#underWay.get(key);
    if (before === undefined) this.#underWay.set(key, [sent]);
    else before.push(sent);
  }

  /**
   * Of those that say the same, the first that was sent not long ago: before it some may be lost, and with the same content
   * nobody can tell. What took longer was held up, and is taken for the last one.
   */
  received(toId: number, message: PeerMessage): void {
    const from = this.#numbers.get(message.from);
    if (from === undefined) return;
    const underWay = this.#underWay.get(keyOf(from, toId, describeMessage(message))) ?? [];
    const nowMs = this.#nowMs();
    const recent = underWay.findIndex(({ sentMs }) => nowMs - sentMs <= WAY_MS);
    const [sent] = underWay.splice(recent < 0 ? underWay.length - 1 : recent, 1);
    if (sent !== undefined) sent.arrivedMs = nowMs;
  }
}

function keyOf(from: number, toId: number, text: string): string {
  return `${from} ${toId} ${text}`;
}

/** One member's, over all its lives. */
class MemberChronicle implements RaftNodeObserver {
  readonly #chronicle: Chronicle;
  readonly #member: number;
  readonly #observer: RaftNodeObserver;
  #memberId = 0;
  #role: Role | undefined;
  #term = 0;
  #commit = 0;
  #applied = 0;

  constructor(chronicle: Chronicle, member: number, observer: RaftNodeObserver) {
    this.#chronicle = chronicle;
    this.#member = member;
    this.#observer = observer;
  }

  opened(recovered: RecoveredState): void {
    this.#memberId = recovered.memberId;
    this.#chronicle.opened(this.#member, recovered.memberId);
    this.#stands("follower", recovered.hardState.term);
    this.#observer.opened(recovered);
  }

  ready(ready: Ready, state: CoreState): void {
    if (state.role !== this.#role || state.term !== this.#term) this.#stands(state.role, state.term);
    this.#reached(state.commit, state.applied);
    this.#observer.ready(ready, state);
  }

  sending(messages: readonly PeerMessage[]): void {
    for (const message of messages) this.#chronicle.sent(this.#member, message);
    this.#observer.sending(messages);
  }

  received(messages: readonly PeerMessage[]): void {
    for (const message of messages) this.#chronicle.received(this.#memberId, message);
    this.#observer.received?.(messages);
  }

  written(write: StorageAppend): void {
    this.#observer.written(write);
  }

  applied(index: number, term: number, by: "entry" | "snapshot", confState: ConfState): void {
    this.#reached(Math.max(this.#commit, index), index);
    this.#observer.applied(index, term, by, confState);
  }

  #stands(role: Role, term: number): void {
    this.#role = role;
    this.#term = term;
    this.#chronicle.stands(this.#member, role, term);
  }

  #reached(commit: number, applied: number): void {
    if (commit === this.#commit && applied === this.#applied) return;
    this.#commit = commit;
    this.#applied = applied;
    this.#chronicle.reached(this.#member, commit, applied);
  }
}

/** Of a history, in its model's words. */
export function calledOperations<State, Input, Output>(
  { describe }: Model<State, Input, Output>,
  { operations }: History<Input, Output>,
): readonly CalledOperation[] {
  return operations.map(({ invokedAt, endedAt, client, input, outcome }) => ({
    invokedMs: invokedAt,
    endedMs: endedAt,
    client,
    outcome: outcome.kind,
    call: describe.input(input),
    answer: outcome.kind === "completed" ? describe.output(outcome.output, input) : "",
  }));
}
