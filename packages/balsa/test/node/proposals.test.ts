import { describe, expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { Deadlines } from "../../src/node/deadlines.js";
import { PENDING_BYTES_MAX } from "../../src/node/limits.js";
import { type Applied, Proposals } from "../../src/node/proposals.js";

const bytes = (length = 1): Uint8Array => new Uint8Array(length);

interface Call {
  applied?: Applied;
  error?: BalsaError;
}

function setUp() {
  const deadlines = new Deadlines();
  const proposals = new Proposals(deadlines, () => 7);
  const call = (signal?: AbortSignal, length = 1): Call => {
    const answer: Call = {};
    proposals.gather(bytes(length), 10, signal).then(
      (applied) => {
        answer.applied = applied;
      },
      (error: BalsaError) => {
        answer.error = error;
      },
    );
    return answer;
  };
  const pass = async (ticks: number): Promise<void> => {
    for (let i = 0; i < ticks; i++) deadlines.tick();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { proposals, call, pass };
}

describe("proposals", () => {
  test("C2 one that was accepted and applied at its place gives the state machine's answer", async () => {
    const { proposals, call, pass } = setUp();
    const [a, b] = [call(), call()];
    proposals.accept(proposals.takeGathered(), 5, 2);
    proposals.applied(5, 2, Uint8Array.of(1));
    proposals.applied(6, 2, Uint8Array.of(2));
    await pass(0);
    expect(a.applied).toEqual({ index: 5, term: 2, result: Uint8Array.of(1) });
    expect(b.applied).toEqual({ index: 6, term: 2, result: Uint8Array.of(2) });
  });

  test("one whose place another term's entry took was surely not applied", async () => {
    const { proposals, call, pass } = setUp();
    const a = call();
    proposals.accept(proposals.takeGathered(), 5, 2);
    proposals.applied(5, 3, Uint8Array.of(1));
    await pass(0);
    expect(a.error).toMatchObject({ code: "superseded", applied: "not-applied", retryable: true });
  });

  test("with no leader until the deadline: surely not applied; on its way or in a log: unknown", async () => {
    const { proposals, call, pass } = setUp();
    const onItsWay = call();
    proposals.submit(proposals.takeGathered());
    const inALog = call();
    proposals.accept(proposals.takeGathered(), 9, 1);
    const gathered = call();
    await pass(11);
    expect(gathered.error).toMatchObject({ code: "timeout", applied: "not-applied", retryable: true, leader: 7 });
    expect(onItsWay.error).toMatchObject({ code: "timeout", applied: "unknown", retryable: false });
    expect(inALog.error).toMatchObject({ code: "timeout", applied: "unknown", retryable: false });
    expect(proposals.takeGathered()).toEqual([]);
  });

  test("given back, it waits again ahead of younger ones, and is again surely not applied", async () => {
    const { proposals, call, pass } = setUp();
    call();
    const [older] = proposals.takeGathered();
    proposals.submit(older === undefined ? [] : [older]);
    call();
    proposals.giveBack(older === undefined ? [] : [older]);
    const taken = proposals.takeGathered();
    expect(taken).toHaveLength(2);
    expect(taken[0]).toBe(older);
    expect(taken[0]?.stage).toBe("gathered");
    await pass(0);
  });

  test("an aborted one leaves the queue; its outcome follows from how far it came", async () => {
    const { proposals, call, pass } = setUp();
    const early = new AbortController();
    const late = new AbortController();
    const [a, b] = [call(early.signal), call(late.signal)];
    early.abort();
    const taken = proposals.takeGathered();
    expect(taken).toHaveLength(1);
    proposals.accept(taken, 3, 1);
    late.abort();
    const before = call(early.signal);
    await pass(0);
    expect(a.error).toMatchObject({ code: "aborted", applied: "not-applied" });
    expect(b.error).toMatchObject({ code: "aborted", applied: "unknown" });
    expect(before.error).toMatchObject({ code: "aborted", applied: "not-applied" });
  });

  test("answers of two leaders in the other order: the later leader's place counts", async () => {
    const { proposals, call, pass } = setUp();
    const older = call();
    const [first] = proposals.takeGathered();
    const younger = call();
    const second = proposals.takeGathered();
    proposals.accept(second, 5, 4);
    proposals.accept(first === undefined ? [] : [first], 5, 3);
    proposals.applied(5, 4, bytes());
    await pass(0);
    expect(older.error).toMatchObject({ code: "superseded", applied: "unknown" });
    expect(younger.applied?.term).toBe(4);
  });

  test("Raft §5.4.2 one whose index a later leader gave out again may be committed by a third one: unknown", async () => {
    const { proposals, call, pass } = setUp();
    const older = call();
    proposals.accept(proposals.takeGathered(), 5, 3);
    const younger = call();
    proposals.accept(proposals.takeGathered(), 5, 4);
    await pass(0);
    expect(older.error).toMatchObject({ code: "superseded", applied: "unknown", retryable: false });
    // As in Figure 8: the leader of term 5 has the older one, and commits it. Now the younger one is in no log.
    proposals.applied(5, 3, bytes());
    await pass(0);
    expect(younger.error).toMatchObject({ code: "superseded", applied: "not-applied" });
  });

  test("a snapshot that passes its place leaves its outcome unknown", async () => {
    const { proposals, call, pass } = setUp();
    const [a, b] = [call(), call()];
    proposals.accept(proposals.takeGathered(), 5, 2);
    proposals.skippedTo(5);
    await pass(0);
    expect(a.error).toMatchObject({ applied: "unknown" });
    expect(b.error).toBeUndefined();
  });

  test("more bytes in flight than the limit are refused at once, and room comes back", async () => {
    const { proposals, call, pass } = setUp();
    const large = call(undefined, PENDING_BYTES_MAX);
    const refused = call();
    await pass(0);
    expect(refused.error).toMatchObject({ code: "overloaded", applied: "not-applied", retryable: true });
    proposals.accept(proposals.takeGathered(), 1, 1);
    proposals.applied(1, 1, bytes());
    await pass(0);
    expect(large.applied).toBeDefined();
    const fits = call();
    await pass(0);
    expect(fits.error).toBeUndefined();
  });

  test("when the member ends, each caller hears whether its command can have been applied", async () => {
    const { proposals, call, pass } = setUp();
    const inALog = call();
    proposals.accept(proposals.takeGathered(), 1, 1);
    const onItsWay = call();
    proposals.submit(proposals.takeGathered());
    const gathered = call();
    proposals.failAll("closed", "the member is closed");
    await pass(0);
    expect(gathered.error).toMatchObject({ code: "closed", applied: "not-applied" });
    expect(onItsWay.error).toMatchObject({ code: "closed", applied: "unknown" });
    expect(inALog.error).toBeInstanceOf(BalsaError);
    expect(inALog.error).toMatchObject({ code: "closed", applied: "unknown" });
  });
});
