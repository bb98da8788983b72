import { BalsaError } from "balsa/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { range } from "../../src/sim/kv-request.js";
import { commands, publishCommand, putCommand } from "./commands.js";

const snapshotOf = (state: EtcdState): Buffer => Buffer.concat([...state.snapshot()]);

/** The stream, cut at any places. */
async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function restored(bytes: Uint8Array, sizes: readonly number[] = []): Promise<EtcdState> {
  const state = new EtcdState();
  await state.restore(cut(bytes, sizes));
  return state;
}

function after(log: readonly Uint8Array[]): EtcdState {
  const state = new EtcdState();
  state.apply(log.map((data) => ({ data })));
  return state;
}

/** All that can be read, at all revisions that are not compacted. */
function everything(state: EtcdState): object[] {
  const { revision, compactedRevision } = state.store;
  const first = Math.max(1, compactedRevision);
  const all = Array.from({ length: revision - first + 1 }, (_, i) =>
    state
      .range(range("\0", { rangeEnd: "\0", revision: first + i }))
      .versions.map(({ key, value, lease, createRevision, modRevision, sub, version }) => ({
        key,
        value: value.length > 10 ? value.length : value,
        lease,
        createRevision,
        modRevision,
        sub,
        version,
      })),
  );
  return [{ size: state.store.sizeBytes, compactedRevision }, ...all];
}

describe("a snapshot", () => {
  it("brings back the whole state, history included, however its bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(commands, { maxLength: 20 }),
        fc.array(fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 100_000 })), { maxLength: 20 }),
        async (log, sizes) => {
          const original = after(log);
          const bytes = snapshotOf(original);
          const copy = await restored(bytes, sizes);
          expect(everything(copy)).toEqual(everything(original));
          expect(Buffer.compare(snapshotOf(copy), bytes)).toBe(0);
          for (const id of [1, 2, 3])
            expect(copy.attributesOf(2 ** 52 + id)).toEqual(original.attributesOf(2 ** 52 + id));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("goes on from where it was: the same commands after it give the same state", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(commands, { maxLength: 12 }),
        fc.array(commands, { maxLength: 12 }),
        async (before, later) => {
          const original = after(before);
          const copy = await restored(snapshotOf(original));
          const batch = later.map((data) => ({ data }));
          expect(Buffer.concat(copy.apply(batch)).equals(Buffer.concat(original.apply(batch)))).toBe(true);
          expect(snapshotOf(copy).equals(snapshotOf(original))).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is of the moment it was asked for, whatever is applied while it is read", () => {
    const state = after([]);
    for (let i = 0; i < 3_000; i++) state.apply([{ data: putCommand(`key${i % 1_000}`, "x".repeat(200)) }]);
    const expected = snapshotOf(state);
    const late: Uint8Array[] = [];
    let writes = 0;
    for (const chunk of state.snapshot()) {
      late.push(chunk);
      // Before, within and behind what has been read; an old key's next version, and a new key.
      const data = [
        putCommand(`key${writes}`, "new"),
        putCommand(`key${999 - writes}`, "new"),
        putCommand(`key9${writes++}more`, ""),
        publishCommand(9, "n", []),
      ];
      state.apply(data.map((command) => ({ data: command })));
    }
    expect(writes).toBeGreaterThan(3);
    expect(Buffer.concat(late).equals(expected)).toBe(true);
    expect(snapshotOf(state).equals(expected)).toBe(false);
  });

  it("does not depend on the order in which members made themselves known", () => {
    const publish = (id: number): Uint8Array => publishCommand(2 ** 52 + id, `m${id}`, []);
    expect(snapshotOf(after([publish(2), publish(1)])).equals(snapshotOf(after([publish(1), publish(2)])))).toBe(true);
  });

  it("comes in bounded pieces", () => {
    const state = after(Array.from({ length: 40 }, (_, i) => putCommand(`k${i}`, "x".repeat(20_000))));
    const sizes = [...state.snapshot()].map((chunk) => chunk.length);
    expect(sizes.length).toBeGreaterThan(5);
    expect(Math.max(...sizes)).toBeLessThan(160 * 1024);
  });

  it("cut short anywhere, or with bytes behind its end, is refused and leaves the state as it was", async () => {
    const bytes = snapshotOf(after([putCommand("a", "1"), putCommand("b", "2"), publishCommand(7, "m", ["u"])]));
    const bad = [
      ...Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length)),
      Buffer.concat([bytes, bytes]),
    ];
    for (const content of bad) {
      const state = after([putCommand("kept", "v")]);
      await expect(state.restore(cut(content, []))).rejects.toThrow(BalsaError);
      expect(state.range(range("kept")).count).toBe(1);
    }
  });

  it("of another format version, with keys out of order or an absurd length is refused", async () => {
    const bytes = snapshotOf(after([putCommand("a", "1"), putCommand("b", "2")]));
    const wrongVersion = Buffer.from(bytes);
    wrongVersion[2] = 9;
    await expect(restored(wrongVersion)).rejects.toThrow("format version");
    const disordered = Buffer.from(bytes);
    disordered[disordered.lastIndexOf("b")] = "A".charCodeAt(0);
    await expect(restored(disordered)).rejects.toThrow("out of order");
    await expect(restored(Buffer.from([0xff, 0xff, 0xff, 0x7f]))).rejects.toThrow("impossible length");
    await expect(restored(Buffer.from([0]))).rejects.toThrow("impossible length");
  });
});
