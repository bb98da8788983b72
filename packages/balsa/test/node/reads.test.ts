import { describe, expect, test } from "vitest";
import { Deadlines } from "../../src/node/deadlines.js";
import { Reads } from "../../src/node/reads.js";

interface Call {
  index?: number;
  code?: string;
}

function setUp() {
  const deadlines = new Deadlines();
  const reads = new Reads(deadlines, () => 1, 100);
  const call = (): Call => {
    const answer: Call = {};
    reads.gather(10, undefined).then(
      (read) => {
        answer.index = read.index;
      },
      (error: { code: string }) => {
        answer.code = error.code;
      },
    );
    return answer;
  };
  const tick = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      deadlines.tick();
      reads.tick();
    }
    await Promise.resolve();
    await Promise.resolve();
  };
  return { reads, call, tick };
}

describe("reads", () => {
  test("E3 all reads of a turn share one confirmation, and wait until its index is applied", async () => {
    const { reads, call, tick } = setUp();
    const [a, b] = [call(), call()];
    const id = reads.start();
    reads.confirmed({ requestId: id, index: 8 }, 7);
    await tick(0);
    expect(a.index).toBeUndefined();
    reads.applied(8);
    await tick(0);
    expect([a.index, b.index]).toEqual([8, 8]);
  });

  test("E3 each attempt has an identity of its own: an answer to an earlier one counts for nothing", async () => {
    const { reads, call, tick } = setUp();
    const a = call();
    const first = reads.start();
    await tick(3);
    const [second] = reads.retry(3);
    expect(second).not.toBe(first);
    reads.confirmed({ requestId: first, index: 2 }, 5);
    await tick(0);
    expect(a.index).toBeUndefined();
    reads.confirmed({ requestId: second ?? 0, index: 4 }, 5);
    await tick(0);
    expect(a.index).toBe(4);
  });

  test("a round whose readers all gave up is not asked for again", async () => {
    const { reads, call, tick } = setUp();
    const a = call();
    reads.start();
    await tick(12);
    expect(a.code).toBe("timeout");
    expect(reads.retry(0)).toEqual([]);
  });

  test("a round that is confirmed and waits for applying is not asked for again", async () => {
    const { reads, call, tick } = setUp();
    call();
    reads.confirmed({ requestId: reads.start(), index: 9 }, 1);
    await tick(5);
    expect(reads.retry(1)).toEqual([]);
  });
});
