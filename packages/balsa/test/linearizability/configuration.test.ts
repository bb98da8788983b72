import fc from "fast-check";
import { expect, test } from "vitest";
import { type Configuration, ConfigurationSet } from "../../src/linearizability/configuration.js";

function configuration(spent: bigint, rest: { readonly position?: number; readonly placed?: bigint } = {}) {
  const { position = 0, placed = 0n } = rest;
  return { position, placed, spent, state: 0, stateId: 0, path: undefined } satisfies Configuration<
    number,
    unknown,
    unknown
  >;
}

test("who spent more than another that was seen is not looked at; who spent less, or something else, is", () => {
  const seen = new ConfigurationSet();
  expect(seen.add(configuration(0b011n))).toBe(true);
  expect(seen.add(configuration(0b111n))).toBe(false);
  expect(seen.add(configuration(0b011n))).toBe(false);
  expect(seen.add(configuration(0b101n))).toBe(true);
  expect(seen.size).toBe(2);
  expect(seen.add(configuration(0b001n))).toBe(true);
  expect(seen.size).toBe(1);
  expect(seen.add(configuration(0b101n))).toBe(false);
});

test("those that differ in anything else don't speak for each other", () => {
  const seen = new ConfigurationSet();
  expect(seen.add(configuration(0n))).toBe(true);
  expect(seen.add(configuration(0n, { position: 1 }))).toBe(true);
  expect(seen.add(configuration(0n, { placed: 1n }))).toBe(true);
  expect(seen.add({ ...configuration(0n), stateId: seen.stateId("other") + 1 })).toBe(true);
});

test("it refuses exactly those of which a subset was added, in whatever order, and remembers no more than it must", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(0n, 63n), { maxLength: 30 }), (list) => {
      const seen = new ConfigurationSet();
      const added: bigint[] = [];
      for (const spent of list) {
        expect(seen.add(configuration(spent))).toBe(!added.some((other) => (other & spent) === other));
        added.push(spent);
      }
      const smallest = added.filter((one) => !added.some((other) => other !== one && (other & one) === other));
      expect(seen.size).toBe(new Set(smallest).size);
    }),
  );
});
