import type { SessionRefusal } from "./session-answer.js";
import type { SessionCall } from "./session-command.js";
import type { SessionLimits } from "./session-limits.js";

/** Where the answer to a command goes. Repetitions of a command share its slot, so that they are answered alike. */
export interface Slot {
  /** As it is handed out; undefined until the command has run. */
  answer: Uint8Array | undefined;
}

export interface Session {
  /** The index of the entry that opened it. */
  readonly id: number;
  /** The lowest sequence that its client still waits for; only grows. What is below is not remembered and not run. */
  oldestAwaited: number;
  /** By sequence: what has run, and is still awaited. */
  readonly slots: Map<number, Slot>;
}

/** What is to be done with a session's command. */
export type Verdict =
  | { readonly kind: "run"; readonly slot: Slot }
  /** It has run, or runs earlier in the same batch. */
  | { readonly kind: "repeat"; readonly slot: Slot }
  | { readonly kind: "refuse"; readonly why: SessionRefusal };

/**
 * What the group remembers of its clients (thesis §6.3): part of the replicated state, so all that happens in here follows
 * from the log, entry by entry, however entries are cut into batches. For that reason whether a command runs depends on
 * sessions, sequences and counts, which are known before anything has run, and never on how long a result came to be.
 *
 * Sessions expire by use, not by time: once there are too many, the one whose last command lies furthest back in the
 * log. A time would have to be carried in the log, by a leader whose clock can be wrong, and would let a client that
 * does nothing for an hour lose its session although there is room for it. The price: clients that open sessions without
 * end push others out. Those find out at their next command, which is refused and not run.
 */
export class SessionTable {
  readonly limits: SessionLimits;
  /** The least recently used first: a session that is used moves to the end. */
  #sessions = new Map<number, Session>();

  constructor(limits: SessionLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  open(id: number): void {
    this.#sessions.set(id, { id, oldestAwaited: 1, slots: new Map() });
    if (this.#sessions.size <= this.limits.sessionsMax) return;
    for (const leastRecentlyUsed of this.#sessions.keys()) {
      this.#sessions.delete(leastRecentlyUsed);
      break;
    }
  }

  close(id: number): void {
    this.#sessions.delete(id);
  }

  judge({ session: id, sequence, oldestAwaited }: SessionCall): Verdict {
    const session = this.#sessions.get(id);
    if (session === undefined) return { kind: "refuse", why: "unknown-session" };
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    acknowledge(session, oldestAwaited);
    // An attempt that comes in late, behind a command by which its client no longer waited for it.
    if (sequence < session.oldestAwaited) return { kind: "refuse", why: "not-awaited" };
    const known = session.slots.get(sequence);
    if (known !== undefined) return { kind: "repeat", slot: known };
    if (session.slots.size >= this.limits.resultsMax) return { kind: "refuse", why: "too-many-results" };
    const slot: Slot = { answer: undefined };
    session.slots.set(sequence, slot);
    return { kind: "run", slot };
  }

  /** The table as of now, in order: later commands don't change it. To be taken when nothing is running. */
  copy(): readonly Session[] {
    return Array.from(this.#sessions.values(), ({ id, oldestAwaited, slots }) => ({
      id,
      oldestAwaited,
      // Slots themselves are never written again once their command has run.
      slots: new Map(slots),
    }));
  }

  /** Takes the place of all that there was. */
  restore(sessions: readonly Session[]): void {
    this.#sessions = new Map(sessions.map((session) => [session.id, session]));
  }
}

/** The client has the answers to all commands before `oldestAwaited`, or has given them up. */
function acknowledge(session: Session, oldestAwaited: number): void {
  if (oldestAwaited <= session.oldestAwaited) return;
  session.oldestAwaited = oldestAwaited;
  for (const sequence of session.slots.keys()) if (sequence < oldestAwaited) session.slots.delete(sequence);
}
