import { type DiskPlace, type Prng, SECTOR_BYTES, type SimDisk } from "../sim/index.js";
import type { Fault } from "./fault.js";

const LOG = "/data/log";
const SNAPSHOTS = "/data/snapshots";
const SEGMENT = /^\d{16}\.log$/;
/** Bytes that begin a batch. */
const BATCH: readonly number[] = [0x42, 0x54, 0x43, 0x48];
/** Where a segment's first batch begins, and how far into a batch its lengths reach. */
const SEGMENT_HEADER_BYTES = 128;
const BATCH_LENGTHS_END = 20;

/**
 * Damages a member's disk, but not the last of several batches: nothing vouches for that one yet, and what is lost of it can't
 * be told from a write that the power cut short (docs/storage-format.md, "What nothing vouches for").
 * False: there was nothing to damage.
 */
export function rot(disk: SimDisk, prng: Prng, { where, bits }: Extract<Fault, { readonly kind: "rot" }>): boolean {
  const newest = disk.list(LOG).findLast((name) => SEGMENT.test(name));
  if (newest === undefined) return false;
  const path = `${LOG}/${newest}`;
  const file = disk.open(path, "read");
  // What was written and not synced may yet be lost: then the batch before it is the last one.
  const durable = file.durableImage;
  const chain = chainIn(durable.subarray(0, durable.length));
  const end = chain.length > 1 ? (chain.at(-1) as number) : Number.POSITIVE_INFINITY;
  const isVouchedFor = (at: string, placeEnd: number): boolean => isSegment(at) && (at !== path || placeEnd <= end);
  const inSector = ({ path: at, offset }: DiskPlace): boolean => {
    return isVouchedFor(at, offset - (offset % SECTOR_BYTES) + SECTOR_BYTES);
  };
  switch (where) {
    case "newest-batches": {
      const heads = headsIn(file.read(0, file.sizeBytes));
      for (const head of heads) file.rot(head, 1);
      return heads.length > 0;
    }
    case "log":
      return rotSome(disk, prng, bits, ({ path: at, offset }) => isVouchedFor(at, offset + 1));
    case "sector":
      // One that can't be read does not pass for a torn write, wherever it lies.
      return disk.spoilSector(prng, ({ path: at }) => isSegment(at)) !== undefined;
    case "lost-write":
      return disk.overwriteSector(prng, "lost", inSector) !== undefined;
    case "misdirected-write":
      return disk.overwriteSector(prng, "misdirected", inSector) !== undefined;
    case "snapshot":
      return rotSome(disk, prng, bits, ({ path: at }) => at.startsWith(`${SNAPSHOTS}/`) && at.endsWith(".snapshot"));
    default:
      where satisfies never;
      return false;
  }
}

function isSegment(path: string): boolean {
  return path.startsWith(`${LOG}/`) && SEGMENT.test(path.slice(LOG.length + 1));
}

function rotSome(disk: SimDisk, prng: Prng, bits: number, admits: (place: DiskPlace) => boolean): boolean {
  let turned = false;
  for (let i = 0; i < bits; i++) {
    const place = disk.rot(prng, admits);
    turned ||= place !== undefined;
  }
  return turned;
}

/** All that begins like a batch: also witnesses, and what is left of the file's older lives. */
function headsIn(bytes: Uint8Array): readonly number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(BATCH[0] as number); at !== -1; at = bytes.indexOf(BATCH[0] as number, at + 1)) {
    if (isHead(bytes, at)) found.push(at);
  }
  return found;
}

/** The batches of the log, one behind the other: a witness, which lies further on, is none of them. */
function chainIn(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: number[] = [];
  for (let at = SEGMENT_HEADER_BYTES; at + BATCH_LENGTHS_END <= bytes.length && isHead(bytes, at); ) {
    found.push(at);
    at += view.getUint32(at + 8, true) + view.getUint32(at + 12, true) + view.getUint32(at + 16, true);
  }
  return found;
}

function isHead(bytes: Uint8Array, at: number): boolean {
  return BATCH.every((byte, i) => bytes[at + i] === byte);
}
