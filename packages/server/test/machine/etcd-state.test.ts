import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeResult } from "../../src/machine/command-result.js";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { range } from "../../src/sim/kv-request.js";
import { messageCodec } from "../../src/wire/schema.js";
import { commands, deleteCommand, publishCommand, putCommand, txnCommand } from "./commands.js";

let state: EtcdState;
beforeEach(() => {
  state = new EtcdState();
});

function apply(command: Uint8Array): { readonly revision: number; readonly fields: Uint8Array } {
  const [result] = state.apply([{ data: command }]);
  if (result === undefined) throw new Error("a command without a result");
  return decodeResult(result);
}

describe("the replicated state", () => {
  it("answers each command with the revision and the response's fields", () => {
    expect(apply(putCommand("a", "1"))).toEqual({ revision: 2, fields: new Uint8Array(0) });
    const { revision, fields } = apply(deleteCommand("a", "", { prevKv: true }));
    expect(revision).toBe(3);
    const response = messageCodec<object>("etcdserverpb.DeleteRangeResponse").decode(fields);
    expect(response).toMatchObject({ prevKvs: [{ key: Uint8Array.of(97), value: Uint8Array.of(49) }] });
  });

  it("answers a batch in order", () => {
    const results = state.apply([putCommand("a", "1"), putCommand("a", "2")].map((data) => ({ data })));
    expect(results.map((result) => decodeResult(result).revision)).toEqual([2, 3]);
  });

  it.each([
    ["a put that keeps the value of no key", putCommand("a", "", { ignoreValue: true }), "key-not-found"],
    ["a put under a lease, since there are none yet", putCommand("a", "1", { lease: 7 }), "lease-not-found"],
    [
      "a transaction that reads the future",
      txnCommand({
        success: [{ requestPut: { key: Buffer.from("a") } }, { requestRange: { key: Buffer.from("a"), revision: 9 } }],
      }),
      "future-revision",
    ],
  ])("%s is refused and changes nothing", (_what, command, code) => {
    expect(() => apply(command)).toThrow(expect.objectContaining({ code }));
    expect(state.store.revision).toBe(1);
    expect(state.range(range("a")).count).toBe(0);
  });

  it("knows what members have published, the last word counts", () => {
    apply(publishCommand(2 ** 52 + 1, "m1", ["http://a:1", "http://b:2"]));
    apply(publishCommand(2 ** 52 + 1, "m1", ["http://c:3"]));
    expect(state.attributesOf(2 ** 52 + 1)).toEqual({ memberId: 2 ** 52 + 1, name: "m1", clientUrls: ["http://c:3"] });
    expect(state.attributesOf(2 ** 52 + 2)).toBeUndefined();
    expect(state.store.revision).toBe(1);
  });

  it.each([
    ["of no known kind", Uint8Array.of(99, 0)],
    ["with unknown flags", Uint8Array.of(1, 1)],
    ["without content", new Uint8Array(0)],
    ["that is no message", Uint8Array.of(1, 0, 10, 200)],
  ])("a command %s stops the member rather than be guessed at", (_what, command) => {
    expect(() => state.apply([{ data: command }])).toThrow(/a command of the log|index out of range/);
  });

  it("the same commands give the same results and the same state, byte for byte", () => {
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 20 }), (log) => {
        const [a, b] = [new EtcdState(), new EtcdState()];
        const batch = log.map((data) => ({ data }));
        const resultsOfA = a.apply(batch);
        const resultsOfB = batch.flatMap((command) => b.apply([command]));
        expect(Buffer.compare(Buffer.concat(resultsOfA), Buffer.concat(resultsOfB))).toBe(0);
        expect(Buffer.compare(Buffer.concat([...a.snapshot()]), Buffer.concat([...b.snapshot()]))).toBe(0);
      }),
    );
  });
});
