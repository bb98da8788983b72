import { corrupt } from "../codec/index.js";
import type { File, FileSystem } from "../platform/index.js";
import { located } from "./corruption.js";
import { type DataPaths, segmentPath } from "./data-directory.js";
import type { Identity } from "./identity.js";
import { SEGMENT_FILE_BYTES_MAX } from "./limits.js";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment-header.js";
import type { Segment } from "./segment-replay.js";

/** Reads segments: headers first, to see which of them are needed, then each as a whole. */
export class SegmentLoader {
  readonly #files: FileSystem;
  readonly #paths: DataPaths;
  readonly #identity: Identity;
  readonly #headers: Map<number, SegmentHeader> = new Map();

  constructor(files: FileSystem, paths: DataPaths, identity: Identity) {
    this.#files = files;
    this.#paths = paths;
    this.#identity = identity;
  }

  /** @throws BalsaError `corrupt`, `identity-mismatch`; FileError */
  async header(segment: number): Promise<SegmentHeader> {
    const known = this.#headers.get(segment);
    if (known !== undefined) return known;
    const header = await this.#read(segment, async (file, fileBytes) => {
      if (fileBytes > SEGMENT_FILE_BYTES_MAX) throw corrupt("the file is larger than any segment");
      return decodeSegmentHeader(await file.read(0, SEGMENT_HEADER_BYTES), fileBytes, segment, this.#identity);
    });
    this.#headers.set(segment, header);
    return header;
  }

  /** @throws FileError */
  segment(header: SegmentHeader): Promise<Segment> {
    const { segment } = header;
    return this.#read(segment, async (file, fileBytes) => {
      const bytes = await file.read(0, fileBytes);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return { header, image: { path: file.path, segment, identity: this.#identity, bytes, view } };
    });
  }

  async #read<Result>(segment: number, read: (file: File, fileBytes: number) => Promise<Result>): Promise<Result> {
    const path = segmentPath(this.#paths, segment);
    const file = await this.#files.open(path, "read");
    try {
      return await read(file, await file.sizeBytes());
    } catch (cause) {
      throw located(cause, path, 0);
    } finally {
      await file.close();
    }
  }
}
