import { afterEach, describe, expect, test } from "vitest";
import { stepByStep } from "../../src/sim/macrotask.js";

const node = process as { _tickCallback?: (() => void) | undefined };
const original = node._tickCallback;

afterEach(() => {
  node._tickCallback = original;
});

const ways: readonly (readonly [string, (() => void) | undefined])[] = [
  ["many steps in a macrotask", original],
  ["a macrotask a step", undefined],
  ["a macrotask a step, where what Node has does something else", () => {}],
];

describe.each(ways)("%s", (_, tickCallback) => {
  test("all promises that a step settled have run their course before the next", async () => {
    node._tickCallback = tickCallback;
    const seen: string[] = [];
    let steps = 0;
    await stepByStep(() => {
      const step = ++steps;
      seen.push(`step ${step}`);
      void (async () => {
        for (let hop = 0; hop < step; hop += 1) await Promise.resolve();
        process.nextTick(() => void Promise.resolve().then(() => seen.push(`end ${step}`)));
      })();
      return step < 300;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => [`step ${i + 1}`, `end ${i + 1}`]).flat());
  });

  test("the rest of the thread has its turn meanwhile", async () => {
    node._tickCallback = tickCallback;
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 1);
    let steps = 0;
    await stepByStep(() => ++steps < 50_000_000 && !fired);
    expect(fired).toBe(true);
  });

  test("what a step throws ends it", async () => {
    node._tickCallback = tickCallback;
    let steps = 0;
    const failing = stepByStep(() => {
      steps += 1;
      if (steps === 100) throw new Error("step 100");
      return true;
    });
    await expect(failing).rejects.toThrow("step 100");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(steps).toBe(100);
  });
});
