import fc from "fast-check";
import { expect, test } from "vitest";
import { DigestedState } from "../../src/sim/state-digest.js";
import { commands, deleteCommand, putCommand } from "../machine/commands.js";

function after(log: readonly Uint8Array[]): DigestedState {
  const state = new DigestedState();
  state.apply(log.map((data) => ({ data })));
  return state;
}

/** The digest asked for after every command, as a trial does. */
function afterEach(log: readonly Uint8Array[]): readonly [DigestedState, digests: readonly number[]] {
  const state = new DigestedState();
  const digests = log.map((data) => {
    state.apply([{ data }]);
    return state.digest;
  });
  return [state, digests];
}

const logs = fc.array(commands, { minLength: 1, maxLength: 20 });

test("F4 the digest of a state is the same however often it was asked for, and in a state restored from its snapshot", async () => {
  await fc.assert(
    fc.asyncProperty(logs, logs, async (before, later) => {
      const [state, digests] = afterEach(before);
      expect(digests.at(-1)).toBe(after(before).digest);
      // One that has known another state, and takes this one on.
      const [restored] = afterEach(later);
      async function* content(): AsyncGenerator<Uint8Array> {
        yield* state.snapshot();
      }
      await restored.restore(content());
      expect(restored.digest).toBe(state.digest);
      for (const data of later) {
        for (const each of [state, restored]) each.apply([{ data }]);
        expect(restored.digest).toBe(state.digest);
      }
    }),
    { numRuns: 50 },
  );
});

test("F4 states that can be told apart have different digests, for all that is drawn", () => {
  const byDigest = new Map<number, string>();
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 8 }), (log) => {
      const state = after(log);
      const { revision, compactedRevision, keys } = state.store.freeze();
      const all = [...keys.histories()].map(({ newest }) => {
        const versions: string[] = [];
        for (let at: typeof newest | undefined = newest; at !== undefined; at = at.previous) {
          const { key, value, createRevision, modRevision, sub, version } = at;
          versions.push(JSON.stringify([key, value, createRevision, modRevision, sub, version]));
        }
        return versions;
      });
      const text = JSON.stringify([revision, compactedRevision, all]);
      expect(byDigest.get(state.digest) ?? text).toBe(text);
      byDigest.set(state.digest, text);
    }),
    { numRuns: 300 },
  );
  expect(byDigest.size).toBeGreaterThan(100);
});

test.each<[string, Uint8Array[], Uint8Array[]]>([
  ["a value", [putCommand("a", "1")], [putCommand("a", "2")]],
  ["a key", [putCommand("a", "1")], [putCommand("b", "1")]],
  ["where one ends and the other begins", [putCommand("ab", "c")], [putCommand("a", "bc")]],
  [
    "which key has which value",
    [putCommand("a", "1"), putCommand("b", "2")],
    [putCommand("b", "2"), putCommand("a", "1")],
  ],
  ["what was there before", [putCommand("a", "1"), putCommand("a", "3")], [putCommand("a", "2"), putCommand("a", "3")]],
  ["that it was there", [putCommand("a", "1"), deleteCommand("a")], [putCommand("b", "1"), deleteCommand("b")]],
])("F4 the digest tells %s", (_what, one, other) => {
  expect(after(one).digest).not.toBe(after(other).digest);
});
