import { describe, expect, test } from "vitest";
import { BalsaError, type BalsaErrorCode } from "../../src/core/index.js";
import { Session, type SessionLimits, type SessionMember, withSessions } from "../../src/machine/index.js";
import type { Applied, CallOptions, StateMachine } from "../../src/node/index.js";
import { VirtualClock } from "../transport/virtual-clock.js";
import { bytesOf, Tally, textOf } from "./tally.js";

/** What a member does with a proposal. */
type Deed =
  /** Applies it, and answers. */
  | "apply"
  /** Applies it, and its answer is lost. */
  | "apply-and-lose"
  /** Never answers: the attempt's time runs out. */
  | "stay-silent"
  | { readonly code: BalsaErrorCode; readonly applied: "not-applied" | "unknown" };

/** A group in one place, with members that do as they are told; told nothing, they answer. */
class Group {
  readonly clock = new VirtualClock();
  readonly tally = new Tally();
  readonly machine: StateMachine;
  /** Members in the order in which they were asked. */
  readonly asked: number[] = [];
  /** What the next ones that are asked do. */
  readonly deeds: Deed[] = [];
  #index = 1;

  constructor(limits: Partial<SessionLimits> = {}) {
    this.machine = withSessions(this.tally, limits);
  }

  member(number = 0): SessionMember {
    return {
      clock: this.clock,
      propose: async (data, options) => {
        this.asked.push(number);
        return this.#do(this.deeds.shift() ?? "apply", data, options);
      },
    };
  }

  /** Lets time pass until it has ended, and gives how. */
  async outcome(call: Promise<Applied>): Promise<string> {
    let ended: string | undefined;
    call.then(
      ({ result }) => (ended = textOf(result)),
      (error: BalsaError) => (ended = `${error.code}, ${error.applied}`),
    );
    await this.clock.until("an end of the call", () => ended !== undefined);
    return ended ?? "";
  }

  async #do(deed: Deed, data: Uint8Array, { timeoutMs = 5_000, signal }: CallOptions = {}): Promise<Applied> {
    switch (deed) {
      case "apply":
        return this.#apply(data);
      case "apply-and-lose":
        this.#apply(data);
        throw lost("superseded");
      case "stay-silent":
        return new Promise((_, reject) => {
          this.clock.setTimer(timeoutMs, () => reject(lost("timeout")));
          signal?.addEventListener("abort", () => reject(lost("aborted")));
        });
      default:
        throw new BalsaError(deed.code, "as told", { applied: deed.applied });
    }
  }

  #apply(data: Uint8Array): Applied {
    const index = ++this.#index;
    const results = this.machine.apply([{ index, term: 1, data: data.slice() }]) as readonly Uint8Array[];
    return { index, term: 1, result: results[0] as Uint8Array };
  }
}

/** More of them than there are attempts in any test. */
function refusals(code: BalsaErrorCode): readonly Deed[] {
  return Array.from({ length: 99 }, () => ({ code, applied: "not-applied" }));
}

function lost(code: BalsaErrorCode): BalsaError {
  return new BalsaError(code, "lost", { applied: "unknown" });
}

