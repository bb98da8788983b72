import { ServerError } from "../server-error.js";
import { SeedNotRun } from "../sim/worker-pool.js";

/**
 * How the command ends: as it should; without success; not begun because it was called wrongly; broken off, so that nothing
 * is known of what it was to find out; or told to stop, as a shell has it for a signal.
 */
export const EXIT = { ok: 0, failure: 1, usage: 2, brokenOff: 3, interrupted: 130 } as const;

export function exitCodeOf(cause: unknown): number {
  return cause instanceof ServerError && cause.code === "invalid-option" ? EXIT.usage : EXIT.failure;
}

/** What is told of a failure: one line. */
export function lineOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.trim().replace(/\s*\n\s*/g, " ");
}

/** The same; of a failure that nobody expected, where it came from as well. */
export function toldOf(cause: unknown): string {
  if (cause instanceof SeedNotRun) return `${cause.message}\n${cause.reason}`;
  return cause instanceof Error && !isExpected(cause) ? (cause.stack ?? cause.message) : lineOf(cause);
}

/** It has a code, as ours have and the operating system's: its message says it all. */
function isExpected(cause: Error): boolean {
  return "code" in cause;
}
