import type { Clock, Timer } from "../../src/platform/index.js";

/** Time that passes only when the test says so. */
export class HandClock implements Clock {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly fire: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  nextTurn(turn: () => void): void {
    setImmediate(turn);
  }

  get timers(): number {
    return this.#timers.length;
  }

  pass(delayMs: number): void {
    this.#nowMs += delayMs;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > this.#nowMs);
    for (const { fire } of due) fire();
  }
}
