import { BalsaError } from "../core/index.js";
import { FileError } from "../platform/index.js";

/** Where bytes are not what was written, as exactly as is known. */
export interface Damage {
  readonly file: string;
  /** In the file, in bytes. */
  readonly offset: number;
  readonly reason: string;
  /** The entry, or the first of those that can't be vouched for; undefined where none is concerned. */
  readonly index?: number | undefined;
  /** Its term; undefined = not known. */
  readonly term?: number | undefined;
}

/** What an operator has to know: file, offset, index, term. */
export function corruption(damage: Damage, cause?: unknown): BalsaError {
  const { file, offset, index, term, reason } = damage;
  const entry = index === undefined ? "" : `, index ${index}, term ${term ?? "unknown"}`;
  return new BalsaError("corrupt", `${file} is damaged at offset ${offset}${entry}: ${reason}`, { cause });
}

/**
 * The same, where a decoder (which knows neither file nor offset) said what is wrong, or that the file is somebody else's;
 * anything else passes through.
 */
export function located(cause: unknown, file: string, offset: number): unknown {
  if (isCorrupt(cause)) return corruption({ file, offset, reason: cause.message }, cause);
  if (cause instanceof BalsaError && cause.code === "identity-mismatch") {
    return new BalsaError("identity-mismatch", `${file}: ${cause.message}`, { cause });
  }
  return cause;
}

/** Bytes are not what was written, or can't be read. No room, no descriptor, another's file: those are none. */
export function isDamage(cause: unknown): boolean {
  return isCorrupt(cause) || isUnreadable(cause);
}

/** Bytes are not what was written. */
export function isCorrupt(cause: unknown): cause is BalsaError {
  return cause instanceof BalsaError && cause.code === "corrupt";
}

/** Said by the file system, or by the library for it. */
export function isUnreadable(cause: unknown): boolean {
  const said = cause instanceof BalsaError && cause.code === "storage-failed" ? cause.cause : cause;
  return said instanceof FileError && said.code === "io";
}

/** What the file system said, as the library's error; anything else passes through. */
export function storageFailure(action: string, cause: unknown): unknown {
  if (!(cause instanceof FileError)) return cause;
  if (cause.code === "full") {
    return new BalsaError("disk-full", `${action}: ${cause.message}`, { cause, retryable: true });
  }
  return new BalsaError("storage-failed", `${action}: ${cause.message}`, { cause });
}

export function isNotFound(cause: unknown): boolean {
  return cause instanceof FileError && cause.code === "not-found";
}
