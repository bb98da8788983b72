import { invariant } from "../core/index.js";
import type { Timeline } from "./timeline.js";

/** What virtual time 0 is on the calendar: 2026-01-01 UTC, ms since 1970. */
const WALL_TIME_ORIGIN_MS = 1_767_225_600_000;

/** Someone whose timers have to be set anew when the machine's time runs at another rate. */
export interface RateListener {
  rateChanged(): void;
}

/**
 * A machine's own time: virtual time, run through at a rate. It goes on whatever becomes of the machine's processes. The
 * calendar can be set; monotonic time can't.
 */
export class MachineClock {
  readonly #timeline: Timeline;
  #rate = 1;
  /** When the rate was set last: virtual, and by this clock. */
  #sinceUs = 0;
  #localSinceUs = 0;
  #jumpedMs = 0;
  #listener: RateListener | undefined;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The one process that this machine runs. */
  serve(listener: RateListener): void {
    this.#listener = listener;
  }

  /** Whole µs since the world began, by this clock. */
  get nowUs(): number {
    const elapsedUs = this.#timeline.nowUs - this.#sinceUs;
    return this.#localSinceUs + (this.#rate === 1 ? elapsedUs : Math.floor(elapsedUs * this.#rate));
  }

  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    invariant(rate > 0 && rate < 1e6, "a clock's rate must be above 0, and not absurd");
    this.#localSinceUs = this.nowUs;
    this.#sinceUs = this.#timeline.nowUs;
    this.#rate = rate;
    this.#listener?.rateChanged();
  }

  /** What people's clocks show. */
  get wallTimeMs(): number {
    return WALL_TIME_ORIGIN_MS + this.#jumpedMs + Math.floor(this.nowUs / 1000);
  }

  /** Somebody sets the calendar, forwards or back. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs;
  }

  /** How long, in virtual time, until this clock has gone on so far. */
  virtualUs(localUs: number): number {
    return this.#rate === 1 ? localUs : Math.ceil(localUs / this.#rate);
  }
}
