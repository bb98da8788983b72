import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inflights } from "../../src/core/inflights.js";
import { Progress } from "../../src/core/progress.js";

const LIMITS = { maxInflightMessages: 4, maxInflightBytes: 100 };

function progressAt(match: number, next: number): Progress {
  const progress = new Progress(2, next, false, LIMITS);
  progress.match = match;
  return progress;
}

function replicatingAt(match: number): Progress {
  const progress = progressAt(match, match + 1);
  progress.becomeReplicate();
  return progress;
}

describe("B6 the in-flight window", () => {
  const operation = fc.oneof(
    fc.record({ op: fc.constant("add" as const), step: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(40) }),
    fc.record({ op: fc.constant("free" as const), index: fc.nat(60) }),
    fc.record({ op: fc.constant("reset" as const) }),
  );

  it("B6 does what a plain list of messages does", () => {
    const limits = fc.record({
      maxInflightMessages: fc.integer({ min: 1, max: 20 }),
      maxInflightBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constant(Number.POSITIVE_INFINITY)),
    });
    fc.assert(
      fc.property(limits, fc.array(operation, { maxLength: 60 }), (limit, operations) => {
        const inflights = new Inflights(limit);
        let model: { lastIndex: number; bytes: number }[] = [];
        let last = 0;
        for (const operation of operations) {
          if (operation.op === "add" && !inflights.full()) {
            last += operation.step;
            inflights.add(last, operation.bytes);
            model.push({ lastIndex: last, bytes: operation.bytes });
          } else if (operation.op === "free") {
            inflights.freeTo(operation.index);
            model = model.filter(({ lastIndex }) => lastIndex > operation.index);
          } else if (operation.op === "reset") {
            inflights.reset();
            model = [];
          }
          const bytes = model.reduce((sum, message) => sum + message.bytes, 0);
          expect(inflights.toArray()).toEqual(model);
          expect(inflights.count).toBe(model.length);
          expect(inflights.bytes).toBe(bytes);
          expect(inflights.full()).toBe(model.length >= limit.maxInflightMessages || bytes >= limit.maxInflightBytes);
        }
      }),
    );
  });

  it("B6 grows with what is in flight, wherever in the ring that begins", () => {
    const inflights = new Inflights({ maxInflightMessages: 100, maxInflightBytes: Number.POSITIVE_INFINITY });
    for (let index = 1; index <= 6; index++) inflights.add(index, index);
    inflights.freeTo(5);
    for (let index = 7; index <= 105; index++) inflights.add(index, index);
    expect(inflights.toArray()).toEqual(Array.from({ length: 100 }, (_, i) => ({ lastIndex: i + 6, bytes: i + 6 })));
    expect(inflights.full()).toBe(true);
  });

  it("B6 the message that crosses the limit on bytes is the last one to go", () => {
    const inflights = new Inflights(LIMITS);
    inflights.add(1, 99);
    expect(inflights.full()).toBe(false);
    inflights.add(2, 500);
    expect(inflights.full()).toBe(true);
    expect(() => inflights.add(3, 1)).toThrow("full");
  });
});

describe("B2 states of a peer", () => {
  it("B2 a probe goes out alone: no append until it is answered", () => {
    const progress = progressAt(0, 5);
    progress.sentEntries(3, 30);
    expect(progress.isPaused()).toBe(true);
    expect(progress.next).toBe(5);
    progress.maybeUpdate(5);
    expect(progress.isPaused()).toBe(false);
  });

  it("B2 an empty probe does not pause", () => {
    const progress = progressAt(0, 5);
    progress.sentEntries(0, 0);
    expect(progress.isPaused()).toBe(false);
  });

  it("B2 replicating is optimistic: next moves with what is sent, not with what is acknowledged", () => {
    const progress = replicatingAt(4);
    progress.sentEntries(3, 30);
    progress.sentEntries(2, 20);
    expect(progress).toMatchObject({ match: 4, next: 10 });
    expect(progress.inflights.toArray().map(({ lastIndex }) => lastIndex)).toEqual([7, 9]);
    expect(progress.isPaused()).toBe(false);
  });

  it("B6 a full window pauses a replicating peer", () => {
    const progress = replicatingAt(0);
    for (let i = 0; i < 4; i++) progress.sentEntries(1, 1);
    expect(progress.isPaused()).toBe(true);
  });

  it("B2 while a snapshot is on its way nothing is sent", () => {
    const progress = replicatingAt(3);
    progress.becomeSnapshot(20);
    expect(progress).toMatchObject({ state: "snapshot", pendingSnapshot: 20, next: 21, sentCommit: 20 });
    expect(progress.isPaused()).toBe(true);
    expect(() => progress.sentEntries(1, 1)).toThrow("snapshot");
  });

  it("B2 probing after a snapshot goes on from behind it, or from where the peer is if that is further", () => {
    const behind = replicatingAt(3);
    behind.becomeSnapshot(20);
    behind.becomeProbe();
    expect(behind).toMatchObject({ state: "probe", next: 21, pendingSnapshot: 0 });

    const ahead = replicatingAt(3);
    ahead.becomeSnapshot(20);
    ahead.match = 25;
    ahead.becomeProbe();
    expect(ahead.next).toBe(26);
  });

  it("B2 replicating goes back to probing from behind what is acknowledged, its window forgotten", () => {
    const progress = replicatingAt(4);
    progress.sentEntries(3, 30);
    progress.sentCommit = 7;
    progress.becomeProbe();
    expect(progress).toMatchObject({ state: "probe", next: 5, sentCommit: 4 });
    expect(progress.inflights.count).toBe(0);
  });
});

