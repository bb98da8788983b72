import { expect, test } from "vitest";
import { Store } from "../../src/mvcc/store.js";
import { type EtcdInput, requestOf, resolve } from "../../src/sim/etcd-input.js";

/** At revision 4: "a" was put at 2, and again at 3; "b" at 4. */
function store(): Store {
  const made = new Store();
  for (const [key, value] of [
    ["a", "1"],
    ["a", "2"],
    ["b", "3"],
  ] as const) {
    const txn = made.begin();
    txn.put(key, value, 0n);
    txn.end();
  }
  return made;
}

test.each<[EtcdInput, EtcdInput]>([
  [
    { kind: "range", key: "a", revision: { behind: 1 } },
    { kind: "range", key: "a", revision: 3 },
  ],
  [
    { kind: "range", key: "a", revision: { behind: -1 } },
    { kind: "range", key: "a", revision: 5 },
  ],
  // 0 would ask for the newest.
  [
    { kind: "range", key: "a", revision: { behind: 9 } },
    { kind: "range", key: "a", revision: 1 },
  ],
  [
    { kind: "compact", revision: { behind: 9 } },
    { kind: "compact", revision: 0 },
  ],
  [
    { kind: "swap", key: "a", value: "4", seen: { behind: 0 } },
    { kind: "swap", key: "a", value: "4", seen: 3 },
  ],
  [
    { kind: "swap", key: "a", value: "4", seen: { behind: 2 } },
    { kind: "swap", key: "a", value: "4", seen: 2 },
  ],
  [
    { kind: "swap", key: "c", value: "4", seen: { behind: 0 } },
    { kind: "swap", key: "c", value: "4", seen: 0 },
  ],
  [
    { kind: "move", key: "b", to: "a", value: "4", seen: { behind: 0 } },
    { kind: "move", key: "b", to: "a", value: "4", seen: "3" },
  ],
  [
    { kind: "move", key: "b", to: "a", value: "4", seen: { behind: 1 } },
    { kind: "move", key: "b", to: "a", value: "4", seen: "none" },
  ],
])("%j is, at revision 4, %j", (drawn, asked) => {
  const resolved = resolve(drawn, store());
  expect(resolved).toEqual(asked);
  expect(resolve(resolved, new Store())).toEqual(asked);
  expect(() => requestOf(drawn)).toThrow(/resolved/);
  expect(requestOf(asked).kind).toBe(drawn.kind === "swap" || drawn.kind === "move" ? "txn" : drawn.kind);
});
