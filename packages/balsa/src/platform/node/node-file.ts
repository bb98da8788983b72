import * as fs from "node:fs";
import { invariant } from "../../core/index.js";
import type { File } from "../index.js";
import { FileError } from "../index.js";
import { isTransient, toFileError, toSyncError } from "./file-error.js";
import { INLINE_WRITE_BYTES_MAX, TRANSIENT_RETRIES_MAX } from "./limits.js";

type Done = (error: FileError | undefined) => void;

function lengthOf(buffers: readonly Uint8Array[]): number {
  let lengthBytes = 0;
  for (const buffer of buffers) lengthBytes += buffer.length;
  return lengthBytes;
}

/** What is left of the buffers after their first `skipBytes`. */
function remainder(buffers: readonly Uint8Array[], skipBytes: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = skipBytes;
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return rest;
}

/** Writes all of it on the event loop. @throws the system's error */
function writeAllSync(fd: number, position: number, buffers: readonly Uint8Array[], lengthBytes: number): void {
  let written = 0;
  let transients = 0;
  let rest = buffers;
  while (written < lengthBytes) {
    try {
      const count = fs.writevSync(fd, rest, position + written);
      if (count === 0) throw new Error("the system wrote nothing");
      written += count;
      transients = 0;
    } catch (error) {
      transients += 1;
      if (!isTransient(error) || transients > TRANSIENT_RETRIES_MAX) throw error;
    }
    if (written < lengthBytes) rest = remainder(buffers, written);
  }
}

/** A file of the operating system. */
export class NodeFile implements File {
  readonly path: string;
  readonly #fd: number;
  /** Calls under way that use the descriptor; it is not closed under them, since its number would be given out anew. */
  #inFlight = 0;
  #writeAndSyncUnderWay = false;
  /** The error of a sync. The kernel may have dropped the pages: a second sync that succeeds would lie. */
  #failure: FileError | undefined;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  sizeBytes(): Promise<number> {
    return this.#call((settle) => fs.fstat(this.#fd, (error, stats) => settle(error, stats?.size)));
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    // Not filled with zeros first: all that is handed out is read into it, or cut off.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
    return this.#call((settle) => {
      this.#readFrom(bytes, position, 0, 0, (error, count) => {
        // A view of a mostly empty buffer would keep all of it alive.
        settle(error, count === lengthBytes ? bytes : bytes.slice(0, count));
      });
    });
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    return this.#call((settle) => this.#writeFrom(position, buffers, lengthOf(buffers), 0, settle));
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#call((settle) => fs.ftruncate(this.#fd, sizeBytes, settle));
  }

  async sync(): Promise<void> {
    try {
      await this.#call((settle) => fs.fdatasync(this.#fd, (error) => settle(error && toSyncError(error, this.path))));
    } catch (error) {
      this.#failure ??= toFileError(error, this.path);
      throw error;
    }
  }

  writeAndSync(position: number, buffers: readonly Uint8Array[], done: Done): void {
    invariant(!this.#writeAndSyncUnderWay, "one writeAndSync at a time on a file");
    this.#writeAndSyncUnderWay = true;
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      setImmediate(() => {
        this.#writeAndSyncUnderWay = false;
        done(refusal);
      });
      return;
    }
    this.#inFlight += 1;
    const finish = (failure: FileError | undefined): void => {
      this.#writeAndSyncUnderWay = false;
      if (failure?.code !== "full") this.#failure ??= failure;
      this.#leave();
      done(failure);
    };
    const synced = (error: Error | null): void => {
      finish(error === null ? undefined : toSyncError(error, this.path));
    };
    // The fastest that was measured: the write on the loop, the sync in the thread pool.
    const lengthBytes = lengthOf(buffers);
    if (lengthBytes > INLINE_WRITE_BYTES_MAX) {
      this.#writeFrom(position, buffers, lengthBytes, 0, (error) => {
        if (error === null) fs.fdatasync(this.#fd, synced);
        else finish(toFileError(error, this.path));
      });
      return;
    }
    try {
      writeAllSync(this.#fd, position, buffers, lengthBytes);
    } catch (error) {
      setImmediate(finish, toFileError(error, this.path));
      return;
    }
    fs.fdatasync(this.#fd, synced);
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve, reject) => {
      const closeDescriptor = (): void => {
        fs.close(this.#fd, (error) => (error ? reject(toFileError(error, this.path)) : resolve()));
      };
      if (this.#inFlight === 0) closeDescriptor();
      else this.#onIdle = closeDescriptor;
    });
    return this.#closing;
  }

  /** Why nothing may be done with the file any more. */
  #refusal(): FileError | undefined {
    if (this.#closing !== undefined) return new FileError("closed", this.path, `${this.path} is closed`);
    const failure = this.#failure;
    if (failure === undefined) return undefined;
    return new FileError(failure.code, this.path, `${this.path} failed before: ${failure.message}`, failure);
  }

  /** One use of the descriptor. */
  #call<Result>(start: (settle: (error: Error | null | undefined, result?: Result) => void) => void): Promise<Result> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#inFlight += 1;
    return new Promise((resolve, reject) => {
      start((error, result) => {
        this.#leave();
        if (error) reject(toFileError(error, this.path));
        else resolve(result as Result);
      });
    });
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #readFrom(
    bytes: Uint8Array,
    position: number,
    have: number,
    transients: number,
    settle: (error: Error | null, count: number) => void,
  ): void {
    fs.read(this.#fd, bytes, have, bytes.length - have, position + have, (error, count) => {
      if (error !== null) {
        if (isTransient(error) && transients < TRANSIENT_RETRIES_MAX) {
          this.#readFrom(bytes, position, have, transients + 1, settle);
        } else {
          settle(error, have);
        }
        return;
      }
      const total = have + count;
      if (count === 0 || total === bytes.length) settle(null, total);
      else this.#readFrom(bytes, position, total, 0, settle);
    });
  }

  #writeFrom(
    position: number,
    buffers: readonly Uint8Array[],
    lengthBytes: number,
    transients: number,
    settle: (error: Error | null) => void,
  ): void {
    fs.writev(this.#fd, buffers, position, (error, count) => {
      if (error !== null) {
        if (isTransient(error) && transients < TRANSIENT_RETRIES_MAX) {
          this.#writeFrom(position, buffers, lengthBytes, transients + 1, settle);
        } else {
          settle(error);
        }
        return;
      }
      if (count === lengthBytes) settle(null);
      else if (count === 0) settle(new Error("the system wrote nothing"));
      else this.#writeFrom(position + count, remainder(buffers, count), lengthBytes - count, 0, settle);
    });
  }
}
