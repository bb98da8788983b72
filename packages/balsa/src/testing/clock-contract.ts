import type { Clock } from "../platform/index.js";
import type { ContractCase } from "./contract-case.js";
import { expectEqual, expectTrue } from "./expectation.js";

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}

/** What `Clock` promises. */
export const clockContract: readonly ContractCase<Clock>[] = [
  {
    name: "now does not go back, and moves on while a timer runs",
    async run(clock) {
      const before = clock.now();
      let last = before;
      for (let i = 0; i < 100; i += 1) {
        const now = clock.now();
        expectTrue(now >= last, "time must not go back");
        last = now;
      }
      await sleep(clock, 5);
      // A timer may count in whole milliseconds from the beginning of the one it was set in.
      expectTrue(clock.now() - before >= 4, "a timer of 5 ms must not fire after less than 4");
    },
  },
  {
    name: "wall time is a plausible date, in whole milliseconds or parts of them",
    async run(clock) {
      const year2020 = 1_577_836_800_000;
      expectTrue(clock.wallTime() > year2020 && clock.wallTime() < year2020 * 3, "wall time counts ms since 1970");
    },
  },
  {
    name: "timers fire in the order of their times, not of their setting",
    async run(clock) {
      const fired: string[] = [];
      await new Promise<void>((resolve) => {
        clock.setTimer(60, () => {
          fired.push("60");
          resolve();
        });
        clock.setTimer(1, () => fired.push("1"));
        clock.setTimer(20, () => fired.push("20"));
      });
      expectEqual(fired, ["1", "20", "60"], "order of firing");
    },
  },
  {
    name: "a timer fires once, and never before setTimer returns, even one of 0 ms",
    async run(clock) {
      let fired = 0;
      clock.setTimer(0, () => {
        fired += 1;
      });
      expectEqual(fired, 0, "fired within the call");
      await sleep(clock, 10);
      await sleep(clock, 10);
      expectEqual(fired, 1, "times fired");
    },
  },
  {
    name: "a cancelled timer does not fire; cancelling again, or after it fired, has no effect",
    async run(clock) {
      let fired = 0;
      const cancelled = clock.setTimer(1, () => {
        fired += 100;
      });
      cancelled.cancel();
      cancelled.cancel();
      const kept = clock.setTimer(1, () => {
        fired += 1;
      });
      await sleep(clock, 20);
      kept.cancel();
      await sleep(clock, 5);
      expectEqual(fired, 1, "only the timer that was not cancelled fires");
    },
  },
  {
    name: "a delay that is negative, no number or beyond 2^31-1 ms is refused",
    async run(clock) {
      for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
        let isRefused = false;
        try {
          clock.setTimer(delayMs, () => {}).cancel();
        } catch {
          isRefused = true;
        }
        expectTrue(isRefused, `the delay ${delayMs} must be refused`);
      }
    },
  },
  {
    name: "nextTurn runs after the caller's turn with all its promises, in the order of the calls",
    async run(clock) {
      const order: string[] = [];
      await new Promise<void>((resolve) => {
        clock.nextTurn(() => order.push("first turn"));
        clock.nextTurn(() => {
          order.push("second turn");
          resolve();
        });
        const settleSlowly = async (): Promise<void> => {
          for (let i = 0; i < 5; i += 1) await Promise.resolve();
          order.push("promises");
        };
        void settleSlowly();
        order.push("call");
      });
      expectEqual(order, ["call", "promises", "first turn", "second turn"], "order");
    },
  },
  {
    name: "what nextTurn runs may ask for the next turn",
    async run(clock) {
      const turns: number[] = [];
      await new Promise<void>((resolve) => {
        const turn = (): void => {
          turns.push(turns.length);
          if (turns.length < 5) clock.nextTurn(turn);
          else resolve();
        };
        clock.nextTurn(turn);
        expectEqual(turns, [], "turns before nextTurn returned");
      });
      expectEqual(turns, [0, 1, 2, 3, 4], "turns");
    },
  },
];
