import type { Clock, Logger, LogLevel } from "../platform/index.js";
import { LOG_INTERVAL_MS, LOG_SUBJECTS_MAX } from "./limits.js";

interface Subject {
  lastMs: number;
  leftOut: number;
}

/** A log for lines that others can provoke as often as they like: one a subject and interval, with how many were left out. */
export class ThrottledLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subjects = new Map<string, Subject>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  log(level: LogLevel, subject: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    const now = this.#clock.now();
    const known = this.#subjects.get(subject);
    if (known !== undefined && now - known.lastMs < LOG_INTERVAL_MS) {
      known.leftOut++;
      return;
    }
    // Whoever can make up subjects can only make this forget, and log a few lines more.
    if (known === undefined && this.#subjects.size >= LOG_SUBJECTS_MAX) this.#subjects.clear();
    this.#subjects.set(subject, { lastMs: now, leftOut: 0 });
    this.#logger.log(level, message, known?.leftOut ? { ...fields, leftOut: known.leftOut } : fields);
  }
}
