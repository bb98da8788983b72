import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { messageCodec } from "../../src/wire/schema.js";
import { Served } from "./served.js";

/* Through real gRPC, with the npm package etcd3 as the client. */

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(async () => {
  await served.stop();
});

describe("KV, as etcd3 sees it", () => {
  it("puts, gets and deletes, with headers that say who answered", async () => {
    const { etcd3, consensus } = served;
    const { header } = await etcd3.put("a").value("1");
    expect(header).toEqual({
      cluster_id: String(consensus.clusterId),
      member_id: String(consensus.memberId),
      revision: "2",
      raft_term: "2",
    });
    expect(await etcd3.get("a").string()).toBe("1");
    expect(await etcd3.get("b").string()).toBeNull();
    expect((await etcd3.delete().key("a")).deleted).toBe("1");
    expect(await etcd3.get("a").string()).toBeNull();
  });

  it("keeps any bytes", async () => {
    const key = Buffer.from([0, 255, 128, 10]);
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await served.etcd3.put(key).value(value);
    expect(await served.etcd3.get(key).buffer()).toEqual(value);
  });

  it("reads ranges: prefix, limit, sorting, count, keys", async () => {
    const { etcd3 } = served;
    for (const [i, key] of ["p/1", "p/2", "p/3", "q"].entries()) await etcd3.put(key).value(String(9 - i));
    expect(await etcd3.getAll().prefix("p/").strings()).toEqual({ "p/1": "9", "p/2": "8", "p/3": "7" });
    expect(await etcd3.getAll().prefix("p/").limit(1).sort("Value", "Ascend").keys()).toEqual(["p/3"]);
    expect(await etcd3.getAll().prefix("p/").count()).toBe(3);
    expect(await etcd3.getAll().all().keys()).toEqual(["p/1", "p/2", "p/3", "q"]);
    const { kvs, more, count } = await etcd3.getAll().prefix("p/").limit(2).exec();
    expect([kvs.length, more, count]).toEqual([2, true, "3"]);
  });

  it("reads an old revision", async () => {
    const { etcd3 } = served;
    await etcd3.put("a").value("old");
    await etcd3.put("a").value("new");
    expect(await etcd3.get("a").revision(2).string()).toBe("old");
  });

  it("gives what was there before", async () => {
    const { etcd3 } = served;
    await etcd3.put("a").value("1");
    expect((await etcd3.put("a").value("2").getPrevious()).value.toString()).toBe("1");
    const previous = await etcd3.delete().key("a").getPrevious();
    expect(previous.map((kv) => kv.value.toString())).toEqual(["2"]);
  });

  it("runs transactions, both branches", async () => {
    const { etcd3 } = served;
    const create = () =>
      etcd3.if("lock", "Create", "==", 0).then(etcd3.put("lock").value("mine")).else(etcd3.get("lock")).commit();
    expect(await create()).toMatchObject({ succeeded: true, header: { revision: "2" } });
    const second = await create();
    expect(second.succeeded).toBe(false);
    expect(second.responses[0]?.response_range.kvs[0]?.value.toString()).toBe("mine");
  });

  it("keeps a client's optimistic transaction optimistic", async () => {
    const { etcd3 } = served;
    await etcd3.put("n").value("0");
    const increments = Array.from({ length: 10 }, () =>
      etcd3.stm({ retries: 50 }).transact(async (tx) => {
        await tx.put("n").value(String(Number(await tx.get("n").string()) + 1));
      }),
    );
    await Promise.all(increments);
    expect(await etcd3.get("n").string()).toBe("10");
  });

  it("takes a value of a megabyte", async () => {
    const value = "x".repeat(1_000_000);
    await served.etcd3.put("big").value(value);
    expect((await served.etcd3.get("big").string()) === value).toBe(true);
  });
});

describe("compaction", () => {
  it("takes the past away, for every client", async () => {
    await served.etcd3.put("a").value("1");
    await served.etcd3.put("a").value("2");
    const compact = (revision: number) => served.call("KV/Compact", "CompactionRequest", { revision, physical: true });
    await compact(3);
    expect(await served.etcd3.get("a").revision(3).string()).toBe("2");
    const past = served.call("KV/Range", "RangeRequest", { key: Buffer.from("a"), revision: 2 });
    const details = "etcdserver: mvcc: required revision has been compacted";
    expect(await served.failure(past)).toEqual({ code: status.OUT_OF_RANGE, details });
    expect(await served.failure(compact(3))).toEqual({ code: status.OUT_OF_RANGE, details });
    expect(await served.failure(compact(9))).toMatchObject({ code: status.OUT_OF_RANGE });
  });
});

describe("what costs a place in the log, and what a confirmation", () => {
  const key = Buffer.from("a");
  const range = (request: object) => served.call("KV/Range", "RangeRequest", { key, ...request });
  const txn = (ops: readonly object[]) => served.call("KV/Txn", "TxnRequest", { success: ops });

  it("a linearizable read asks the cluster, a serializable one does not", async () => {
    await range({});
    expect(served.consensus.reads).toBe(1);
    await range({ serializable: true });
    expect(served.consensus.reads).toBe(1);
    expect(served.consensus.log).toHaveLength(0);
  });

  it("a transaction that only reads is a read", async () => {
    await txn([{ requestRange: { key } }]);
    expect(served.consensus.reads).toBe(1);
    await txn([{ requestRange: { key, serializable: true } }]);
    expect(served.consensus.reads).toBe(1);
    expect(served.consensus.log).toHaveLength(0);
    await txn([{ requestRange: { key } }, { requestPut: { key } }]);
    expect(served.consensus.log).toHaveLength(1);
  });

  it("a request that is refused for what it says never reaches the log", async () => {
    await served.failure(served.call("KV/Put", "PutRequest", {}));
    await served.failure(txn([{ requestPut: { key } }, { requestPut: { key } }]));
    expect(served.consensus.log).toHaveLength(0);
  });

  it("nested transactions keep their headers as etcd fills them", async () => {
    const response = await txn([
      { requestPut: { key } },
      { requestTxn: { success: [{ requestRange: { key: Buffer.from("b") } }] } },
    ]);
    const { responses } = messageCodec<{ responses: readonly Record<string, { header: object } | null>[] }>(
      "etcdserverpb.TxnResponse",
    ).decode(response);
    expect(String(Reflect.get(responses[0]?.["responsePut"]?.header ?? {}, "revision"))).toBe("2");
    expect(String(Reflect.get(responses[1]?.["responseTxn"]?.header ?? {}, "revision"))).toBe("0");
  });
});
