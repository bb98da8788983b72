import { BalsaError } from "../core/index.js";
import {
  RESULT_BYTES_CEILING,
  RESULT_BYTES_MAX,
  RESULTS_CEILING,
  RESULTS_MAX,
  SESSIONS_CEILING,
  SESSIONS_MAX,
} from "./limits.js";

/**
 * How much is remembered. Like the state machine's code, this decides what a command does: it must be the same on every
 * member and for the whole life of the group, and a snapshot that was taken under other limits is refused.
 */
export interface SessionLimits {
  /** Sessions; one more, and the least recently used of them expires. Default 1,024. */
  readonly sessionsMax: number;
  /** Results that a session holds, and so commands that it may have under way. Default 32. */
  readonly resultsMax: number;
  /** Bytes of one result; the caller of a command that gives a longer one gets an error instead. Default 4,096. */
  readonly resultBytesMax: number;
}

/** @throws BalsaError `invalid-argument`, saying which option and what to do. */
export function checkSessionLimits(options: Partial<SessionLimits>): SessionLimits {
  const limits: SessionLimits = {
    sessionsMax: options.sessionsMax ?? SESSIONS_MAX,
    resultsMax: options.resultsMax ?? RESULTS_MAX,
    resultBytesMax: options.resultBytesMax ?? RESULT_BYTES_MAX,
  };
  requireCount("sessionsMax", limits.sessionsMax, 1, SESSIONS_CEILING);
  requireCount("resultsMax", limits.resultsMax, 1, RESULTS_CEILING);
  requireCount("resultBytesMax", limits.resultBytesMax, 0, RESULT_BYTES_CEILING);
  return limits;
}

function requireCount(option: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    const problem = `is ${value}; it must be an integer between ${min} and ${max}`;
    throw new BalsaError("invalid-argument", `option ${option} ${problem}`);
  }
}
