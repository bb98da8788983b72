import { type AppliedOutcome, BalsaError, type BalsaErrorCode, invariant } from "../core/index.js";
import type { AbortSignalLike, Applied } from "../node/index.js";
import { PAUSE_MS_FIRST, PAUSE_MS_MAX } from "./limits.js";
import { decodeSessionAnswer, type SessionAnswer } from "./session-answer.js";
import type { SessionMember } from "./session-member.js";

/** When a call ends at the latest, and who may end it before. */
export interface CallBounds {
  /** By the members' clock. */
  readonly deadlineMs: number;
  readonly signal: AbortSignalLike | undefined;
}

/** Asks again, of the next member if there are several, until there is an answer or no time is left. */
export class Attempts {
  readonly #members: readonly SessionMember[];
  readonly #firstMs: number;
  /** Whom to ask: the one that answered last. */
  #at = 0;

  /** @param firstMs how long the first attempt of each call is waited for */
  constructor(members: readonly SessionMember[], firstMs: number) {
    this.#members = members;
    this.#firstMs = firstMs;
  }

  get clock(): SessionMember["clock"] {
    return this.#member(0).clock;
  }

  /**
   * Proposes until the state machine answers.
   * @param encode gives the command, anew for each attempt
   */
  async run(encode: () => Uint8Array, bounds: CallBounds): Promise<AnsweredCall> {
    const call = new AttemptedCall(this.clock, bounds);
    for (let attemptMs = this.#firstMs; ; attemptMs *= 2) {
      const at = this.#at;
      const timeoutMs = Math.min(attemptMs, call.leftMs());
      try {
        const { result } = await this.#member(at).propose(encode(), { timeoutMs, signal: bounds.signal });
        const answer = decoded(result);
        if (answer.kind === "refused" && answer.why === "malformed") throw notUnderstood();
        // Nothing in this attempt's way but results that other attempts of the same client will acknowledge.
        if (answer.kind !== "refused" || answer.why !== "too-many-results") return { answer, applied: call.applied };
        call.failed(new BalsaError("overloaded", "the session holds as many results as it may"));
      } catch (error) {
        call.failed(error);
        if (isFinal(call.lastCode, this.#members.length > 1)) throw call.error();
        // Others may have turned to another one meanwhile.
        if (this.#at === at) this.#at = (at + 1) % this.#members.length;
      }
      await call.pause();
    }
  }

  #member(at: number): SessionMember {
    const member = this.#members[at];
    invariant(member !== undefined, "session: there is a member to ask");
    return member;
  }
}

/** What the state machine said, and whether any attempt before the one that it answered may have taken effect. */
export interface AnsweredCall {
  readonly answer: SessionAnswer;
  readonly applied: AppliedOutcome;
}

/** How far a call has come. */
class AttemptedCall {
  /** Whether any attempt so far may take effect, now or later. */
  applied: AppliedOutcome = "not-applied";
  readonly #clock: SessionMember["clock"];
  readonly #bounds: CallBounds;
  #last: BalsaError | undefined;
  #pauseMs = PAUSE_MS_FIRST;

  constructor(clock: SessionMember["clock"], bounds: CallBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  get lastCode(): BalsaErrorCode | undefined {
    return this.#last?.code;
  }

  /** @throws BalsaError `timeout`, if it is none; `aborted` */
  leftMs(): number {
    if (this.#bounds.signal?.aborted === true) throw this.#ended("aborted", "the caller's signal fired");
    const leftMs = this.#bounds.deadlineMs - this.#clock.now();
    if (leftMs <= 0) throw this.#ended("timeout", "no answer in time");
    return leftMs;
  }

  /** An attempt has failed. What is no BalsaError is passed on. */
  failed(error: unknown): void {
    if (!(error instanceof BalsaError)) throw error;
    this.#last = error;
    if (error.applied === "unknown") this.applied = "unknown";
  }

  /** The last attempt's error, as that of all. */
  error(): BalsaError {
    return this.#ended(this.#last?.code ?? "timeout", this.#last?.message ?? "no answer");
  }

  /** Waits a moment, longer each time; no longer than there is time. */
  async pause(): Promise<void> {
    const pauseMs = Math.min(this.#pauseMs, this.leftMs());
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    const { signal } = this.#bounds;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = this.#clock.setTimer(Math.ceil(pauseMs), end);
      signal?.addEventListener("abort", end);
    });
  }

  #ended(code: BalsaErrorCode, reason: string): BalsaError {
    const { applied } = this;
    return new BalsaError(code, `session: ${reason}`, {
      applied,
      // Under another sequence number, which an attempt that may still take effect knows nothing of.
      retryable: applied === "not-applied" && (code === "timeout" || this.#last?.retryable === true),
      leader: this.#last?.leader ?? 0,
      cause: this.#last,
    });
  }
}

/** Whether the same command can't come to anything, here or, if there are others, anywhere. */
function isFinal(code: BalsaErrorCode | undefined, hasOthers: boolean): boolean {
  switch (code) {
    case "too-large":
    case "invalid-argument":
    case "aborted":
      return true;
    case "closed":
    case "removed":
    case "storage-failed":
    case "state-machine-failed":
    case "invariant":
      return !hasOthers;
    default:
      return false;
  }
}

function notUnderstood(): BalsaError {
  return new BalsaError("invalid-argument", "the group knows no such command: are all members of this version?");
}

function decoded(result: Applied["result"]): SessionAnswer {
  try {
    return decodeSessionAnswer(result);
  } catch (cause) {
    const reason = "the answer is none of a state machine with sessions: give RaftNode.open one made by withSessions";
    throw new BalsaError("invalid-argument", reason, { cause, applied: "unknown" });
  }
}
