import { status } from "@grpc/grpc-js";
import { BalsaError, type BalsaErrorCode } from "balsa/core";
import { GRPCOutOfRangeError } from "etcd3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GRPC_RECEIVE_BYTES_MAX, REQUEST_BYTES_MAX } from "../../src/limits.js";
import { GrpcListener } from "../../src/rpc/grpc-listener.js";
import { services } from "../../src/wire/schema.js";
import { Served } from "./served.js";

/* etcd's texts and codes, as they come out of the wire: clients tell errors apart by them. */

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(async () => {
  await served.stop();
});

const key = Buffer.from("a");
const invalid = status.INVALID_ARGUMENT;
const many = Array.from({ length: 129 }, (_, i) => ({ requestPut: { key: Buffer.from(`k${i}`) } }));

describe("a request that is wrong", () => {
  it.each<[string, string, string, object, number, string]>([
    ["no key", "KV/Range", "RangeRequest", {}, invalid, "etcdserver: key is not provided"],
    ["no key", "KV/Put", "PutRequest", {}, invalid, "etcdserver: key is not provided"],
    ["no key", "KV/DeleteRange", "DeleteRangeRequest", {}, invalid, "etcdserver: key is not provided"],
    ["no key", "KV/Txn", "TxnRequest", { success: [{ requestPut: {} }] }, invalid, "etcdserver: key is not provided"],
    [
      "a value to be ignored",
      "KV/Put",
      "PutRequest",
      { key, value: key, ignoreValue: true },
      invalid,
      "etcdserver: value is provided",
    ],
    [
      "a lease to be ignored",
      "KV/Put",
      "PutRequest",
      { key, lease: 1, ignoreLease: true },
      invalid,
      "etcdserver: lease is provided",
    ],
    [
      "no key to keep the value of",
      "KV/Put",
      "PutRequest",
      { key, ignoreValue: true },
      invalid,
      "etcdserver: key not found",
    ],
    [
      "an unknown lease",
      "KV/Put",
      "PutRequest",
      { key, lease: 1 },
      status.NOT_FOUND,
      "etcdserver: requested lease not found",
    ],
    [
      "too many operations",
      "KV/Txn",
      "TxnRequest",
      { success: many },
      invalid,
      "etcdserver: too many operations in txn request",
    ],
    [
      "a key put twice",
      "KV/Txn",
      "TxnRequest",
      { failure: [{ requestPut: { key } }, { requestPut: { key } }] },
      invalid,
      "etcdserver: duplicate key given in txn request",
    ],
    [
      "the future",
      "KV/Range",
      "RangeRequest",
      { key, revision: 2 },
      status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision is a future revision",
    ],
    [
      "the future, in a transaction that writes",
      "KV/Txn",
      "TxnRequest",
      { success: [{ requestRange: { key, revision: 2 } }, { requestPut: { key } }] },
      status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision is a future revision",
    ],
    [
      "the future, in a transaction that reads",
      "KV/Txn",
      "TxnRequest",
      { success: [{ requestRange: { key, revision: 2 } }] },
      status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision is a future revision",
    ],
    [
      "an order that does not exist",
      "KV/Range",
      "RangeRequest",
      { key, sortOrder: 7 },
      invalid,
      "etcdserver: invalid sort option",
    ],
  ])("%s, %s", async (_what, method, type, request, code, details) => {
    expect(await served.failure(served.call(method, type, request))).toEqual({ code, details });
    expect(served.state.store.revision).toBe(1);
  });

  it("too large for the log, up to what a message may hold", async () => {
    const put = (bytes: number) => served.call("KV/Put", "PutRequest", { key, value: Buffer.alloc(bytes) });
    await put(REQUEST_BYTES_MAX - 100);
    const tooLarge = { code: invalid, details: "etcdserver: request is too large" };
    expect(await served.failure(put(REQUEST_BYTES_MAX))).toEqual(tooLarge);
    expect(await served.failure(put(GRPC_RECEIVE_BYTES_MAX - 100))).toEqual(tooLarge);
    expect(await served.failure(put(GRPC_RECEIVE_BYTES_MAX))).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it("no message at all", async () => {
    expect(await served.failure(served.callBytes("KV/Put", Buffer.from([10, 200])))).toMatchObject({
      code: status.INTERNAL,
    });
  });

  it("is an error of the right class for etcd3", async () => {
    await expect(served.etcd3.get("a").revision(9).exec()).rejects.toThrow(GRPCOutOfRangeError);
  });
});

describe("a cluster that can't serve", () => {
  it.each<[BalsaErrorCode, number, string]>([
    ["not-leader", status.UNAVAILABLE, "etcdserver: no leader"],
    ["superseded", status.UNAVAILABLE, "etcdserver: leader changed"],
    ["timeout", status.UNAVAILABLE, "etcdserver: request timed out"],
    ["overloaded", status.RESOURCE_EXHAUSTED, "etcdserver: too many requests"],
    ["too-large", invalid, "etcdserver: request is too large"],
    ["closed", status.UNAVAILABLE, "etcdserver: server stopped"],
    ["storage-failed", status.UNAVAILABLE, "etcdserver: server stopped"],
    ["invariant", status.UNAVAILABLE, "etcdserver: server stopped"],
    ["corrupt", status.DATA_LOSS, "etcdserver: corrupt cluster"],
    ["aborted", status.CANCELLED, "context canceled"],
    ["invalid-argument", status.INTERNAL, "balsa: why"],
  ])("%s", async (balsaCode, code, details) => {
    served.consensus.failure = new BalsaError(balsaCode, "why");
    expect(await served.failure(served.call("KV/Put", "PutRequest", { key }))).toEqual({ code, details });
    expect(await served.failure(served.call("KV/Range", "RangeRequest", { key }))).toEqual({ code, details });
    await served.call("KV/Range", "RangeRequest", { key, serializable: true });
  });

  it("a client that wants a member with a leader hears at once that there is none", async () => {
    served.consensus.leader = 0;
    const request = { key, serializable: true };
    const wanted = served.call("KV/Range", "RangeRequest", request, { hasleader: "true" });
    expect(await served.failure(wanted)).toEqual({ code: status.UNAVAILABLE, details: "etcdserver: no leader" });
    await served.call("KV/Range", "RangeRequest", request);
  });
});

describe("what is not there yet", () => {
  const there = [
    "KV/Range",
    "KV/Put",
    "KV/DeleteRange",
    "KV/Txn",
    "KV/Compact",
    "Maintenance/Status",
    "Cluster/MemberList",
  ];
  const missing = services().flatMap(({ name, methods }) =>
    methods
      .map((method) => ({ ...method, path: `${name.replace("etcdserverpb.", "")}/${method.name}` }))
      .filter(({ path }) => !there.includes(path)),
  );

  it.each(missing)("$path says so", async ({ path, name, requestStream, responseStream }) => {
    const expected = { code: status.UNIMPLEMENTED, details: `balsa: ${name} is not there yet` };
    const call = responseStream
      ? served.streamFailure(path, requestStream)
      : served.failure(served.callBytes(path, Buffer.alloc(0)));
    expect(await call).toEqual(expected);
  });

  it("methods of nobody's are unimplemented too", async () => {
    const call = served.callBytes("KV/Nonsense", Buffer.alloc(0));
    expect(await served.failure(call)).toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

describe("an address", () => {
  it("that is in use is refused by name", async () => {
    await expect(GrpcListener.open([served.address], new Map())).rejects.toMatchObject({
      code: "address-in-use",
      message: `client address ${served.address} is in use`,
    });
  });

  it("that is not this machine's is refused too", async () => {
    await expect(GrpcListener.open(["203.0.113.1:1"], new Map())).rejects.toMatchObject({ code: "invalid-option" });
  });
});
