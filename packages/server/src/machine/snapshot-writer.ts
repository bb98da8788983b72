import { ByteWriter } from "balsa/codec";
import { SNAPSHOT_CHUNK_BYTES } from "../limits.js";
import type { ByteString } from "../mvcc/byte-string.js";
import type { KeyVersion } from "../mvcc/key-version.js";
import type { FrozenStore } from "../mvcc/store.js";
import { writeByteString } from "../wire/byte-string.js";
import { encodeAttributes, type MemberAttributes } from "./member-attributes.js";
import { FORMAT_VERSION, RECORD } from "./snapshot-format.js";

/** A record's numbers at their longest: five varints of 8 bytes, the lease, kind and length. */
const NUMBERS_BYTES_MAX = 64;

/** The state's bytes, in pieces that are made when they are asked for. */
export function* snapshotChunks(
  store: FrozenStore,
  members: readonly MemberAttributes[],
): Generator<Uint8Array, void, undefined> {
  const out = new ChunkWriter();
  out.record(RECORD.header, (body) => {
    body.varint(FORMAT_VERSION);
    body.varint(store.revision);
    body.varint(store.compactedRevision + 1);
  });
  for (const attributes of members) out.record(RECORD.member, (body) => body.raw(encodeAttributes(attributes)));
  for (const history of store.keys.histories()) {
    let first = true;
    for (const version of oldestFirst(history.newest.asOf(store.revision))) {
      out.version(version, first);
      first = false;
      if (out.isFull) yield out.take();
    }
  }
  out.end();
  yield out.take();
}

function oldestFirst(newest: KeyVersion | undefined): readonly KeyVersion[] {
  const versions: KeyVersion[] = [];
  for (let at = newest; at !== undefined; at = at.previous) versions.push(at);
  return versions.reverse();
}

class ChunkWriter {
  private readonly chunk: ByteWriter = new ByteWriter(SNAPSHOT_CHUNK_BYTES + NUMBERS_BYTES_MAX);
  private readonly body: ByteWriter = new ByteWriter(4096);
  private records = 0;

  get isFull(): boolean {
    return this.chunk.length >= SNAPSHOT_CHUNK_BYTES;
  }

  take(): Uint8Array {
    return this.chunk.finish();
  }

  record(kind: number, write: (body: ByteWriter) => void): void {
    this.begin(kind, write, 0);
  }

  version(version: KeyVersion, isFirst: boolean): void {
    this.begin(
      isFirst ? RECORD.key : RECORD.version,
      (body) => {
        if (isFirst) {
          body.varint(version.key.length);
          writeText(body, version.key);
        }
        body.varint(version.createRevision);
        body.varint(version.modRevision);
        body.varint(version.sub);
        body.varint(version.version);
        writeLease(body, version.lease);
      },
      version.value.length,
    );
    writeText(this.chunk, version.value);
  }

  end(): void {
    const { records } = this;
    this.record(RECORD.end, (body) => body.varint(records));
  }

  /** Kind and fields go into a buffer of their own first, since their length comes before them. `rest` bytes follow. */
  private begin(kind: number, write: (body: ByteWriter) => void, rest: number): void {
    const { body, chunk } = this;
    body.truncate(0);
    body.u8(kind);
    write(body);
    chunk.reserve(body.length + rest + NUMBERS_BYTES_MAX);
    chunk.varint(body.length + rest);
    chunk.raw(body.peek(0, body.length));
    this.records++;
  }
}

function writeText(out: ByteWriter, text: ByteString): void {
  const at = out.skip(text.length);
  writeByteString(out.peek(at, at + text.length), 0, text);
}

function writeLease(out: ByteWriter, lease: bigint): void {
  out.bool(lease !== 0n);
  if (lease === 0n) return;
  out.u32(Number(BigInt.asUintN(32, lease)));
  out.u32(Number(BigInt.asUintN(32, lease >> 32n)));
}
