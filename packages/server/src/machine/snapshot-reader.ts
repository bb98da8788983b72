import { ByteReader, corrupt } from "balsa/codec";
import { REQUEST_BYTES_MAX } from "../limits.js";
import type { ByteString } from "../mvcc/byte-string.js";
import { Store } from "../mvcc/store.js";
import { toByteString } from "../wire/byte-string.js";
import { decodeAttributes, type MemberAttributes } from "./member-attributes.js";
import { FORMAT_VERSION, RECORD, recordBytesMax } from "./snapshot-format.js";

const LENGTH_BYTES_MAX = 4;
const RECORD_BYTES_MAX: number = recordBytesMax(REQUEST_BYTES_MAX);

export interface RestoredState {
  readonly store: Store;
  readonly members: readonly MemberAttributes[];
}

/** @throws BalsaError `corrupt` unless the content is one whole snapshot. */
export async function readSnapshot(content: AsyncIterable<Uint8Array>): Promise<RestoredState> {
  const restorer = new Restorer();
  let pending: Uint8Array = new Uint8Array(0);
  for await (const chunk of content) {
    const bytes = pending.length === 0 ? chunk : concat(pending, chunk);
    pending = bytes.slice(readRecords(bytes, restorer));
  }
  if (pending.length > 0) throw corrupt("a snapshot ends within a record");
  return restorer.finish();
}

/** Reads the records that are there in full; gives the position behind them. */
function readRecords(bytes: Uint8Array, restorer: Restorer): number {
  let position = 0;
  for (;;) {
    const lengthEnd = endOfVarint(bytes, position);
    if (lengthEnd === undefined) return position;
    const length = new ByteReader(bytes, position, lengthEnd).varint();
    if (length === 0 || length > RECORD_BYTES_MAX) throw corrupt("a snapshot's record has an impossible length");
    if (lengthEnd + length > bytes.length) return position;
    restorer.record(new ByteReader(bytes, lengthEnd, lengthEnd + length));
    position = lengthEnd + length;
  }
}

/** undefined: it is not there in full yet. */
function endOfVarint(bytes: Uint8Array, start: number): number | undefined {
  for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    if (byte < 0x80) return start + i + 1;
  }
  throw corrupt("a snapshot's record has an impossible length");
}

/** Builds a state from records in the order of the format. */
class Restorer {
  private building: ReturnType<typeof Store.restore> | undefined;
  private readonly members: MemberAttributes[] = [];
  private key: ByteString | undefined;
  private records = 0;
  private ended = false;

  record(reader: ByteReader): void {
    if (this.ended) throw corrupt("a snapshot goes on behind its end");
    const kind = reader.u8();
    if ((kind === RECORD.header) !== (this.records === 0)) throw corrupt("a snapshot begins with its only header");
    switch (kind) {
      case RECORD.header:
        this.begin(reader);
        break;
      case RECORD.member:
        this.members.push(decodeAttributes(reader.raw(reader.remaining)));
        break;
      case RECORD.key:
        this.nextKey(toByteString(reader.lengthPrefixed()));
        this.version(reader);
        break;
      case RECORD.version:
        this.version(reader);
        break;
      case RECORD.end:
        if (reader.varint() !== this.records) throw corrupt("a snapshot's records are not as many as were written");
        this.ended = true;
        break;
      default:
        throw corrupt("a snapshot has a record of no known kind");
    }
    reader.expectEnd();
    this.records++;
  }

  finish(): RestoredState {
    if (!this.ended || this.building === undefined) throw corrupt("a snapshot ends early");
    return { store: this.building.store, members: this.members };
  }

  private begin(reader: ByteReader): void {
    if (reader.varint() !== FORMAT_VERSION) throw corrupt("a snapshot is of no known format version");
    this.building = Store.restore(reader.varint(), reader.varint() - 1);
  }

  private nextKey(key: ByteString): void {
    if (this.key !== undefined && key <= this.key) throw corrupt("a snapshot's keys are out of order");
    this.key = key;
  }

  private version(reader: ByteReader): void {
    if (this.building === undefined || this.key === undefined) throw corrupt("a snapshot has a version of no key");
    this.building.add({
      key: this.key,
      createRevision: reader.varint(),
      modRevision: reader.varint(),
      sub: reader.varint(),
      version: reader.varint(),
      lease: readLease(reader),
      value: toByteString(reader.raw(reader.remaining)),
    });
  }
}

function readLease(reader: ByteReader): bigint {
  if (!reader.bool()) return 0n;
  const low = reader.u32();
  return BigInt.asIntN(64, (BigInt(reader.u32()) << 32n) | BigInt(low));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a, 0);
  bytes.set(b, a.length);
  return bytes;
}
