import { invariant } from "../core/index.js";
import type { Clock, Timer } from "../platform/index.js";
import type { SimEvent } from "./event-queue.js";
import type { SimProcess } from "./sim-process.js";

/** What virtual time 0 is on the calendar: 2026-01-01 UTC, ms since 1970. */
const WALL_TIME_ORIGIN_MS = 1_767_225_600_000;

class SimTimer implements Timer {
  readonly #process: SimProcess;
  readonly #event: SimEvent;
  constructor(process: SimProcess, event: SimEvent) {
    this.#process = process;
    this.#event = event;
  }
  cancel(): void {
    this.#process.timeline.cancel(this.#event);
  }
}

/** A process' clock. Its origin differs from process to process, as it does in life. */
export class SimClock implements Clock {
  readonly #process: SimProcess;
  readonly #originUs: number;

  constructor(process: SimProcess, originUs: number) {
    this.#process = process;
    this.#originUs = originUs;
  }

  now(): number {
    return (this.#originUs + this.#process.timeline.nowUs) / 1000;
  }

  wallTime(): number {
    return WALL_TIME_ORIGIN_MS + Math.floor(this.#process.timeline.nowUs / 1000);
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    // The same door as the real clock's.
    invariant(delayMs >= 0 && delayMs < 2 ** 31, "a timer's delay must lie between 0 and 2^31-1 ms");
    return new SimTimer(this.#process, this.#process.schedule(Math.ceil(delayMs * 1000), "timer", "", fire));
  }

  /** After all that is already due at this instant: an event of the same time, last in sequence. */
  nextTurn(turn: () => void): void {
    this.#process.schedule(0, "turn", "", turn);
  }
}
