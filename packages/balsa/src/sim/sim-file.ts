import { invariant } from "../core/index.js";
import type { File } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import type { DiskAccess } from "./disk-access.js";
import type { DiskFile, UnsyncedOperation } from "./disk-file.js";
import type { DiskCallKind } from "./sim-disk.js";
import { LateWord } from "./trace.js";
import { Written } from "./written.js";

/** A `writeAndSync` on its way: what its event needs. */
class SyncedWrite {
  readonly written: Written;
  /** What its sync covers; undefined if there is none, or it failed. */
  readonly covered: readonly UnsyncedOperation[] | undefined;
  readonly error: FileError | undefined;
  readonly done: (error: FileError | undefined) => void;
  readonly #file: SimFile;

  constructor(
    file: SimFile,
    written: Written,
    covered: readonly UnsyncedOperation[] | undefined,
    error: FileError | undefined,
    done: (error: FileError | undefined) => void,
  ) {
    this.#file = file;
    this.written = written;
    this.covered = covered;
    this.error = error;
    this.done = done;
  }

  settle(): void {
    this.#file.settle(this);
  }
}

function settle(write: SyncedWrite): void {
  write.settle();
}

/** A process' open file. */
export class SimFile implements File {
  readonly path: string;
  readonly #access: DiskAccess;
  readonly #file: DiskFile;
  readonly #writable: boolean;
  readonly #name: LateWord;
  readonly #left = (): void => this.#leave();
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
    this.#name = new LateWord(path);
  }

  sizeBytes(): Promise<number> {
    return this.#call("sizeBytes", [], this.#access.delayUs(this.#access.timing.metadataUs, 0), (injected) => {
      if (injected !== undefined) throw injected;
      return () => this.#file.sizeBytes;
    });
  }

  read(position: number, lengthBytes: number): Promise<Uint8Array> {
    const delayUs = this.#access.delayUs(this.#access.timing.readUs, lengthBytes);
    return this.#call("read", [position, lengthBytes], delayUs, (injected) => {
      if (injected !== undefined) throw injected;
      if (!this.#file.isReadable(position, lengthBytes)) {
        throw new FileError("io", this.path, `${this.path}: a sector of ${position}+${lengthBytes} can't be read`);
      }
      return () => this.#file.read(position, lengthBytes);
    });
  }

  write(position: number, buffers: readonly Uint8Array[]): Promise<void> {
    const written = new Written(buffers);
    const { bytes } = written;
    const delayUs = this.#access.delayUs(this.#access.timing.writeUs, bytes.length);
    return this.#call("write", [position, bytes.length, written.checksum], delayUs, (injected) => {
      this.#requireWritable();
      const failure = injected ?? this.#unreadable(position, bytes) ?? this.#shortage(position, bytes);
      const operation = this.#write(position, bytes, failure);
      if (failure !== undefined) throw failure;
      return () => {
        invariant(written.isUnchanged, "the buffers of a write must not change until it settles");
        operation.completed = true;
      };
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#call("truncate", [sizeBytes], this.#access.delayUs(this.#access.timing.metadataUs, 0), (injected) => {
      this.#requireWritable();
      if (injected !== undefined) throw injected;
      const operation = this.#file.resize(this.#access.disk.nextSequence(), sizeBytes);
      return () => {
        operation.completed = true;
      };
    });
  }

  sync(): Promise<void> {
    return this.#call("sync", [], this.#access.delayUs(this.#access.timing.syncUs, 0), (injected) => {
      const covered = this.#beginSync(injected);
      return () => {
        if (covered !== undefined) this.#file.endSync(covered);
      };
    });
  }

  writeAndSync(position: number, buffers: readonly Uint8Array[], done: (error: FileError | undefined) => void): void {
    invariant(!this.#writeAndSyncUnderWay, "one writeAndSync at a time on a file");
    const injected = this.#access.admit("writeAndSync", this.path);
    if (injected === "dead") return;
    this.#writeAndSyncUnderWay = true;
    this.#inFlight += 1;
    const written = new Written(buffers);
    const { bytes, checksum } = written;
    const refusal = this.#refusal() ?? this.#readOnly();
    const failure = refusal ?? injected ?? this.#unreadable(position, bytes) ?? this.#shortage(position, bytes);
    let covered: readonly UnsyncedOperation[] | undefined;
    if (refusal === undefined) {
      this.#write(position, bytes, failure).completed = true;
      // What did not fit was written before any sync: nothing is known to be lost.
      if (failure?.code !== "full") covered = this.#beginSync(failure);
    }
    const access = this.#access;
    const { writeUs, syncUs } = access.timing;
    const delayUs = access.delayUs(writeUs, bytes.length) + access.delayUs(syncUs, 0);
    const kind = access.writeAndSync.in(access.process.timeline.trace);
    const detail = access.wordOf(this.#name, failure === undefined ? "" : ` ${failure.code}`);
    const write = new SyncedWrite(this, written, covered, failure, done);
    const event = access.process.scheduleFor(delayUs, kind, detail, write, settle);
    event.withNumbers(3, position, bytes.length, checksum);
  }

  /** The end of a `writeAndSync`. */
  settle({ written, covered, error, done }: SyncedWrite): void {
    invariant(written.isUnchanged, "the buffers of a write must not change until it settles");
    this.#writeAndSyncUnderWay = false;
    if (covered !== undefined) this.#file.endSync(covered);
    this.#leave();
    done(error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#idle().then(() => {
      const delayUs = this.#access.delayUs(this.#access.timing.metadataUs, 0);
      return this.#access.call("close", this.path, this.#name, delayUs, () => () => {});
    });
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

  /** What the sync covers. One that fails loses what it was to write. */
  #beginSync(injected: FileError | undefined): readonly UnsyncedOperation[] | undefined {
    const covered = this.#file.beginSync();
    if (injected === undefined) return covered;
    this.#failure ??= injected;
    this.#file.failSync(covered);
    return undefined;
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
  #call<Result>(
    kind: DiskCallKind,
    numbers: readonly number[],
    delayUs: number,
    start: (injected: FileError | undefined) => () => Result,
  ): Promise<Result> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#inFlight += 1;
    return this.#access.call(kind, this.path, this.#name, delayUs, start, numbers, this.#left);
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }
}
