import { describe, expect, test } from "vitest";
import type { EntryRange, RawNode } from "../../src/core/index.js";
import { EntryFetches } from "../../src/node/entry-fetches.js";
import { ENTRY_FETCHES_MAX } from "../../src/node/limits.js";

/** What the core needs, reads that end when they are told to, and what came of them. */
function fetching() {
  const needed: EntryRange[] = [];
  const reading = new Map<number, { readonly to: number; end(): void; fail(cause: Error): void }>();
  const heard = { fetched: 0, failures: [] as unknown[], begun: [] as number[] };
  const fetches = new EntryFetches({
    raw: { entriesNeeded: () => needed } as unknown as RawNode,
    storage: {
      fetchEntries: (from, to) => {
        heard.begun.push(from);
        return new Promise((resolve, reject) => {
          reading.set(from, {
            to,
            end: () => (reading.delete(from), resolve()),
            fail: (cause) => (reading.delete(from), reject(cause)),
          });
        });
      },
    },
    onFetched: () => heard.fetched++,
    onFailure: (cause) => heard.failures.push(cause),
  });
  return { needed, reading, heard, fetches };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("fetches of old entries", () => {
  test("each range is read once at a time, however often it is asked for, and by however many", async () => {
    const { needed, reading, heard, fetches } = fetching();
    fetches.update();
    expect(heard.begun).toEqual([]);
    needed.push({ from: 5, to: 90 }, { from: 5, to: 90 });
    for (let i = 0; i < 3; i++) fetches.update();
    expect([...reading].map(([from, { to }]) => [from, to])).toEqual([[5, 90]]);
    reading.get(5)?.end();
    await turn();
    expect(heard.fetched).toBe(1);
    // It was not enough, or did not stay.
    fetches.update();
    expect(heard.begun).toEqual([5, 5]);
  });

  test("only so many reads at a time; whoever waits longest is next, and nobody is passed over for ever", async () => {
    const { needed, reading, heard, fetches } = fetching();
    needed.push(...[1, 2, 3, 4, 5, 6].map((n) => ({ from: n * 100, to: n * 100 + 50 })));
    fetches.update();
    expect(reading.size).toBe(ENTRY_FETCHES_MAX);
    // The first ones want more and more.
    for (let round = 1; round <= 3; round++) {
      const [from = 0] = reading.keys();
      reading.get(from)?.end();
      await turn();
      const place = needed.findIndex((range) => range.from === from);
      needed[place] = { from: from + 1, to: from + 50 };
      fetches.update();
      expect(reading.size).toBe(ENTRY_FETCHES_MAX);
    }
    expect(heard.begun).toEqual([100, 200, 300, 400, 500, 600, 101]);
  });

  test("what is not needed any more is not read", async () => {
    const { needed, reading, heard, fetches } = fetching();
    needed.push(...[1, 2, 3, 4, 5, 6].map((n) => ({ from: n, to: 50 })));
    fetches.update();
    needed.splice(4, 1);
    reading.get(1)?.end();
    await turn();
    needed.shift();
    fetches.update();
    expect(heard.begun).toEqual([1, 2, 3, 4, 6]);
  });

  test("a read that fails is told of", async () => {
    const { needed, reading, heard, fetches } = fetching();
    needed.push({ from: 1, to: 5 });
    fetches.update();
    reading.get(1)?.fail(new Error("rot"));
    await turn();
    expect(heard.failures).toEqual([new Error("rot")]);
    expect(heard.fetched).toBe(0);
  });
});
