import { decodeSessionAnswer, decodeSessionCommand, type SessionAnswer, type SessionCall } from "../machine/index.js";
import type { Coverage } from "./coverage.js";
import { Journal } from "./journal.js";
import type { SessionSettings } from "./session-settings.js";
import { RuleBroken } from "./violation.js";
import { checksumOf } from "./watched-machine.js";

/** A session as the log has it. Nothing of it is ever forgotten here. */
interface KnownSession {
  /** Of the last command in the log that names it. */
  lastUsed: number;
  isOver: boolean;
  /** The lowest sequence whose answer its client still waits for. */
  oldestAwaited: number;
  /** What ran, by sequence: checksum of its answer. */
  readonly ran: Map<number, number>;
}

/** What a member's state machine with sessions made of one command. */
export interface SessionStep {
  readonly index: number;
  /** As the group was given it. */
  readonly data: Uint8Array;
  /** Whether the state machine within has seen it. */
  readonly ran: boolean;
  readonly answer: Uint8Array;
}

/**
 * Holds sessions to their promise, by what the log says and not by what the library remembers: each command of a session
 * runs once, on every member at the same place and whatever snapshots lie between; every attempt at it that is answered
 * is answered alike; and what comes too late, for a session that is over or a command that was given up, never runs.
 */
export class SessionRecord {
  /** The commands of clients: each has a number of its own, which all attempts at it carry. */
  readonly journal: Journal;
  readonly #coverage: Coverage;
  readonly #sessionsMax: number;
  readonly #sessions = new Map<number, KnownSession>();
  /** By index: whether the command there ran, at the first member that came to it. */
  readonly #ran = new Map<number, boolean>();

  constructor({ sessionsMax }: SessionSettings, coverage: Coverage) {
    this.#sessionsMax = sessionsMax;
    this.#coverage = coverage;
    this.journal = new SessionJournal(coverage);
  }

  /** Members come here in the log's order, each for itself: the first one at an index goes by all that lies before it. */
  apply(member: string, step: SessionStep): void {
    const { index, data, ran } = step;
    const known = this.#ran.get(index);
    if (known !== undefined) {
      if (known !== ran)
        broken(`${member} ${ran ? "runs" : "does not run"} the command at ${index}, and others differ`);
      return;
    }
    this.#ran.set(index, ran);
    const command = decodeSessionCommand(data);
    const answer = decodeSessionAnswer(step.answer);
    switch (command.kind) {
      case "open":
        this.#sessions.set(index, { lastUsed: index, isOver: false, oldestAwaited: 1, ran: new Map() });
        this.#expire();
        break;
      case "close": {
        const session = this.#sessions.get(command.session);
        if (session !== undefined) session.isOver = true;
        break;
      }
      case "call": {
        const why = this.#call(index, command, step, answer);
        if (why !== undefined) broken(`${member}, command ${command.sequence} of session ${command.session}: ${why}`);
        break;
      }
      case "plain":
        if (!ran) broken(`${member} does not run the command of no session at ${index}`);
        break;
      default:
        command satisfies never;
    }
  }

  /** What is wrong with it. */
  #call(index: number, call: SessionCall, step: SessionStep, answer: SessionAnswer): string | undefined {
    const session = this.#sessions.get(call.session);
    if (session === undefined || session.isOver) {
      this.#coverage.count("commands of expired sessions");
      if (step.ran) return `runs at ${index}, though the session is over`;
      return refusedAs("unknown-session", answer) ? undefined : "is not told that its session is over";
    }
    session.lastUsed = index;
    session.oldestAwaited = Math.max(session.oldestAwaited, call.oldestAwaited);
    const before = session.ran.get(call.sequence);
    if (step.ran && before !== undefined) return `runs again at ${index}`;
    if (call.sequence < session.oldestAwaited) {
      this.#coverage.count("commands given up");
      if (step.ran) return `runs at ${index}, though its client has given it up`;
      return refusedAs("not-awaited", answer) ? undefined : "is answered, though its client has given it up";
    }
    if (before !== undefined) {
      this.#coverage.count("commands repeated");
      return before === checksumOf(step.answer) ? undefined : `is answered otherwise at ${index} than before`;
    }
    if (!step.ran) return `does not run at ${index}, though its session lives`;
    session.ran.set(call.sequence, checksumOf(step.answer));
    return undefined;
  }

  /** One too many: the one that was used least recently is over. */
  #expire(): void {
    const living = [...this.#sessions.values()].filter(({ isOver }) => !isOver);
    if (living.length <= this.#sessionsMax) return;
    const least = living.reduce((a, b) => (a.lastUsed < b.lastUsed ? a : b));
    least.isOver = true;
    this.#coverage.count("sessions expired");
  }
}

/** What runs, held against what callers are told of it. */
class SessionJournal extends Journal {
  override acknowledge(...told: Parameters<Journal["acknowledge"]>): void {
    asOwnRule(() => super.acknowledge(...told));
  }

  override refuse(commandId: number): void {
    asOwnRule(() => super.refuse(commandId));
  }

  override apply(...applied: Parameters<Journal["apply"]>): void {
    asOwnRule(() => super.apply(...applied));
  }
}

function asOwnRule(check: () => void): void {
  try {
    check();
  } catch (error) {
    // A state machine that differs from member to member is none of the sessions' doing.
    if (error instanceof RuleBroken && error.rule !== "the same state everywhere") broken(error.message);
    throw error;
  }
}

function refusedAs(why: string, answer: SessionAnswer): boolean {
  return answer.kind === "refused" && answer.why === why;
}

function broken(detail: string): never {
  throw new RuleBroken("a session's command takes effect once", detail);
}
