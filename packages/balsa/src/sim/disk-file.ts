import { BlockMap } from "./block-map.js";
import type { CrashChoice } from "./crash-choice.js";
import { GrowableBytes } from "./growable-bytes.js";
import type { FileImage } from "./image-files.js";
import { SECTOR_BYTES } from "./limits.js";
import { isZero } from "./zeros.js";

/** A change of a file's content that no sync has covered yet. */
export interface UnsyncedOperation {
  /** Its place among all operations of the disk. */
  readonly sequence: number;
  readonly change:
    | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
    | { readonly kind: "resize" };
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** Whether its caller has been told that it is done. A sync covers only what was done when it began. */
  completed: boolean;
}

/** The bytes that an operation may have touched: [start, end). */
function touched(operation: UnsyncedOperation): readonly [number, number] {
  const { change, sizeBefore, sizeAfter } = operation;
  switch (change.kind) {
    case "write":
      return [change.position, change.position + change.bytes.length];
    case "resize":
      // Growing shows zeros, which are there already.
      return [Math.min(sizeAfter, sizeBefore), sizeBefore];
    default:
      change satisfies never;
      throw new Error("unknown change of a file");
  }
}

/** Does to [start, end) of the image what the operation does. */
function applyWithin(image: GrowableBytes, operation: UnsyncedOperation, start: number, end: number): void {
  const [touchedStart, touchedEnd] = touched(operation);
  const from = Math.max(start, touchedStart);
  const to = Math.min(end, touchedEnd);
  if (from >= to) return;
  if (operation.change.kind === "resize" || isZero(operation.change.bytes)) image.zero(from, to);
  else image.write(from, operation.change.bytes.subarray(from - touchedStart, to - touchedStart));
}

/**
 * A file on a simulated disk: what programs see, what would survive losing power, and the operations between the two.
 */
export class DiskFile {
  #content = new GrowableBytes();
  #durable = new GrowableBytes();
  #unsynced: UnsyncedOperation[] = [];
  /** After a failed sync programs may see what no operation will bring to the disk. */
  #isUncertain = false;
  #blocks = new BlockMap();
  /** Sectors that can't be read until they are written anew. */
  #spoiled = new Set<number>();

  get sizeBytes(): number {
    return this.#content.sizeBytes;
  }

  get unsynced(): readonly UnsyncedOperation[] {
    return this.#unsynced;
  }

  get durableSizeBytes(): number {
    return this.#durable.sizeBytes;
  }

  /** What would be there after losing all that was not synced, as it is until the file changes. */
  get durableImage(): FileImage {
    const durable = this.#durable;
    return { length: durable.sizeBytes, subarray: (start, end) => durable.slice(start, end) };
  }

  /** What it takes of the disk's capacity. */
  get allocatedBytes(): number {
    return this.#blocks.bytes;
  }

  /** How many bytes of a write can be had with so many bytes free on the disk. */
  fitting(position: number, lengthBytes: number, freeBytes: number): number {
    return this.#blocks.fitting(position, lengthBytes, freeBytes);
  }

