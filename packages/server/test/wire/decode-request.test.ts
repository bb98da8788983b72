import Long from "long";
import { describe, expect, it } from "vitest";
import { range } from "../../src/sim/kv-request.js";
import { decodeDeleteRange, decodePut, decodeRange, decodeTxn } from "../../src/wire/decode-request.js";
import { messageCodec } from "../../src/wire/schema.js";

const encode = (name: string, message: object): Uint8Array =>
  messageCodec<never, object>(`etcdserverpb.${name}`).encode(message);
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

describe("requests from their bytes", () => {
  it("what does not come has its default", () => {
    expect(decodeRange(encode("RangeRequest", {}))).toEqual(range(""));
    expect(decodePut(encode("PutRequest", {}))).toEqual({
      key: "",
      value: "",
      lease: 0n,
      prevKv: false,
      ignoreValue: false,
      ignoreLease: false,
    });
    expect(decodeDeleteRange(encode("DeleteRangeRequest", {}))).toEqual({ key: "", rangeEnd: "", prevKv: false });
    expect(decodeTxn(encode("TxnRequest", {}))).toEqual({ compare: [], success: [], failure: [] });
  });

  it("all fields of a range", () => {
    const message = {
      key: bytes("\x01\xff"),
      rangeEnd: bytes("\0"),
      limit: 3,
      revision: 4,
      sortOrder: 2,
      sortTarget: 3,
      serializable: true,
      keysOnly: true,
      countOnly: true,
      minModRevision: 5,
      maxModRevision: 6,
      minCreateRevision: 7,
      maxCreateRevision: 8,
    };
    expect(decodeRange(encode("RangeRequest", message))).toEqual({
      ...message,
      key: "\x01\xff",
      rangeEnd: "\0",
      sortOrder: "descend",
      sortTarget: "mod",
    });
  });

  it.each(["7fffffffffffffff", "694d5765fc71500b", "1", "ffffffffffffffff"])(
    "lease %s survives with its 64 bits",
    (hex) => {
      const lease = Long.fromString(hex, false, 16);
      const put = decodePut(encode("PutRequest", { key: bytes("k"), lease }));
      expect(put.lease).toBe(BigInt.asIntN(64, BigInt(`0x${hex}`)));
      const { compare } = decodeTxn(encode("TxnRequest", { compare: [{ target: 4, lease, key: bytes("k") }] }));
      expect(compare[0]).toMatchObject({ target: "lease", operand: put.lease });
    },
  );

  it("a limit beyond every number of keys stays beyond", () => {
    const { limit, revision } = decodeRange(
      encode("RangeRequest", { limit: Long.MAX_VALUE, revision: Long.MIN_VALUE }),
    );
    expect(limit).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(revision).toBeLessThan(0);
  });

  it("compares of each target, and an operand for another target counts as none", () => {
    const compare = [
      { target: 0, result: 0, key: bytes("a"), version: 1 },
      { target: 1, result: 1, key: bytes("a"), createRevision: 2 },
      { target: 2, result: 2, key: bytes("a"), modRevision: 3 },
      { target: 3, result: 3, key: bytes("a"), rangeEnd: bytes("b"), value: bytes("\xfe") },
      { target: 3, key: bytes("a"), version: 9 },
    ];
    expect(decodeTxn(encode("TxnRequest", { compare })).compare).toEqual([
      { target: "version", result: "equal", key: "a", rangeEnd: "", operand: 1 },
      { target: "create", result: "greater", key: "a", rangeEnd: "", operand: 2 },
      { target: "mod", result: "less", key: "a", rangeEnd: "", operand: 3 },
      { target: "value", result: "not-equal", key: "a", rangeEnd: "b", operand: "\xfe" },
      { target: "value", result: "equal", key: "a", rangeEnd: "", operand: "" },
    ]);
  });

  it("operations of each kind, an empty message for one too, and none at all", () => {
    const success = [
      { requestRange: {} },
      { requestPut: {} },
      { requestDeleteRange: {} },
      { requestTxn: { success: [{ requestPut: { key: bytes("x") } }] } },
      {},
    ];
    const decoded = decodeTxn(encode("TxnRequest", { success, failure: success.slice(0, 1) }));
    expect(decoded.success.map((op) => op.kind)).toEqual(["range", "put", "delete-range", "txn", "nothing"]);
    expect(decoded.success[3]).toMatchObject({ txn: { success: [{ put: { key: "x" } }] } });
    expect(decoded.failure).toHaveLength(1);
  });

  it("what is no request is refused: bytes, orders and compares that do not exist", () => {
    expect(() => decodePut(Uint8Array.of(10, 5, 1))).toThrow(expect.objectContaining({ code: "malformed" }));
    expect(() => decodeRange(encode("RangeRequest", { sortOrder: 3 }))).toThrow("invalid-sort-option");
    expect(() => decodeRange(encode("RangeRequest", { sortTarget: 5 }))).toThrow("invalid-sort-option");
    expect(() => decodeTxn(encode("TxnRequest", { compare: [{ target: 5 }] }))).toThrow("invalid-compare");
    expect(() => decodeTxn(encode("TxnRequest", { compare: [{ result: 4 }] }))).toThrow("invalid-compare");
  });
});
