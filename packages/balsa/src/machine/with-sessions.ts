import { BalsaError, invariant, unreachable } from "../core/index.js";
import type { Command, StateMachine } from "../node/index.js";
import { encodeSessionAnswer, type SessionRefusal } from "./session-answer.js";
import { decodeSessionCommand, encodeSessionCommand, type SessionCommand } from "./session-command.js";
import { checkSessionLimits, type SessionLimits } from "./session-limits.js";
import { readSessionSection, writeSessionSection } from "./session-section.js";
import { SessionTable, type Slot } from "./session-table.js";
import { StreamReader } from "./stream-reader.js";

/** A state machine that applies the commands of sessions once each. */
export interface SessionedStateMachine extends StateMachine {
  /** Sessions that are remembered now. */
  readonly sessions: number;
}

/**
 * The same state machine, to be given to `RaftNode.open` in its place: what `Session` proposes takes effect once, however
 * often it is proposed, across snapshots and restarts. What is proposed by other ways must be made by `withoutSession`.
 * @throws BalsaError `invalid-argument`
 */
export function withSessions(machine: StateMachine, options: Partial<SessionLimits> = {}): SessionedStateMachine {
  return new SessionMachine(machine, checkSessionLimits(options));
}

/**
 * A command of no session, for a state machine with sessions: one that does no harm if it takes effect twice. `resultOf`
 * reads what `propose` gives for it.
 */
export function withoutSession(payload: Uint8Array): Uint8Array {
  return encodeSessionCommand({ kind: "plain", payload });
}

class SessionMachine implements SessionedStateMachine {
  readonly #machine: StateMachine;
  readonly #table: SessionTable;

  constructor(machine: StateMachine, limits: SessionLimits) {
    this.#machine = machine;
    this.#table = new SessionTable(limits);
  }

  get sessions(): number {
    return this.#table.size;
  }

  apply(batch: readonly Command[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    const running = new RunningBatch();
    const slots = batch.map((command) => this.#take(command, running));
    if (running.commands.length === 0) return answersOf(slots);
    const results = this.#machine.apply(running.commands);
    if (results instanceof Promise) {
      return results.then((late) => {
        running.finish(late);
        return answersOf(slots);
      });
    }
    running.finish(results);
    return answersOf(slots);
  }

  /** As of the call, which is when the first piece is asked for: of the table as well as of the state behind it. */
  async *snapshot(): AsyncIterable<Uint8Array> {
    const sessions = this.#table.copy();
    const content = this.#machine.snapshot();
    const pieces = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
    try {
      // The state machine may copy what it needs when it is asked for its first piece: now, not behind the table.
      const first = pieces.next();
      // A rejection is seen where the piece is awaited.
      if (first instanceof Promise) first.catch(() => {});
      yield* writeSessionSection(sessions, this.#table.limits);
      for (let piece = await first; piece.done !== true; piece = await pieces.next()) yield piece.value;
    } finally {
      await pieces.return?.();
    }
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = new StreamReader(content);
    const sessions = await readSessionSection(stream, this.#table.limits);
    await this.#machine.restore(stream.rest());
    this.#table.restore(sessions);
  }

  /** Decides what becomes of one command; what is to run joins `running`. */
  #take({ index, term, data }: Command, running: RunningBatch): Slot {
    const command = decoded(data);
    if (command === undefined) return refused("malformed");
    switch (command.kind) {
      case "open": {
        const { resultsMax } = this.#table.limits;
        this.#table.open(index);
        return { answer: encodeSessionAnswer({ kind: "opened", session: index, resultsMax }) };
      }
      case "close":
        this.#table.close(command.session);
        return CLOSED;
      case "plain": {
        const slot: Slot = { answer: undefined };
        running.add({ index, term, data: command.payload }, slot, Number.POSITIVE_INFINITY);
        return slot;
      }
      case "call": {
        const verdict = this.#table.judge(command);
        if (verdict.kind === "refuse") return refused(verdict.why);
        if (verdict.kind === "run") {
          running.add({ index, term, data: command.payload }, verdict.slot, this.#table.limits.resultBytesMax);
        }
        return verdict.slot;
      }
      default:
        throw unreachable(command satisfies never);
    }
  }
}

/** The commands of a batch that run, and where their answers go. */
class RunningBatch {
  readonly commands: Command[] = [];
  readonly #slots: Slot[] = [];
  readonly #bytesMax: number[] = [];

  /** @param resultBytesMax of the longest result that is handed out */
  add(command: Command, slot: Slot, resultBytesMax: number): void {
    this.commands.push(command);
    this.#slots.push(slot);
    this.#bytesMax.push(resultBytesMax);
  }

  finish(results: readonly Uint8Array[]): void {
    invariant(results.length === this.commands.length, "state machine: apply must give one result for each command");
    for (const [at, { index, term }] of this.commands.entries()) {
      const result = results[at];
      const slot = this.#slots[at];
      invariant(result !== undefined && slot !== undefined, "state machine: every result is bytes");
      // Refused also where it could be handed out this once: a limit that is there always is met in the first test, one
      // that is there for repetitions only would be met on a bad day.
      const kept = result.length <= (this.#bytesMax[at] as number);
      slot.answer = encodeSessionAnswer(
        kept ? { kind: "result", index, term, result } : { kind: "result-too-large", index, term },
      );
    }
  }
}

const CLOSED: Slot = { answer: encodeSessionAnswer({ kind: "closed" }) };

function refused(why: SessionRefusal): Slot {
  return { answer: encodeSessionAnswer({ kind: "refused", why }) };
}

function answersOf(slots: readonly Slot[]): readonly Uint8Array[] {
  return slots.map(({ answer }) => {
    invariant(answer !== undefined, "sessions: all that runs is answered");
    return answer;
  });
}

/** undefined: not a command of ours. It is in the log for good, so it is answered, the same everywhere. */
function decoded(data: Uint8Array): SessionCommand | undefined {
  try {
    return decodeSessionCommand(data);
  } catch (cause) {
    if (cause instanceof BalsaError && cause.code === "corrupt") return undefined;
    throw cause;
  }
}
