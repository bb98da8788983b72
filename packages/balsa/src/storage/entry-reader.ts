import { ByteReader, readEntryRecord } from "../codec/index.js";
import { BalsaError, type Entry } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import { corruption, isNotFound, storageFailure } from "./corruption.js";
import { type DataPaths, segmentPath } from "./data-directory.js";
import type { EntryIndex } from "./entry-index.js";

/** A part of a segment that holds the records of consecutive entries, with whatever lies between them. */
interface Piece {
  readonly segment: number;
  readonly position: number;
  readonly lengthBytes: number;
  /** Indexes [from, to). Where each is the log's index tells. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads entries back from the log's files, in bounded pieces, each entry checked: its checksum (which covers group, type,
 * term, index and payload), and that it is the one that the index says.
 */
export class EntryReader {
  readonly #files: FileSystem;
  readonly #paths: DataPaths;
  readonly #group: number;
  readonly #index: EntryIndex;

  constructor(files: FileSystem, paths: DataPaths, group: number, index: EntryIndex) {
    this.#files = files;
    this.#paths = paths;
    this.#group = group;
    this.#index = index;
  }

  /**
   * Entries from `from` on and below `to`, of at most `maxBytes` of the file, one at the least; their payloads are views
   * of one buffer. Fewer where the log goes on in another place. None if what is there changed while it was read: entries
   * were compacted, or gave way to others, and their file may be gone.
   * @throws BalsaError `corrupt` (with file, offset, index and term), `storage-failed`
   */
  async read(from: number, to: number, maxBytes: number): Promise<readonly Entry[]> {
    const index = this.#index;
    if (from < index.firstIndex || from > index.lastIndex) return [];
    const piece = this.#plan(from, Math.min(to, index.lastIndex + 1), maxBytes);
    const { cuts } = index;
    const isStale = (): boolean => index.cuts !== cuts || index.firstIndex > from;
    const path = segmentPath(this.#paths, piece.segment);
    let bytes: Uint8Array;
    try {
      bytes = await this.#readFile(path, piece);
    } catch (cause) {
      if (isStale()) return [];
      if (isNotFound(cause)) throw this.#damage(path, from, "the segment is not there any more", cause);
      throw storageFailure(`reading ${path}`, cause);
    }
    return isStale() ? [] : this.#decode(path, piece, bytes);
  }

  #plan(from: number, to: number, maxBytes: number): Piece {
    const log = this.#index;
    const { segment, position, recordBytes } = log.place(from);
    let end = position + recordBytes;
    let index = from + 1;
    for (; index < to; index++) {
      const start = log.positionOf(index);
      const recordEnd = start + log.recordBytesOf(index);
      // Within a segment the records follow each other as the entries do, unless entries gave way to others.
      if (log.segmentOf(index) !== segment || start < end || recordEnd - position > maxBytes) break;
      end = recordEnd;
    }
    return { segment, position, lengthBytes: end - position, from, to: index };
  }

  async #readFile(path: string, { position, lengthBytes }: Piece): Promise<Uint8Array> {
    const file = await this.#files.open(path, "read");
    try {
      return await file.read(position, lengthBytes);
    } finally {
      await file.close();
    }
  }

  #decode(path: string, piece: Piece, bytes: Uint8Array): readonly Entry[] {
    const decoded: Entry[] = [];
    let reader = new ByteReader(bytes);
    for (let index = piece.from; index < piece.to; index++) {
      const start = this.#index.positionOf(index) - piece.position;
      const end = start + this.#index.recordBytesOf(index);
      if (reader.position !== start) reader = new ByteReader(bytes, start);
      if (end > bytes.length) throw this.#damage(path, index, "the file ends within an entry");
      let entry: Entry;
      try {
        entry = readEntryRecord(reader, this.#group);
      } catch (cause) {
        if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
        throw this.#damage(path, index, cause.message, cause);
      }
      if (entry.index !== index || entry.term !== this.#index.term(index) || reader.position !== end) {
        throw this.#damage(path, index, "an entry is not the one that was written here");
      }
      decoded.push(entry);
    }
    return decoded;
  }

  #damage(file: string, index: number, reason: string, cause?: unknown): BalsaError {
    const offset = this.#index.positionOf(index);
    return corruption({ file, offset, index, term: this.#index.term(index), reason }, cause);
  }
}