  /** A bit rots: on the disk, and for programs too unless they see what was written after it. */
  rot(position: number, bit: number): void {
    this.#durable.flip(position, bit);
    if (!this.#isCovered(position)) this.#content.flip(position, bit);
  }

  /** What is on the disk in the sector at the position; shorter at the file's end. */
  durableSector(position: number): Uint8Array {
    const start = position - (position % SECTOR_BYTES);
    return this.#durable.slice(start, start + SECTOR_BYTES);
  }

  /**
   * The sector at the position holds other bytes on the disk; for programs too, but for what they see of later writes that
   * are not synced. False: they are the same.
   */
  overwriteSector(position: number, bytes: Uint8Array): boolean {
    const start = position - (position % SECTOR_BYTES);
    const changed = new Uint8Array(Math.min(SECTOR_BYTES, this.#durable.sizeBytes - start));
    changed.set(bytes.subarray(0, changed.length));
    const before = this.#durable.slice(start, start + changed.length);
    if (changed.every((byte, at) => byte === before[at])) return false;
    this.#durable.write(start, changed);
    if (this.#unsynced.length === 0) this.#content.write(start, changed);
    else for (const [at, byte] of changed.entries()) this.#showUnlessCovered(start + at, byte);
    return true;
  }

  #showUnlessCovered(position: number, byte: number): void {
    if (!this.#isCovered(position)) this.#content.write(position, Uint8Array.of(byte));
  }

  /** Whether programs see something there that is not on the disk yet. */
  #isCovered(position: number): boolean {
    return this.#unsynced.some((operation) => {
      const [start, end] = touched(operation);
      return start <= position && position < end;
    });
  }

  /** The sector at the position can't be read from now on. */
  spoil(position: number): void {
    this.#spoiled.add(Math.floor(position / SECTOR_BYTES));
  }

  isReadable(position: number, lengthBytes: number): boolean {
    if (this.#spoiled.size === 0) return true;
    const end = Math.min(position + lengthBytes, this.sizeBytes);
    for (const sector of this.#spoiled) {
      if (sector * SECTOR_BYTES < end && (sector + 1) * SECTOR_BYTES > position) return false;
    }
    return true;
  }

  /** Whether it covers each sector that can't be read, or nothing of it. */
  isWritable(position: number, lengthBytes: number): boolean {
    if (this.#spoiled.size === 0) return true;
    const end = position + lengthBytes;
    for (const sector of this.#spoiled) {
      const [start, next] = [sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES];
      if (start < end && next > position && (start < position || next > end)) return false;
    }
    return true;
  }

  read(position: number, lengthBytes: number): Uint8Array {
    return this.#content.slice(position, position + lengthBytes);
  }

  /** Takes the bytes over. */
  write(sequence: number, position: number, bytes: Uint8Array): UnsyncedOperation {
    const sizeBefore = this.#content.sizeBytes;
    this.#content.write(position, bytes);
    this.#blocks.take(position, bytes.length);
    if (this.#spoiled.size > 0) this.#restoreSectors(position, position + bytes.length);
    return this.#push(sequence, { kind: "write", position, bytes }, sizeBefore);
  }

  resize(sequence: number, sizeBytes: number): UnsyncedOperation {
    const sizeBefore = this.#content.sizeBytes;
    this.#content.resize(sizeBytes);
    this.#blocks.cutAt(sizeBytes);
    return this.#push(sequence, { kind: "resize" }, sizeBefore);
  }

  /** What a sync that begins now will cover. */
  beginSync(): readonly UnsyncedOperation[] {
    const covered: UnsyncedOperation[] = [];
    for (const operation of this.#unsynced) if (operation.completed) covered.push(operation);
    return covered;
  }

  /** The sync is done. */
  endSync(covered: readonly UnsyncedOperation[]): void {
    for (const operation of this.#takeOut(covered)) {
      if (operation.change.kind === "write") this.#durable.write(operation.change.position, operation.change.bytes);
      else this.#durable.resize(operation.sizeAfter);
    }
  }

  /**
   * The sync failed: the pages count as clean all the same, programs go on seeing what they wrote, and no later sync
   * writes it (as on Linux).
   */
  failSync(covered: readonly UnsyncedOperation[]): void {
    this.#takeOut(covered);
    this.#isUncertain = true;
  }

  /** Leaves what the choice says. Each sector has got the first so many of the operations that touched it. */
  crash(choice: CrashChoice): void {
    const operations = this.#unsynced;
    if (operations.length === 0 && !this.#isUncertain) return;
    this.#isUncertain = false;
    const image = this.#durable;
    const durableSize = image.sizeBytes;
    for (const operation of operations) image.resize(Math.max(image.sizeBytes, operation.sizeAfter));
    for (const [sector, touching] of sectorsTouched(operations)) {
      const start = sector * SECTOR_BYTES;
      const kept = choice.keep(touching.map((operation) => operation.sequence));
      for (const operation of touching.slice(0, kept)) applyWithin(image, operation, start, start + SECTOR_BYTES);
      const next = touching[kept];
      if (next !== undefined) applyWithin(image, next, start, start + choice.tear(next.sequence));
    }
    const resizing = operations.filter((operation) => operation.sizeAfter !== operation.sizeBefore);
    const keptSizes = resizing.length === 0 ? 0 : choice.keep(resizing.map((operation) => operation.sequence));
    image.resize(resizing[keptSizes - 1]?.sizeAfter ?? durableSize);
    this.#unsynced = [];
    this.#content = image.fork();
    this.#blocks.cutAt(image.sizeBytes);
  }

  /** The same file on a fork of its disk. */
  fork(): DiskFile {
    const other = new DiskFile();
    other.#content = this.#content.fork();
    other.#durable = this.#durable.fork();
    other.#unsynced = this.#unsynced.map((operation) => ({ ...operation }));
    other.#isUncertain = this.#isUncertain;
    other.#blocks = this.#blocks.fork();
    other.#spoiled = new Set(this.#spoiled);
    return other;
  }

  /** A sector that is written as a whole can be read again. */
  #restoreSectors(start: number, end: number): void {
    for (const sector of [...this.#spoiled]) {
      if (sector * SECTOR_BYTES >= start && (sector + 1) * SECTOR_BYTES <= end) this.#spoiled.delete(sector);
    }
  }

  #push(sequence: number, change: UnsyncedOperation["change"], sizeBefore: number): UnsyncedOperation {
    const operation = { sequence, change, sizeBefore, sizeAfter: this.#content.sizeBytes, completed: false };
    this.#unsynced.push(operation);
    return operation;
  }

  #takeOut(covered: readonly UnsyncedOperation[]): readonly UnsyncedOperation[] {
    // As a rule: the oldest of all, and as often all there are.
    let count = 0;
    while (count < covered.length && covered[count] === this.#unsynced[count]) count += 1;
    if (count === covered.length) {
      this.#unsynced = count === this.#unsynced.length ? [] : this.#unsynced.slice(count);
      return covered;
    }
    const set = new Set(covered);
    const taken = this.#unsynced.filter((operation) => set.has(operation));
    this.#unsynced = this.#unsynced.filter((operation) => !set.has(operation));
    return taken;
  }
}

/** Each sector that any operation touched, with those that did, oldest first. */
function sectorsTouched(operations: readonly UnsyncedOperation[]): Map<number, UnsyncedOperation[]> {
  const sectors = new Map<number, UnsyncedOperation[]>();
  for (const operation of operations) {
    const [start, end] = touched(operation);
    const after = start < end ? Math.ceil(end / SECTOR_BYTES) : 0;
    for (let sector = Math.floor(start / SECTOR_BYTES); sector < after; sector += 1) {
      const touching = sectors.get(sector);
      if (touching === undefined) sectors.set(sector, [operation]);
      else touching.push(operation);
    }
  }
  return sectors;
}
