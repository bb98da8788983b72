import { expect, test } from "vitest";
import { Recorded } from "../../../balsa/test/golden/recorded.js";
import { decodeCommand } from "../../src/machine/command.js";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { deleteCommand, publishCommand, putCommand, txnCommand } from "../machine/commands.js";

// Commands and snapshots of the state machine are, byte for byte, what they were when they were made: members of both
// releases of a cluster read them.

const recorded = new Recorded(new URL("machine.json", import.meta.url));

const log = (): readonly Uint8Array[] => [
  publishCommand(2 ** 52 + 1, "öne", ["http://one:2379"]),
  putCommand("a", "1", { lease: "81985529216486895" }),
  putCommand("a", "2", { prevKv: true }),
  putCommand("b", "\xff\0"),
  deleteCommand("b", "c"),
  txnCommand({ success: [{ requestPut: { key: Buffer.from("t"), value: Buffer.from("3") } }] }),
];

const KINDS = ["publish", "put", "put", "put", "deleteRange", "txn"];

const samples = (): readonly Uint8Array[] =>
  log().map((command, at) => recorded.bytes(`command ${at} ${KINDS[at] ?? ""}`, () => command));

const snapshotOf = (state: EtcdState): Uint8Array => new Uint8Array(Buffer.concat([...state.snapshot()]));

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test("commands are written as they were, and read", () => {
  expect(log().map((command) => [...command])).toEqual(samples().map((command) => [...command]));
  expect(samples().map((command) => decodeCommand(command).kind)).toEqual(KINDS);
});

test("the same commands give the same state, a snapshot of which is written as it was, and read", async () => {
  const state = new EtcdState();
  state.apply(samples().map((data) => ({ data })));
  const bytes = recorded.bytes("snapshot", () => snapshotOf(state));
  expect(snapshotOf(state)).toEqual(bytes);
  const restored = new EtcdState();
  await restored.restore(once(bytes));
  expect(snapshotOf(restored)).toEqual(bytes);
});
