/**
 * How every file of the data directory begins, in all versions (docs/storage-format.md, "How a file begins"):
 *
 *   offset  bytes  field
 *        0      8  magic
 *        8      4  version
 *       12      4  headerBytes, with all of this
 *       16      4  checksum, crc32c over [0, 16) and [20, headerBytes)
 *       20         the kind's own fields
 */
import { ByteReader, ByteWriter, corrupt, crc32c, encodeUtf8 } from "../codec/index.js";
import { BalsaError, invariant } from "../core/index.js";
import type { File } from "../platform/index.js";
import { FILE_HEADER_BYTES_MAX } from "./limits.js";

/** Of directory, segments and snapshots: they change together. */
export const FORMAT_VERSION = 1;

const FILE_PREAMBLE_BYTES = 20;
const LENGTH_AT = 12;
const CHECKSUM_AT = 16;

/** Eight characters of ASCII. */
export type FileMagic = "BALSA-ID" | "BALSALOG" | "BALSASNP";

export interface FileHeader {
  /** Stands behind the preamble, before the kind's own fields. */
  readonly fields: ByteReader;
  readonly headerBytes: number;
  readonly checksum: number;
}

/** A header as it was just written. */
export interface EncodedHeader {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

const MAGIC_BYTES: Readonly<Record<FileMagic, Uint8Array>> = {
  "BALSA-ID": encodeUtf8("BALSA-ID"),
  BALSALOG: encodeUtf8("BALSALOG"),
  BALSASNP: encodeUtf8("BALSASNP"),
};

export function writeFileHeader(magic: FileMagic, writeFields: (out: ByteWriter) => void): EncodedHeader {
  const out = new ByteWriter(256);
  out.raw(MAGIC_BYTES[magic]);
  out.u32(FORMAT_VERSION);
  out.skip(FILE_PREAMBLE_BYTES - LENGTH_AT);
  writeFields(out);
  invariant(out.length <= FILE_HEADER_BYTES_MAX, "a file header is within its limit");
  out.patchU32(LENGTH_AT, out.length);
  const checksum = headerChecksum(out.peek(0, out.length));
  out.patchI32(CHECKSUM_AT, checksum);
  return { bytes: out.finish(), checksum };
}

/**
 * Verifies the header at the beginning of `bytes`.
 * @throws BalsaError `corrupt`, `identity-mismatch` (a later version)
 */
export function readFileHeader(magic: FileMagic, bytes: Uint8Array): FileHeader {
  if (bytes.length < FILE_PREAMBLE_BYTES) throw corrupt("the file ends within its header");
  const preamble = new ByteReader(bytes);
  for (const byte of MAGIC_BYTES[magic])
    if (preamble.u8() !== byte) throw corrupt("the file does not begin as it must");
  const version = preamble.u32();
  const headerBytes = preamble.u32();
  const checksum = preamble.i32();
  if (headerBytes < FILE_PREAMBLE_BYTES || headerBytes > FILE_HEADER_BYTES_MAX) {
    throw corrupt("the header's length is outside its limits");
  }
  if (headerBytes > bytes.length) throw corrupt("the file ends within its header");
  const header = bytes.subarray(0, headerBytes);
  if (headerChecksum(header) !== checksum) throw corrupt("the header's checksum does not fit");
  if (version === 0) throw corrupt("no version is 0");
  if (version > FORMAT_VERSION) {
    throw new BalsaError("identity-mismatch", `written by a later version: format ${version}, not ${FORMAT_VERSION}`);
  }
  return { fields: new ByteReader(bytes, FILE_PREAMBLE_BYTES, headerBytes), headerBytes, checksum };
}

/** The bytes of a file's header, as far as the file has them. */
export async function loadFileHeader(file: File): Promise<Uint8Array> {
  const preamble = await file.read(0, FILE_PREAMBLE_BYTES);
  if (preamble.length < FILE_PREAMBLE_BYTES) return preamble;
  const headerBytes = new ByteReader(preamble, LENGTH_AT).u32();
  return file.read(0, Math.min(Math.max(headerBytes, FILE_PREAMBLE_BYTES), FILE_HEADER_BYTES_MAX));
}

function headerChecksum(header: Uint8Array): number {
  return crc32c(header, FILE_PREAMBLE_BYTES, header.length, crc32c(header, 0, CHECKSUM_AT, 0));
}
