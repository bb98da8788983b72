import type { Clock, Timer } from "../platform/index.js";
import { TICKS_AT_ONCE_MAX } from "./limits.js";

/** Turns monotonic time into the core's ticks. */
export class Ticker {
  private timer: Timer | undefined;
  private dueMs = 0;
  private readonly clock: Clock;
  private readonly tickMs: number;
  private readonly onTick: () => void;
  /** Made once. */
  private readonly onTimer = (): void => this.fire();

  constructor(clock: Clock, tickMs: number, onTick: () => void) {
    this.clock = clock;
    this.tickMs = tickMs;
    this.onTick = onTick;
  }

  start(): void {
    this.dueMs = this.clock.now() + this.tickMs;
    this.arm();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private arm(): void {
    this.timer = this.clock.setTimer(Math.max(0, this.dueMs - this.clock.now()), this.onTimer);
  }

  private fire(): void {
    const now = this.clock.now();
    // A stall (a paused process, a blocked loop) is no reason to burn through an election timeout at once: what the
    // peers sent meanwhile is still to be read. Time that is not made up for is forgotten.
    for (let ticks = 0; this.dueMs <= now && ticks < TICKS_AT_ONCE_MAX; ticks++) {
      this.dueMs += this.tickMs;
      this.onTick();
      if (this.timer === undefined) return;
    }
    if (this.dueMs <= now) this.dueMs = now + this.tickMs;
    this.arm();
  }
}
