import { BalsaError, invariant, unreachable } from "../core/index.js";
import type { Applied, CallOptions } from "../node/index.js";
import { type AnsweredCall, Attempts, type CallBounds } from "./attempts.js";
import { ATTEMPT_MS_DEFAULT, CALL_MS_DEFAULT } from "./limits.js";
import { SequenceWindow } from "./sequence-window.js";
import { decodeSessionAnswer } from "./session-answer.js";
import { encodeSessionCommand } from "./session-command.js";
import type { SessionMember } from "./session-member.js";

export interface SessionOptions extends CallOptions {
  /**
   * How long the first attempt of a call is waited for before the next is made; each after it twice as long. Default
   * 1,000 ms.
   */
  readonly attemptMs?: number | undefined;
}

/**
 * Commands that take effect once, though they are tried again whenever it is not known what became of them. To be used
 * with a state machine made by `withSessions`.
 *
 * Open one for each process, not for each command: the group remembers so many, and forgets the least recently used.
 */
export class Session {
  /** Unique in the group for ever. */
  readonly id: number;
  readonly #attempts: Attempts;
  readonly #window: SequenceWindow;

  /**
   * @param members one to ask, or several: the next is asked when one does not answer
   * @throws BalsaError as `RaftNode.propose`; `invalid-argument`, if the state machine has no sessions
   */
  static async open(members: SessionMember | readonly SessionMember[], options: SessionOptions = {}): Promise<Session> {
    const { attemptMs = ATTEMPT_MS_DEFAULT } = options;
    const list = "propose" in members ? [members] : [...members];
    if (list.length === 0) throw new BalsaError("invalid-argument", "a session needs a member to ask");
    if (!(attemptMs > 0))
      throw new BalsaError("invalid-argument", `option attemptMs is ${attemptMs}; it must be above 0`);
    const attempts = new Attempts(list, attemptMs);
    // An attempt of which nothing is heard may leave a session that nobody uses: it is the first to expire.
    const { answer } = await attempts.run(() => encodeSessionCommand({ kind: "open" }), boundsOf(attempts, options));
    invariant(answer.kind === "opened", "session: what opens is answered with the session");
    return new Session(answer.session, attempts, new SequenceWindow(attempts.clock, answer.resultsMax));
  }

  private constructor(id: number, attempts: Attempts, window: SequenceWindow) {
    this.id = id;
    this.#attempts = attempts;
    this.#window = window;
  }

  /**
   * Replicates a command and gives what the state machine answered, and where in the log the command took effect. It is
   * tried until there is an answer or no time is left, and takes effect once at the most. More calls at a time than the
   * group remembers results wait for their turn.
   *
   * To call again after `applied: "unknown"` is another command, which may take effect beside the first. The first one
   * may take effect later, though not behind a command that was called after it had ended, with none before it under way.
   * @throws BalsaError with `applied`: `not-applied` (surely) or `unknown`; codes `timeout`, `session-expired` (open
   * another), `too-large` (the command; with `applied: "unknown"` its result), `overloaded`, `aborted`, `closed`, and of
   * a single member `storage-failed`, `removed`
   */
  async propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    const bounds = boundsOf(this.#attempts, options);
    const sequence = await this.#window.enter(bounds);
    try {
      const encode = (): Uint8Array =>
        encodeSessionCommand({
          kind: "call",
          session: this.id,
          sequence,
          oldestAwaited: this.#window.oldest,
          payload: data,
        });
      return this.#outcome(await this.#attempts.run(encode, bounds));
    } finally {
      this.#window.leave(sequence);
    }
  }

  /**
   * Takes no more calls, and lets the group forget the session. What is under way may find it gone. If the group can't be
   * reached, it keeps the session until it needs the room.
   */
  async close(options: CallOptions = {}): Promise<void> {
    if (this.#window.isClosed) return;
    this.#window.close();
    try {
      await this.#attempts.run(
        () => encodeSessionCommand({ kind: "close", session: this.id }),
        boundsOf(this.#attempts, options),
      );
    } catch (error) {
      if (!(error instanceof BalsaError)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #outcome({ answer, applied }: AnsweredCall): Applied {
    switch (answer.kind) {
      case "result": {
        const { index, term, result } = answer;
        return { index, term, result };
      }
      case "result-too-large":
        throw new BalsaError(
          "too-large",
          `session: the command took effect at index ${answer.index}; its result is longer than resultBytesMax`,
          { applied: "unknown" },
        );
      case "refused":
        if (answer.why === "unknown-session") {
          // Attempts that the group has not forgotten would have been answered from what it remembers.
          throw new BalsaError("session-expired", "session: the group does not know it any more", { applied });
        }
        throw new BalsaError("invariant", `session: refused as ${answer.why}`, { applied });
      case "opened":
      case "closed":
        throw new BalsaError("invariant", "session: an answer to another question", { applied: "unknown" });
      default:
        throw unreachable(answer satisfies never);
    }
  }
}

/** What came of a command that was made by `withoutSession`: the result of `RaftNode.propose`, without what is around it. */
export function resultOf(answered: Uint8Array): Uint8Array {
  const answer = decodeSessionAnswer(answered);
  if (answer.kind !== "result") throw new BalsaError("invalid-argument", "a command of no session has a result");
  return answer.result;
}

function boundsOf({ clock }: Attempts, { timeoutMs = CALL_MS_DEFAULT, signal }: CallOptions): CallBounds {
  return { deadlineMs: clock.now() + timeoutMs, signal };
}
