import { crc32c } from "../codec/index.js";
import { invariant } from "../core/index.js";
import type { File } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import type { DiskAccess } from "./disk-access.js";
import type { DiskFile, UnsyncedOperation } from "./disk-file.js";
import { SECTOR_BYTES, SUMMED_WHOLE_BYTES_MAX } from "./limits.js";
import type { DiskCallKind } from "./sim-disk.js";
import { asZeros } from "./zeros.js";

/** What a write brings, for good: the caller may do with its buffers what it likes once the write is done. */
function taken(buffers: readonly Uint8Array[]): Uint8Array {
  const [only] = buffers;
  const zeros = buffers.length === 1 && only !== undefined ? asZeros(only) : undefined;
  if (zeros !== undefined) return zeros;
  let lengthBytes = 0;
  for (const buffer of buffers) lengthBytes += buffer.length;
  const bytes = new Uint8Array(lengthBytes);
  let at = 0;
  for (const buffer of buffers) {
    bytes.set(buffer, at);
    at += buffer.length;
  }
  return bytes;
}

/** For the trace, and to find out whether the buffers change. */
function checksum(buffers: readonly Uint8Array[]): number {
  let crc = 0;
  for (const buffer of buffers) crc = summed(buffer, crc);
  return crc;
}

function summed(buffer: Uint8Array, seed: number): number {
  const { length } = buffer;
  if (length <= SUMMED_WHOLE_BYTES_MAX) return crc32c(buffer, 0, length, seed);
  let sum = crc32c(buffer, 0, SECTOR_BYTES, seed);
  for (let at = SECTOR_BYTES; at < length; at += SECTOR_BYTES)
    sum = Math.imul(sum ^ (buffer[at] as number), 0x01000193);
  return crc32c(buffer, length - SECTOR_BYTES, length, sum);
}

