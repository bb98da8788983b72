import { BalsaError } from "../core/index.js";
import type { CallBounds } from "./attempts.js";
import { WAITING_CALLS_MAX } from "./limits.js";
import type { SessionMember } from "./session-member.js";

interface Waiting {
  admit(): void;
  refuse(error: BalsaError): void;
}

/**
 * Gives the calls of a session their sequence numbers, in order, no further ahead of the oldest one still under way than
 * the group has room for results: then none is ever refused for want of room.
 */
export class SequenceWindow {
  isClosed = false;
  readonly #clock: SessionMember["clock"];
  readonly #size: number;
  #next = 1;
  /** Under way, in the order of their numbers. */
  readonly #entered = new Set<number>();
  readonly #waiting = new Set<Waiting>();

  constructor(clock: SessionMember["clock"], size: number) {
    this.#clock = clock;
    this.#size = size;
  }

  /** The lowest number under way; the next one, if none is. */
  get oldest(): number {
    for (const sequence of this.#entered) return sequence;
    return this.#next;
  }

  /**
   * A number, once it is its turn.
   * @throws BalsaError `timeout`, `aborted`, `overloaded`, `closed`: the call has not begun
   */
  enter(bounds: CallBounds): Promise<number> | number {
    if (this.isClosed) throw closed();
    if (this.#hasRoom && this.#waiting.size === 0) return this.#take();
    if (this.#waiting.size >= WAITING_CALLS_MAX) {
      throw new BalsaError("overloaded", "session: too many calls wait for their turn", { retryable: true });
    }
    return this.#wait(bounds);
  }

  leave(sequence: number): void {
    this.#entered.delete(sequence);
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom) return;
      waiting.admit();
    }
  }

  close(): void {
    this.isClosed = true;
    for (const waiting of this.#waiting) waiting.refuse(closed());
  }

  get #hasRoom(): boolean {
    return this.#next - this.oldest < this.#size;
  }

  #take(): number {
    const sequence = this.#next++;
    this.#entered.add(sequence);
    return sequence;
  }

  #wait({ deadlineMs, signal }: CallBounds): Promise<number> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(waiting);
        timer.cancel();
        signal?.removeEventListener("abort", abort);
      };
      const waiting: Waiting = {
        admit: () => {
          end();
          resolve(this.#take());
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const abort = (): void => waiting.refuse(new BalsaError("aborted", "session: the caller's signal fired"));
      const leftMs = Math.max(0, deadlineMs - this.#clock.now());
      const timer = this.#clock.setTimer(Math.ceil(leftMs), () => {
        waiting.refuse(new BalsaError("timeout", "session: not its turn in time", { retryable: true }));
      });
      signal?.addEventListener("abort", abort);
      this.#waiting.add(waiting);
      if (signal?.aborted === true) abort();
    });
  }
}

function closed(): BalsaError {
  return new BalsaError("closed", "session: it is closed");
}
