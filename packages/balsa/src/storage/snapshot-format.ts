/**
 * A snapshot's file (docs/storage-format.md, "A snapshot"): header, library section, application section, end. It names
 * no member, since it travels between members as it is.
 *
 *   header: what file-header.ts says; clusterId u64, group u64, then index, term and configuration
 *
 *   block
 *   offset  bytes  field
 *        0      4  checksum, crc32c over the 12 bytes behind it and the payload
 *        4      4  previousChecksum: of the block before; of the header for the first
 *        8      4  kind: 1 library, 2 application, 3 end
 *       12      4  payloadBytes, at most 64 KiB
 *       16         payload; of the end block: libraryBytes, applicationBytes and fileBytes, u64 each
 */
import { ByteReader, corrupt, crc32c, readSnapshotMeta, writeSnapshotMeta } from "../codec/index.js";
import type { SnapshotMeta } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import { type EncodedHeader, readFileHeader, writeFileHeader } from "./file-header.js";
import type { Identity } from "./identity.js";
import { SNAPSHOT_BLOCK_BYTES_MAX } from "./limits.js";

export type BlockKind = "library" | "application" | "end";

export const BLOCK_HEADER_BYTES = 16;
export const END_PAYLOAD_BYTES = 24;
const TWO_TO_32 = 0x1_0000_0000;

export interface SnapshotHeader {
  readonly meta: SnapshotMeta;
  readonly headerBytes: number;
  /** What the first block is chained to. */
  readonly checksum: number;
}

export interface SnapshotSizes {
  readonly libraryBytes: number;
  readonly applicationBytes: number;
  readonly fileBytes: number;
}

export function encodeSnapshotHeader(identity: Identity, meta: SnapshotMeta): EncodedHeader {
  return writeFileHeader("BALSASNP", (out) => {
    out.u64(identity.clusterId);
    out.u64(identity.group);
    writeSnapshotMeta(out, meta);
  });
}

/** @throws BalsaError `corrupt`, `identity-mismatch` */
export function decodeSnapshotHeader(bytes: Uint8Array, identity: Identity): SnapshotHeader {
  const { fields, headerBytes, checksum } = readFileHeader("BALSASNP", bytes);
  const clusterId = fields.u64();
  const group = fields.u64();
  if (clusterId !== identity.clusterId || group !== identity.group) {
    throw new BalsaError("identity-mismatch", "a snapshot of another cluster or group");
  }
  const meta = readSnapshotMeta(fields);
  fields.expectEnd();
  return { meta, headerBytes, checksum };
}

export interface Block {
  readonly kind: BlockKind;
  readonly payload: Uint8Array;
  readonly checksum: number;
  readonly previousChecksum: number;
}

/** Fills in the header of a block whose payload is there already. Returns its checksum. */
export function sealBlock(block: Uint8Array, kind: BlockKind, previousChecksum: number): number {
  const payloadBytes = block.length - BLOCK_HEADER_BYTES;
  invariant(payloadBytes <= SNAPSHOT_BLOCK_BYTES_MAX, "a snapshot's block is within its limit");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  view.setInt32(4, previousChecksum, true);
  view.setUint32(8, codeOf(kind), true);
  view.setUint32(12, payloadBytes, true);
  const checksum = crc32c(block, 4, block.length, 0);
  view.setInt32(0, checksum, true);
  return checksum;
}

/**
 * The block at the beginning of `bytes`, which may hold more. The payload is a view.
 * @throws BalsaError `corrupt`
 */
export function readBlock(bytes: Uint8Array): Block {
  const reader = new ByteReader(bytes);
  const checksum = reader.i32();
  const previousChecksum = reader.i32();
  const kind = kindOf(reader.u32());
  const payloadBytes = reader.u32();
  if (payloadBytes > SNAPSHOT_BLOCK_BYTES_MAX) throw corrupt("a block's length is above the limit");
  const payload = reader.raw(payloadBytes);
  if (crc32c(bytes, 4, reader.position, 0) !== checksum) throw corrupt("a block's checksum does not fit");
  return { kind, payload, checksum, previousChecksum };
}

export function encodeEnd(sizes: SnapshotSizes, previousChecksum: number): Uint8Array {
  const block = new Uint8Array(BLOCK_HEADER_BYTES + END_PAYLOAD_BYTES);
  const view = new DataView(block.buffer);
  const { libraryBytes, applicationBytes, fileBytes } = sizes;
  let at = BLOCK_HEADER_BYTES;
  for (const size of [libraryBytes, applicationBytes, fileBytes]) {
    view.setUint32(at, size >>> 0, true);
    view.setUint32(at + 4, Math.floor(size / TWO_TO_32), true);
    at += 8;
  }
  sealBlock(block, "end", previousChecksum);
  return block;
}

/** @throws BalsaError `corrupt` */
export function decodeEnd(block: Block): SnapshotSizes {
  if (block.kind !== "end") throw corrupt("a snapshot does not end with its end");
  const reader = new ByteReader(block.payload);
  const sizes = { libraryBytes: reader.u64(), applicationBytes: reader.u64(), fileBytes: reader.u64() };
  reader.expectEnd();
  return sizes;
}

function codeOf(kind: BlockKind): number {
  switch (kind) {
    case "library":
      return 1;
    case "application":
      return 2;
    case "end":
      return 3;
    default:
      kind satisfies never;
      throw new BalsaError("invariant", "a block is of one of its three kinds");
  }
}

function kindOf(code: number): BlockKind {
  switch (code) {
    case 1:
      return "library";
    case 2:
      return "application";
    case 3:
      return "end";
    default:
      throw corrupt("a block is of no known kind");
  }
}
