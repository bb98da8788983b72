import type { FileErrorCode } from "../index.js";
import { FileError } from "../index.js";

function errnoOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function codeOf(errno: string): FileErrorCode {
  switch (errno) {
    case "ENOENT":
    case "ENOTDIR":
      return "not-found";
    case "EEXIST":
      return "exists";
    case "ENOSPC":
    case "EDQUOT":
      return "full";
    case "EMFILE":
    case "ENFILE":
      return "too-many-open";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "denied";
    case "EBADF":
      return "closed";
    default:
      return "io";
  }
}

/** What the operating system said, as the platform's one error. */
export function toFileError(error: unknown, path: string): FileError {
  if (error instanceof FileError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FileError(codeOf(errnoOf(error)), path, message, error);
}

/** Of a sync: what lacked room was in the cache already, and is lost. No write can be tried again (File.writeAndSync). */
export function toSyncError(error: unknown, path: string): FileError {
  const failure = toFileError(error, path);
  return failure.code === "full" ? new FileError("io", path, failure.message, error) : failure;
}

/** Interrupted by a signal, or momentarily not possible: worth the same call again. */
export function isTransient(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "EINTR" || errno === "EAGAIN";
}
