import { ServerError } from "../server-error.js";

/** How the command ends: as it should, without success, or not begun because it was called wrongly. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

export function exitCodeOf(cause: unknown): number {
  return cause instanceof ServerError && cause.code === "invalid-option" ? EXIT.usage : EXIT.failure;
}

/** What is told of a failure: one line. */
export function lineOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.trim().replace(/\s*\n\s*/g, " ");
}
