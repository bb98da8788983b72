import type { Clock } from "../platform/index.js";

/** A rate of bytes, for whoever shares it: what is taken too early is waited for. */
export class ByteBudget {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** What may be taken at once after a pause is what these earn. */
  readonly #burstMs: number;
  /** Up to when all that was taken is earned, by the clock. */
  #earnedAtMs = Number.NEGATIVE_INFINITY;

  /** @param bytesPerS Infinity = no limit */
  constructor(clock: Clock, bytesPerS: number, burstMs: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerS / 1000;
    this.#burstMs = burstMs;
  }

  /** Takes so many bytes; gives how long to wait before they are used, ms. */
  take(bytes: number): number {
    const now = this.#clock.now();
    const from = Math.max(this.#earnedAtMs, now - this.#burstMs);
    this.#earnedAtMs = from + bytes / this.#bytesPerMs;
    return Math.max(0, from - now);
  }
}
