import { ByteReader, readEntryRecord } from "../codec/index.js";
import { BalsaError, type Entry } from "../core/index.js";
import type { FileSystem } from "../platform/index.js";
import { corruption, isNotFound, storageFailure } from "./corruption.js";
import { type DataPaths, segmentPath } from "./data-directory.js";
import type { EntryIndex, RecordPlace } from "./entry-index.js";

/** A part of a segment that holds the records of consecutive entries, with whatever lies between them. */
interface Piece {
  readonly segment: number;
  readonly position: number;
  readonly lengthBytes: number;
  readonly entries: readonly { readonly index: number; readonly term: number; readonly place: RecordPlace }[];
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
      if (isNotFound(cause)) throw this.#damage(path, piece, 0, "the segment is not there any more", cause);
      throw storageFailure(`reading ${path}`, cause);
    }
    return isStale() ? [] : this.#decode(path, piece, bytes);
  }

  #plan(from: number, to: number, maxBytes: number): Piece {
    const first = this.#index.place(from);
    const { segment, position } = first;
    const entries = [{ index: from, term: this.#index.term(from), place: first }];
    let end = position + first.recordBytes;
    for (let index = from + 1; index < to; index++) {
      const place = this.#index.place(index);
      const placeEnd = place.position + place.recordBytes;
      // Within a segment the records follow each other as the entries do, unless entries gave way to others.
      if (place.segment !== segment || place.position < end || placeEnd - position > maxBytes) break;
      entries.push({ index, term: this.#index.term(index), place });
      end = placeEnd;
    }
    return { segment, position, lengthBytes: end - position, entries };
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
    for (const [at, { index, term, place }] of piece.entries.entries()) {
      const start = place.position - piece.position;
      const end = start + place.recordBytes;
      if (reader.position !== start) reader = new ByteReader(bytes, start);
      if (end > bytes.length) throw this.#damage(path, piece, at, "the file ends within an entry");
      let entry: Entry;
      try {
        entry = readEntryRecord(reader, this.#group);
      } catch (cause) {
        if (!(cause instanceof BalsaError) || cause.code !== "corrupt") throw cause;
        throw this.#damage(path, piece, at, cause.message, cause);
      }
      if (entry.index !== index || entry.term !== term || reader.position !== end) {
        throw this.#damage(path, piece, at, "an entry is not the one that was written here");
      }
      decoded.push(entry);
    }
    return decoded;
  }

  #damage(file: string, piece: Piece, at: number, reason: string, cause?: unknown): BalsaError {
    const found = piece.entries[at];
    const offset = found?.place.position ?? piece.position;
    return corruption({ file, offset, index: found?.index, term: found?.term, reason }, cause);
  }
}
