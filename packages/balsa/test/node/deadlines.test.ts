import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deadlines, Waiter } from "../../src/node/deadlines.js";
import { DEADLINE_SLOTS } from "../../src/node/limits.js";

class Recorder extends Waiter {
  expiredAt = -1;
  private readonly now: () => number;
  constructor(now: () => number) {
    super();
    this.now = now;
  }
  override expire(): void {
    this.expiredAt = this.now();
  }
}

describe("deadlines", () => {
  test("a waiter expires after its full ticks, never early, and at most one tick late", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ addAt: fc.nat(600), ticks: fc.integer({ min: 1, max: DEADLINE_SLOTS * 2 + 3 }) }), {
          maxLength: 60,
        }),
        (plans) => {
          const deadlines = new Deadlines();
          let now = 0;
          const waiters = plans.map((plan) => ({ plan, waiter: new Recorder(() => now) }));
          for (now = 0; now <= 600 + DEADLINE_SLOTS * 2 + 5; ) {
            for (const { plan, waiter } of waiters) if (plan.addAt === now) deadlines.add(waiter, plan.ticks);
            now++;
            deadlines.tick();
          }
          for (const { plan, waiter } of waiters) expect(waiter.expiredAt).toBe(plan.addAt + plan.ticks + 1);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a removed waiter never expires, and can be added again", () => {
    const deadlines = new Deadlines();
    const waiter = new Recorder(() => 1);
    deadlines.add(waiter, 1);
    deadlines.remove(waiter);
    deadlines.remove(waiter);
    for (let i = 0; i < 5; i++) deadlines.tick();
    expect(waiter.expiredAt).toBe(-1);
    deadlines.add(waiter, 1);
    deadlines.tick();
    deadlines.tick();
    expect(waiter.expiredAt).toBe(1);
  });

  test("removing one waiter from within another's expiry leaves the rest alone", () => {
    const deadlines = new Deadlines();
    const last = new Recorder(() => 7);
    const removed = new Recorder(() => 7);
    class Remover extends Waiter {
      override expire(): void {
        deadlines.remove(removed);
      }
    }
    deadlines.add(new Remover(), 3);
    deadlines.add(last, 3);
    deadlines.add(removed, DEADLINE_SLOTS + 3);
    for (let i = 0; i < DEADLINE_SLOTS * 2 + 8; i++) deadlines.tick();
    expect(last.expiredAt).toBe(7);
    expect(removed.expiredAt).toBe(-1);
  });
});
