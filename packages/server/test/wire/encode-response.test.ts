import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyVersion } from "../../src/mvcc/key-version.js";
import type { ResponseOp, TxnResponse } from "../../src/mvcc/response.js";
import { writeDeleteRange, writePut, writeRange, writeTxn } from "../../src/wire/encode-response.js";
import { encodeResponse } from "../../src/wire/response-header.js";
import type { ReverseWriter } from "../../src/wire/reverse-writer.js";
import { messageCodec } from "../../src/wire/schema.js";

/* What is written by hand, held against what protobufjs makes of the .proto files. */

const responder = { clusterId: 2 ** 53 - 1, memberId: 2 ** 52 };
const numbers = fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1), fc.nat());
const texts = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const versions: fc.Arbitrary<KeyVersion> = fc
  .record({
    key: texts,
    value: texts,
    lease: fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    createRevision: numbers,
    modRevision: numbers,
    sub: fc.constant(0),
    version: numbers,
  })
  .map((write) => new KeyVersion(write, undefined));

const rangeResponses = fc.record({
  revision: numbers,
  versions: fc.array(versions, { maxLength: 4 }),
  count: numbers,
  more: fc.boolean(),
  keysOnly: fc.boolean(),
});
const putResponses = fc.record({ revision: numbers, previous: fc.option(versions, { nil: undefined }) });
const deleteResponses = fc.record({
  revision: numbers,
  deleted: numbers,
  previous: fc.array(versions, { maxLength: 3 }),
});
const txnResponses: fc.Arbitrary<TxnResponse> = fc.letrec<{ txn: TxnResponse; op: ResponseOp }>((tie) => ({
  txn: fc.record({ revision: numbers, succeeded: fc.boolean(), responses: fc.array(tie("op"), { maxLength: 3 }) }),
  op: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    rangeResponses.map((range): ResponseOp => ({ kind: "range", range })),
    putResponses.map((put): ResponseOp => ({ kind: "put", put })),
    deleteResponses.map((deleteRange): ResponseOp => ({ kind: "delete-range", deleteRange })),
    tie("txn").map((txn): ResponseOp => ({ kind: "txn", txn })),
  ),
})).txn;

function matches(name: string, revision: number, write: (out: ReverseWriter) => void, expected: object): void {
  const codec = messageCodec<object>(`etcdserverpb.${name}`);
  const header = { clusterId: responder.clusterId, memberId: responder.memberId, revision, raftTerm: 7 };
  const bytes = encodeResponse(responder, revision, 7, write);
  expect(Buffer.compare(bytes, codec.encode({ header, ...expected }))).toBe(0);
}

function keyValue(version: KeyVersion, keysOnly = false): object {
  const { key, value, createRevision, modRevision, version: count, lease } = version;
  return {
    key: Buffer.from(key, "latin1"),
    ...(keysOnly || value === "" ? {} : { value: Buffer.from(value, "latin1") }),
    createRevision,
    modRevision,
    version: count,
    ...(lease === 0n ? {} : { lease: longOf(lease) }),
  };
}
const longOf = (value: bigint): object => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned: false,
});

type RangeLike = typeof rangeResponses extends fc.Arbitrary<infer R> ? R : never;
const rangeMessage = ({ versions: list, more, count, keysOnly }: RangeLike): object => ({
  kvs: list.map((version) => keyValue(version, keysOnly)),
  ...(more ? { more } : {}),
  ...(count === 0 ? {} : { count }),
});
const revisionOnly = (revision: number): object => (revision === 0 ? {} : { revision });

function opMessage(op: ResponseOp): object {
  switch (op.kind) {
    case "range":
      return {
        responseRange: {
          header: revisionOnly(op.range.revision),
          ...rangeMessage({ ...op.range, versions: [...op.range.versions] }),
        },
      };
    case "put":
      return { responsePut: { header: revisionOnly(op.put.revision), ...putMessage(op.put.previous) } };
    case "delete-range":
      return {
        responseDeleteRange: { header: revisionOnly(op.deleteRange.revision), ...deleteMessage(op.deleteRange) },
      };
    default:
      return { responseTxn: { header: revisionOnly(op.txn.revision), ...txnMessage(op.txn) } };
  }
}
const putMessage = (previous: KeyVersion | undefined): object =>
  previous === undefined ? {} : { prevKv: keyValue(previous) };
const deleteMessage = ({ deleted, previous }: { deleted: number; previous: readonly KeyVersion[] }): object => ({
  ...(deleted === 0 ? {} : { deleted }),
  prevKvs: previous.map((version) => keyValue(version)),
});
const txnMessage = ({ succeeded, responses }: TxnResponse): object => ({
  ...(succeeded ? { succeeded } : {}),
  responses: responses.map(opMessage),
});

describe("responses, byte for byte as protobufjs encodes them", () => {
  it("range", () => {
    fc.assert(
      fc.property(rangeResponses, (response) => {
        matches("RangeResponse", response.revision, (out) => writeRange(out, response), rangeMessage(response));
      }),
    );
  });
  it("put", () => {
    fc.assert(
      fc.property(putResponses, (response) => {
        matches("PutResponse", response.revision, (out) => writePut(out, response), putMessage(response.previous));
      }),
    );
  });
  it("delete range", () => {
    fc.assert(
      fc.property(deleteResponses, (response) => {
        matches(
          "DeleteRangeResponse",
          response.revision,
          (out) => writeDeleteRange(out, response),
          deleteMessage(response),
        );
      }),
    );
  });
  it("transaction, nested", () => {
    fc.assert(
      fc.property(txnResponses, (response) => {
        matches("TxnResponse", response.revision, (out) => writeTxn(out, response), txnMessage(response));
      }),
    );
  });

  it("a response of megabytes, and a small one after it", () => {
    const big = new KeyVersion(
      { key: "k", value: "v".repeat(3_000_000), lease: 0n, createRevision: 1, modRevision: 1, sub: 0, version: 1 },
      undefined,
    );
    for (const list of [[big, big], []]) {
      const response = { revision: 2, versions: list, count: list.length, more: false, keysOnly: false };
      const write = (out: ReverseWriter): void => writeRange(out, response);
      expect(() => matches("RangeResponse", 2, write, rangeMessage(response))).not.toThrow();
    }
  });
});