describe("B3 acknowledgements", () => {
  it("B3 move match and next forward only", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (acknowledgements) => {
        const progress = replicatingAt(0);
        let highest = 0;
        for (const index of acknowledgements) {
          const before = progress.next;
          expect(progress.maybeUpdate(index)).toBe(index > highest);
          highest = Math.max(highest, index);
          expect(progress.match).toBe(highest);
          expect(progress.next).toBe(Math.max(before, highest + 1));
        }
      }),
    );
  });

  it("B3 a stale one does not wake a paused peer", () => {
    const progress = progressAt(5, 6);
    progress.sentEntries(1, 1);
    expect(progress.maybeUpdate(5)).toBe(false);
    expect(progress.isPaused()).toBe(true);
  });
});

describe("B4 rejections", () => {
  it.each([
    { what: "below what is acknowledged", rejected: 3 },
    { what: "at what is acknowledged", rejected: 4 },
  ])("B4 of a replicating peer, $what, are stale", ({ rejected }) => {
    const progress = replicatingAt(4);
    progress.sentEntries(5, 5);
    expect(progress.maybeDecrease(rejected, 0)).toBe(false);
    expect(progress.next).toBe(10);
  });

  it("B4 of a replicating peer send it back to what is acknowledged", () => {
    const progress = replicatingAt(4);
    progress.sentEntries(5, 5);
    progress.sentCommit = 9;
    expect(progress.maybeDecrease(8, 6)).toBe(true);
    expect(progress).toMatchObject({ next: 5, sentCommit: 4 });
  });

  it("B4 of a probed peer, about another probe than the last, are stale", () => {
    const progress = progressAt(0, 10);
    expect(progress.maybeDecrease(8, 0)).toBe(false);
    expect(progress.maybeDecrease(10, 0)).toBe(false);
    expect(progress.next).toBe(10);
  });

  it.each([
    { what: "to behind the hint", rejected: 9, agreement: 5, next: 6 },
    { what: "by one where the hint is no help", rejected: 9, agreement: 9, next: 9 },
    { what: "never below what is acknowledged", rejected: 9, agreement: 0, next: 3 },
  ])("B4 of a probed peer set next back, $what", ({ rejected, agreement, next }) => {
    const progress = progressAt(2, 10);
    progress.sentEntries(1, 1);
    expect(progress.maybeDecrease(rejected, agreement)).toBe(true);
    expect(progress.next).toBe(next);
    expect(progress.isPaused()).toBe(false);
  });
});

describe("B1 the commit index that was sent", () => {
  it.each([
    { sent: 5, next: 10, commit: 6, can: true, why: "it was not told, and could know" },
    { sent: 5, next: 10, commit: 5, can: false, why: "it was told" },
    { sent: 9, next: 10, commit: 12, can: false, why: "it knows that all it has is committed" },
    { sent: 8, next: 10, commit: 12, can: true, why: "its last entry's commit was not sent" },
  ])("B1 commit $commit after $sent with next $next: $why", ({ sent, next, commit, can }) => {
    const progress = progressAt(0, next);
    progress.sentCommit = sent;
    expect(progress.canBumpCommit(commit)).toBe(can);
  });
});

it("B1 match < next through any sequence of sending, acknowledging, rejecting and changing state", () => {
  const operation = fc.oneof(
    fc.record({ op: fc.constant("send" as const), n: fc.nat(5) }),
    fc.record({ op: fc.constant("acknowledge" as const), n: fc.nat(10) }),
    fc.record({ op: fc.constant("reject" as const), n: fc.nat(10), hint: fc.nat(30) }),
    fc.record({ op: fc.constant("probe" as const) }),
    fc.record({ op: fc.constant("replicate" as const) }),
    fc.record({ op: fc.constant("snapshot" as const), n: fc.nat(10) }),
  );
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const progress = progressAt(0, 1);
      for (const operation of operations) {
        const matchBefore = progress.match;
        if (operation.op === "send" && !progress.isPaused()) progress.sentEntries(operation.n, operation.n);
        // What is acknowledged was sent, in this state or before.
        if (operation.op === "acknowledge") progress.maybeUpdate(Math.max(0, progress.next - 1 - operation.n));
        if (operation.op === "reject") progress.maybeDecrease(progress.next - 1 - operation.n, operation.hint);
        if (operation.op === "probe") progress.becomeProbe();
        if (operation.op === "replicate") progress.becomeReplicate();
        if (operation.op === "snapshot") progress.becomeSnapshot(progress.match + 1 + operation.n);
        expect(progress.next).toBeGreaterThan(progress.match);
        expect(progress.match).toBeGreaterThanOrEqual(matchBefore);
        expect(progress.isPaused() || progress.state !== "snapshot").toBe(true);
      }
    }),
  );
});
