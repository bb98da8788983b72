import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventQueue } from "../../src/sim/event-queue.js";
import { SimEvent } from "../../src/sim/sim-event.js";

const word = { text: "", number: 0 };

function event(timeUs: number, sequence: number): SimEvent {
  return Object.assign(new SimEvent(undefined, word, word, undefined, () => {}), { timeUs, sequence });
}

describe("EventQueue", () => {
  test("gives events by time, then sequence, without the cancelled ones, as a sorted list would", () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant("push" as const), timeUs: fc.nat(20) }),
        fc.record({ kind: fc.constant("pop" as const) }),
        fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(1000) }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const queue = new EventQueue();
        let model: SimEvent[] = [];
        let sequence = 0;
        for (const step of list) {
          switch (step.kind) {
            case "push": {
              sequence += 1;
              const added = event(step.timeUs, sequence);
              queue.push(added);
              model.push(added);
              model.sort((a, b) => a.timeUs - b.timeUs || a.sequence - b.sequence);
              break;
            }
            case "pop":
              expect(queue.peek()).toBe(model[0]);
              expect(queue.pop()).toBe(model.shift());
              break;
            case "cancel": {
              const cancelled = model[step.which % Math.max(1, model.length)];
              if (cancelled !== undefined) {
                queue.cancel(cancelled);
                queue.cancel(cancelled);
              }
              model = model.filter((other) => other !== cancelled);
              break;
            }
            default:
              step satisfies never;
          }
        }
        while (model.length > 0) expect(queue.pop()).toBe(model.shift());
        expect(queue.pop()).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
