import { BalsaError } from "../core/index.js";
import { FileError, type FileSystem, type Lock } from "../platform/index.js";
import type { DataPaths } from "./data-directory.js";

/** One process at a time. @throws BalsaError `locked`; FileError */
export async function lockDirectory(files: FileSystem, paths: DataPaths): Promise<Lock> {
  try {
    return await files.lock(paths.lock);
  } catch (cause) {
    if (cause instanceof FileError && cause.code === "locked") {
      throw new BalsaError("locked", `${paths.dir} is in use by another process`, { cause, retryable: true });
    }
    throw cause;
  }
}