describe("a call is tried again until it is answered, and takes effect once", () => {
  test("when it took effect and the answer was lost", async () => {
    const group = new Group();
    const session = await Session.open(group.member());
    group.deeds.push("apply-and-lose", "apply-and-lose");
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("1");
    expect(group.tally.texts).toEqual(["a"]);
    expect(group.asked).toHaveLength(4);
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("2");
  });

  test("where it took effect is told, whichever attempt is answered", async () => {
    const group = new Group();
    const session = await Session.open(group.member());
    group.deeds.push("apply-and-lose");
    const call = session.propose(bytesOf("a"));
    await group.outcome(call);
    expect(await call).toMatchObject({ index: 3, term: 1 });
  });

  test("when a member stays silent: the next is asked after a second, and then after two", async () => {
    const group = new Group();
    const session = await Session.open([group.member(0), group.member(1), group.member(2)]);
    group.deeds.push("stay-silent", "stay-silent");
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("1");
    expect(group.asked).toEqual([0, 0, 1, 2]);
    expect(group.clock.now()).toBeGreaterThanOrEqual(3_000);
    expect(group.clock.now()).toBeLessThan(3_100);
    expect(group.clock.armed).toBe(0);
  });

  test("when opening is not answered", async () => {
    const group = new Group();
    group.deeds.push("apply-and-lose", "stay-silent");
    let session: Session | undefined;
    Session.open(group.member()).then(
      (opened) => (session = opened),
      () => {},
    );
    await group.clock.until("a session", () => session !== undefined);
    expect(session?.id).toBe(3);
  });

  test("when a member is closed, and there are others", async () => {
    const group = new Group();
    const session = await Session.open([group.member(0), group.member(1)]);
    group.deeds.push({ code: "closed", applied: "unknown" });
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("1");
    expect(group.asked).toEqual([0, 0, 1]);
  });
});

describe("a call that ends without an answer says whether it can take effect", () => {
  test("unknown, when some attempt may have", async () => {
    const group = new Group();
    const session = await Session.open(group.member());
    group.deeds.push("stay-silent", ...refusals("not-leader"));
    expect(await group.outcome(session.propose(bytesOf("a"), { timeoutMs: 4_000 }))).toBe("timeout, unknown");
    expect(group.clock.now()).toBeGreaterThanOrEqual(4_000);
    expect(group.clock.now()).toBeLessThan(4_010);
  });

  test("surely not, when no attempt has", async () => {
    const group = new Group();
    const session = await Session.open(group.member());
    group.deeds.push(...refusals("overloaded"));
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("timeout, not-applied");
  });

  test.each<[BalsaErrorCode, string]>([
    ["too-large", "too-large, not-applied"],
    ["closed", "closed, not-applied"],
    ["invalid-argument", "invalid-argument, not-applied"],
  ])("at once, when it is %s and there is nobody else", async (code, outcome) => {
    const group = new Group();
    const session = await Session.open(group.member());
    group.deeds.push({ code, applied: "not-applied" });
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe(outcome);
    expect(group.clock.now()).toBe(0);
  });

  test("at once, when its caller calls it off: under way, between two attempts, and before it began", async () => {
    for (const deed of ["stay-silent", { code: "overloaded", applied: "not-applied" }] as const) {
      const group = new Group();
      const session = await Session.open(group.member());
      const calling = new AbortController();
      group.deeds.push(deed);
      const call = session.propose(bytesOf("a"), { signal: calling.signal });
      group.clock.setTimer(2, () => calling.abort());
      const outcome = await group.outcome(call);
      expect(outcome).toBe(deed === "stay-silent" ? "aborted, unknown" : "aborted, not-applied");
      expect(group.clock.now()).toBe(2);
      expect(await group.outcome(session.propose(bytesOf("b"), { signal: calling.signal }))).toBe(
        "aborted, not-applied",
      );
    }
  });

  test("a result that is too large: it took effect, and that is no secret", async () => {
    const group = new Group({ resultBytesMax: 0 });
    const session = await Session.open(group.member());
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("too-large, unknown");
    expect(group.tally.texts).toEqual(["a"]);
  });

  test("an error that is none of the library's is passed on", async () => {
    const clock = new VirtualClock();
    const member: SessionMember = { clock, propose: () => Promise.reject(new TypeError("of its own")) };
    await expect(Session.open(member)).rejects.toThrow(TypeError);
  });
});

describe("an expired session", () => {
  test("is told as such, surely without effect", async () => {
    const group = new Group({ sessionsMax: 1 });
    const session = await Session.open(group.member());
    await Session.open(group.member());
    expect(await group.outcome(session.propose(bytesOf("a")))).toBe("session-expired, not-applied");
    expect(group.tally.texts).toEqual([]);
  });

  test("unless an attempt before may have come in time", async () => {
    const group = new Group({ sessionsMax: 1 });
    const session = await Session.open(group.member());
    group.deeds.push("apply-and-lose");
    const call = session.propose(bytesOf("a"));
    await group.clock.until("an attempt", () => group.tally.texts.length > 0);
    await Session.open(group.member());
    expect(await group.outcome(call)).toBe("session-expired, unknown");
    expect(group.tally.texts).toEqual(["a"]);
  });
});

