import fc from "fast-check";
import { encodeCommand } from "../../src/machine/command.js";
import { encodeAttributes } from "../../src/machine/member-attributes.js";
import { messageCodec } from "../../src/wire/schema.js";

/* Commands as they lie in the log. */

const putRequest = messageCodec<never, object>("etcdserverpb.PutRequest");
const deleteRangeRequest = messageCodec<never, object>("etcdserverpb.DeleteRangeRequest");
const txnRequest = messageCodec<never, object>("etcdserverpb.TxnRequest");
const compactionRequest = messageCodec<never, object>("etcdserverpb.CompactionRequest");

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

export function putCommand(key: string, value: string, rest: object = {}): Uint8Array {
  return encodeCommand("put", putRequest.encode({ key: latin1(key), value: latin1(value), ...rest }));
}

export function deleteCommand(key: string, rangeEnd = "", rest: object = {}): Uint8Array {
  const message = { key: latin1(key), rangeEnd: latin1(rangeEnd), ...rest };
  return encodeCommand("deleteRange", deleteRangeRequest.encode(message));
}

export function txnCommand(message: object): Uint8Array {
  return encodeCommand("txn", txnRequest.encode(message));
}

function compactCommand(revision: number): Uint8Array {
  return encodeCommand("compact", compactionRequest.encode({ revision }));
}

export function publishCommand(memberId: number, name: string, clientUrls: readonly string[]): Uint8Array {
  return encodeCommand("publish", encodeAttributes({ memberId, name, clientUrls }));
}

const keys = fc.constantFrom("a", "b", "c\xff", "dd", "\0");
const values = fc.oneof(
  fc.constantFrom("", "1", "\xfe\0"),
  fc.integer({ min: 1, max: 3 }).map((n) => "v".repeat(n * 50_000)),
);

export const commands: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: fc.tuple(keys, values).map(([key, value]) => putCommand(key, value, { prevKv: true })), weight: 4 },
  fc.tuple(keys, keys).map(([key, end]) => deleteCommand(key, end, { prevKv: true })),
  fc.tuple(keys, keys, values).map(([put, gone, value]) =>
    txnCommand({
      success: [
        { requestDeleteRange: { key: latin1(gone) } },
        { requestPut: { key: latin1(`t${put}`), value: latin1(value) } },
      ],
    }),
  ),
  fc.integer({ min: 0, max: 12 }).map(compactCommand),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom("m1", "ünïcode"))
    .map(([id, name]) => publishCommand(2 ** 52 + id, name, [`http://${id}:1`])),
);
