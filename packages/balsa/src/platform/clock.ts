export interface Timer {
  /** No effect once it fired. */
  cancel(): void;
}

/** Time, as everything above the platform sees it. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin, with a fraction. */
  now(): number;
  /** Milliseconds since 1970. For logs and for people; decides nothing about safety. */
  wallTime(): number;
  /** `delayMs` from 0 to 2^31 - 1. Never fires within the call; may be up to 1 ms early. */
  setTimer(delayMs: number, fire: () => void): Timer;
  /** Runs `turn` once everything that has arrived by now has been delivered: the end of this turn of the event loop. */
  nextTurn(turn: () => void): void;
}
