import type { Clock, Timer } from "../../src/platform/index.js";

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/** A macrotask: everything that promises had left to do is done by then. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that passes only when told to. Events fire one at a time, in order of time, then of arming. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #events: Event[] = [];

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + delayMs, order: this.#order++, fire, cancelled: false };
    this.#events.push(event);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  nextTurn(turn: () => void): void {
    this.setTimer(0, turn);
  }

  /** Timers that are armed: none may be left when everything is closed. */
  get armed(): number {
    return this.#events.filter((event) => !event.cancelled).length;
  }

  /** Lets that much time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    while (await this.#step(endMs));
    this.#nowMs = endMs;
  }

  /** Time passes, and nothing happens meanwhile: what was due comes late, in its order. */
  skip(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** Lets time pass until something holds. Fails the test if it does not come to that. */
  async until(what: string, holds: () => boolean, limitMs: number = 30_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await settled();
    while (!holds()) {
      if (!(await this.#step(endMs))) throw new Error(`not within ${limitMs} ms: ${what}`);
    }
  }

  async #step(endMs: number): Promise<boolean> {
    this.#events = this.#events.filter((event) => !event.cancelled);
    let next: Event | undefined;
    for (const event of this.#events) {
      if (next === undefined || event.atMs < next.atMs || (event.atMs === next.atMs && event.order < next.order)) {
        next = event;
      }
    }
    if (next === undefined || next.atMs > endMs) return false;
    next.cancelled = true;
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.fire();
    await settled();
    return true;
  }
}
