import type { Clock, Timer } from "../platform/index.js";
import { PING_INTERVAL_MS } from "./limits.js";

/** Calls all who want it once an interval, with one timer: a member has some ten links, and at rest little else to do. */
export class Pulse {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  /** While there is anybody to call. */
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(listener: () => void): void {
    this.#listeners.add(listener);
    if (this.#timer === undefined) this.#arm();
  }

  remove(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(PING_INTERVAL_MS, () => this.#beat());
  }

  #beat(): void {
    this.#arm();
    // One that ends its link takes itself out, and may take out others with it.
    for (const listener of this.#listeners) listener();
  }
}