describe("calls at a time", () => {
  test("are as many as the group remembers results; the others wait for their turn, in order", async () => {
    const group = new Group({ resultsMax: 2 });
    const session = await Session.open(group.member());
    group.deeds.push("stay-silent");
    const calls = ["a", "b", "c", "d"].map((text) => session.propose(bytesOf(text)));
    await group.outcome(calls[1] as Promise<Applied>);
    expect(group.tally.texts).toEqual(["b"]);
    await Promise.all(calls.map((call) => group.outcome(call)));
    expect(group.tally.texts).toEqual(["b", "a", "c", "d"]);
    expect(group.clock.armed).toBe(0);
  });

  test("that wait in vain end in time, surely without effect", async () => {
    const group = new Group({ resultsMax: 1 });
    const session = await Session.open(group.member());
    group.deeds.push("stay-silent", "stay-silent", "stay-silent");
    const first = session.propose(bytesOf("a"));
    const calling = new AbortController();
    const second = session.propose(bytesOf("b"), { timeoutMs: 50 });
    const third = session.propose(bytesOf("c"), { signal: calling.signal });
    calling.abort();
    expect(await group.outcome(third)).toBe("aborted, not-applied");
    expect(await group.outcome(second)).toBe("timeout, not-applied");
    expect(group.clock.now()).toBe(50);
    expect(await group.outcome(first)).toBe("timeout, unknown");
  });

  test("are refused when too many wait", async () => {
    const group = new Group({ resultsMax: 1 });
    const session = await Session.open(group.member());
    group.deeds.push("stay-silent");
    const calls = Array.from({ length: 1_026 }, (_, at) => session.propose(bytesOf(`${at}`), { timeoutMs: 30_000 }));
    const outcomes = Promise.allSettled(calls);
    expect(await group.outcome(calls[1_025] as Promise<Applied>)).toBe("overloaded, not-applied");
    await group.outcome(calls[1_024] as Promise<Applied>);
    expect((await outcomes).filter(({ status }) => status === "fulfilled")).toHaveLength(1_025);
  });

  test("one that was given up does not take effect behind a later one", async () => {
    const group = new Group();
    const attempts: Uint8Array[] = [];
    const member = group.member();
    const session = await Session.open({
      clock: group.clock,
      propose: (data, options) => {
        attempts.push(data);
        return member.propose(data, options);
      },
    });
    group.deeds.push("stay-silent");
    expect(await group.outcome(session.propose(bytesOf("a"), { timeoutMs: 100 }))).toBe("timeout, unknown");
    await group.outcome(session.propose(bytesOf("b")));
    // The first attempt arrives after all.
    await member.propose(attempts[1] as Uint8Array);
    expect(group.tally.texts).toEqual(["b"]);
  });
});

test("a closed session takes no calls, is forgotten by the group, and can be closed again", async () => {
  const group = new Group();
  const session = await Session.open(group.member());
  await session.close();
  await session.close();
  expect(await group.outcome(session.propose(bytesOf("a")))).toBe("closed, not-applied");
  expect(group.machine).toMatchObject({ sessions: 0 });
});

test("a state machine without sessions is noticed when one is opened", async () => {
  const clock = new VirtualClock();
  const propose = async (): Promise<Applied> => ({ index: 2, term: 1, result: bytesOf("done") });
  await expect(Session.open({ clock, propose })).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining("withSessions") as string,
  });
});

test("options that are none are refused", async () => {
  await expect(Session.open([])).rejects.toMatchObject({ code: "invalid-argument" });
  await expect(Session.open(new Group().member(), { attemptMs: 0 })).rejects.toMatchObject({
    code: "invalid-argument",
  });
});
