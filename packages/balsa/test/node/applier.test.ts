import { expect, test } from "vitest";
import { encodeCommand } from "../../src/codec/index.js";
import type { Entry, StorageApply } from "../../src/core/index.js";
import { Applier } from "../../src/node/applier.js";
import type { Command } from "../../src/node/index.js";

function entry(index: number): Entry {
  const data = encodeCommand({ kind: "application", payload: new Uint8Array([index]) });
  return { index, term: 1, type: "normal", data, checksum: 0 };
}

function message(...indexes: readonly number[]): StorageApply {
  return { type: "storage-apply", from: 1, to: 2, term: 1, entries: indexes.map(entry), responses: [] } as never;
}

/** A state machine that answers a batch when it is told to. */
function scene() {
  const batches: number[][] = [];
  const answers: (() => void)[] = [];
  const log: string[] = [];
  const stateMachine = {
    apply: (batch: readonly Command[]): Promise<readonly Uint8Array[]> => {
      batches.push(batch.map(({ index }) => index));
      return new Promise((resolve) => answers.push(() => resolve(batch.map(() => new Uint8Array(0)))));
    },
    snapshot: () => [],
    restore: () => Promise.resolve(),
  };
  const applier = new Applier(stateMachine, {
    onLibraryEntry: () => {},
    onApplied: (index) => log.push(`applied ${index}`),
    onDone: ({ entries }) => log.push(`done ${entries.at(-1)?.index}`),
    onFailure: (cause) => log.push(String(cause)),
  });
  const answer = async (): Promise<void> => {
    answers.shift()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { applier, batches, log, answer };
}

test("F4 a state machine that takes its time gets all that came meanwhile in one batch, in order", async () => {
  const { applier, batches, log, answer } = scene();
  for (const index of [1, 2, 3, 4]) applier.apply(message(index));
  expect(batches).toEqual([[1]]);
  await answer();
  expect(batches).toEqual([[1], [2, 3, 4]]);
  expect(log).toEqual(["applied 1", "done 1"]);
  applier.apply(message(5, 6));
  await answer();
  expect(log.slice(2)).toEqual(["applied 2", "applied 3", "applied 4", "done 2", "done 3", "done 4"]);
  await answer();
  expect(batches).toEqual([[1], [2, 3, 4], [5, 6]]);
  expect(log.slice(-1)).toEqual(["done 6"]);
});

test("F4 what is to be restored between two messages stands between their batches", async () => {
  const { applier, batches, log, answer } = scene();
  applier.apply(message(1));
  applier.apply(message(2));
  applier.between(() => log.push("between"));
  applier.apply(message(3));
  await answer();
  await answer();
  expect(log).toEqual(["applied 1", "done 1", "applied 2", "done 2", "between"]);
  expect(batches).toEqual([[1], [2], [3]]);
});