/** A process' open file. */
export class SimFile implements File {
  readonly path: string;
  readonly #access: DiskAccess;
  readonly #file: DiskFile;
  readonly #writable: boolean;
  #inFlight = 0;
  #writeAndSyncUnderWay = false;
  /** The error of a sync: the file must not be used again, and here it can't be. */
  #failure: FileError | undefined;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(access: DiskAccess, path: string, file: DiskFile, writable: boolean) {
    this.#access = access;
    this.path = path;
    this.#file = file;
    this.#writable = writable;
  }

  sizeBytes(): Promise<number> {
    return this.#call("sizeBytes", [], this.#access.delayUs("metadataUs", 0), (injected) => {
      if (injected !== undefined) throw injected;
      return () => this.#file.sizeBytes;
    });
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    const delayUs = this.#access.delayUs("readUs", lengthBytes);
    return this.#call("read", [position, lengthBytes], delayUs, (injected) => {
      if (injected !== undefined) throw injected;
      if (!this.#file.isReadable(position, lengthBytes)) {
        throw new FileError("io", this.path, `${this.path}: a sector of ${position}+${lengthBytes} can't be read`);
      }
      return () => this.#file.read(position, lengthBytes);
    });
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const bytes = taken(buffers);
    const crc = checksum(buffers);
    const delayUs = this.#access.delayUs("writeUs", bytes.length);
    return this.#call("write", [position, bytes.length, crc], delayUs, (injected) => {
      this.#requireWritable();
      const failure = injected ?? this.#unreadable(position, bytes) ?? this.#shortage(position, bytes);
      const operation = this.#write(position, bytes, failure);
      if (failure !== undefined) throw failure;
      return () => {
        invariant(checksum(buffers) === crc, "the buffers of a write must not change until it settles");
        operation.completed = true;
      };
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#call("truncate", [sizeBytes], this.#access.delayUs("metadataUs", 0), (injected) => {
      this.#requireWritable();
      if (injected !== undefined) throw injected;
      const operation = this.#file.resize(this.#access.disk.nextSequence(), sizeBytes);
      return () => {
        operation.completed = true;
      };
    });
  }

  sync(): Promise<void> {
    return this.#call("sync", [], this.#access.delayUs("syncUs", 0), (injected) => this.#beginSync(injected));
  }

  writeAndSync(position: number, buffers: readonly Uint8Array[], done: (error: FileError | undefined) => void): void {
    invariant(!this.#writeAndSyncUnderWay, "one writeAndSync at a time on a file");
    const injected = this.#access.admit({ kind: "writeAndSync", path: this.path });
    if (injected === "dead") return;
    this.#writeAndSyncUnderWay = true;
    this.#inFlight += 1;
    const bytes = taken(buffers);
    const crc = checksum(buffers);
    const refusal = this.#refusal() ?? this.#readOnly();
    let endSync = (): void => {};
    const failure = refusal ?? injected ?? this.#unreadable(position, bytes) ?? this.#shortage(position, bytes);
    if (refusal === undefined) {
      this.#write(position, bytes, failure).completed = true;
      // What did not fit was written before any sync: nothing is known to be lost.
      if (failure?.code !== "full") endSync = this.#beginSync(failure);
    }
    const error = failure;
    const outcome = error === undefined ? "" : ` ${error.code}`;
    const delayUs = this.#access.delayUs("writeUs", bytes.length) + this.#access.delayUs("syncUs", 0);
    const settle = (): void => {
      invariant(checksum(buffers) === crc, "the buffers of a write must not change until it settles");
      this.#writeAndSyncUnderWay = false;
      endSync();
      this.#leave();
      done(error);
    };
    const event = this.#access.process.schedule(delayUs, "writeAndSync", this.path + outcome, settle);
    event.withNumbers(3, position, bytes.length, crc);
  }

  close(): Promise<void> {
    this.#closing ??= this.#idle().then(() =>
      this.#access.call({ kind: "close", path: this.path }, "", this.#access.delayUs("metadataUs", 0), () => () => {}),
    );
    return this.#closing;
  }

  /** Once nothing is under way. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#inFlight === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  /** One that fails leaves a part behind: as much as there is room for, or any. */
  #write(position: number, bytes: Uint8Array, failure: FileError | undefined): UnsyncedOperation {
    const { disk } = this.#access;
    const room = disk.roomFor(this.#file, position, bytes.length);
    const fitting = room < bytes.length ? bytes.subarray(0, room) : bytes;
    const reached = failure === undefined || fitting !== bytes ? fitting : this.#access.partOf(bytes);
    return this.#file.write(disk.nextSequence(), position, reached);
  }

  /** To write a part of a sector is to read it first. */
  #unreadable(position: number, bytes: Uint8Array): FileError | undefined {
    if (this.#file.isWritable(position, bytes.length)) return undefined;
    const place = `${position}+${bytes.length}`;
    return new FileError("io", this.path, `${this.path}: a sector that ${place} is a part of can't be read`);
  }

  /** The disk has no room for all of it. */
  #shortage(position: number, bytes: Uint8Array): FileError | undefined {
    const room = this.#access.disk.roomFor(this.#file, position, bytes.length);
    if (room >= bytes.length) return undefined;
    return new FileError("full", this.path, `${this.path}: the disk has room for ${room} of ${bytes.length} bytes`);
  }

  /** Returns the end of the sync. One that fails loses what it was to write. */
  #beginSync(injected: FileError | undefined): () => void {
    const covered = this.#file.beginSync();
    if (injected === undefined) return () => this.#file.endSync(covered);
    this.#failure ??= injected;
    this.#file.failSync(covered);
    return () => {};
  }

  #readOnly(): FileError | undefined {
    return this.#writable ? undefined : new FileError("closed", this.path, `${this.path} is open for reading only`);
  }

  #requireWritable(): void {
    const refusal = this.#readOnly();
    if (refusal !== undefined) throw refusal;
  }

  /** Why nothing may be done with the file any more. */
  #refusal(): FileError | undefined {
    if (this.#closing !== undefined) return new FileError("closed", this.path, `${this.path} is closed`);
    const failure = this.#failure;
    if (failure === undefined) return undefined;
    return new FileError(failure.code, this.path, `${this.path} failed before: ${failure.message}`, failure);
  }

  /** One use of the open file. */
  async #call<Result>(
    kind: DiskCallKind,
    numbers: readonly number[],
    delayUs: number,
    start: (injected: FileError | undefined) => () => Result,
  ): Promise<Result> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    this.#inFlight += 1;
    try {
      return await this.#access.call({ kind, path: this.path }, "", delayUs, start, numbers);
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }
}
