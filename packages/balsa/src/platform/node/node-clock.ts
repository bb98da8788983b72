import { performance } from "node:perf_hooks";
import { invariant } from "../../core/index.js";
import type { Clock, Timer } from "../index.js";

/** What a 32-bit signed count of milliseconds holds, 24.8 days: Node fires longer timers at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

class NodeTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;
  constructor(delayMs: number, fire: () => void) {
    // Rounded up, since Node cuts fractions off. It counts in whole milliseconds, so it may still be up to 1 ms early.
    this.#timeout = setTimeout(fire, Math.ceil(delayMs));
  }
  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

export const nodeClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs: number, fire: () => void): Timer {
    invariant(delayMs >= 0 && delayMs <= TIMER_MS_MAX, "a timer's delay must lie between 0 and 2^31-1 ms");
    return new NodeTimer(delayMs, fire);
  },
  nextTurn(turn: () => void): void {
    setImmediate(turn);
  },
};
