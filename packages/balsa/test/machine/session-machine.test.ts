import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultOf, withoutSession, withSessions } from "../../src/machine/index.js";
import { decodeSessionAnswer, type SessionAnswer } from "../../src/machine/session-answer.js";
import { encodeSessionCommand, type SessionCommand } from "../../src/machine/session-command.js";
import type { SessionLimits } from "../../src/machine/session-limits.js";
import type { StateMachine } from "../../src/node/index.js";
import { collect, inPieces } from "./streams.js";
import { bytesOf, Tally, textOf } from "./tally.js";

const LIMITS: SessionLimits = { sessionsMax: 2, resultsMax: 2, resultBytesMax: 16 };

/** A state machine with sessions, given its commands one after the other or many at a time. */
class Subject {
  readonly tally = new Tally();
  readonly machine: StateMachine;
  readonly #limits: Partial<SessionLimits>;
  #index = 1;

  constructor(limits: Partial<SessionLimits> = LIMITS) {
    this.#limits = limits;
    this.machine = withSessions(this.tally, limits);
  }

  apply(...commands: readonly (SessionCommand | Uint8Array)[]): readonly SessionAnswer[] {
    const batch = commands.map((command) => {
      this.#index += 1;
      const data = command instanceof Uint8Array ? command : encodeSessionCommand(command);
      return { index: this.#index, term: 1, data };
    });
    return (this.machine.apply(batch) as readonly Uint8Array[]).map(decodeSessionAnswer);
  }

  one(command: SessionCommand): SessionAnswer {
    return this.apply(command)[0] as SessionAnswer;
  }

  open(): number {
    const answer = this.one({ kind: "open" });
    if (answer.kind !== "opened") throw new Error(answer.kind);
    return answer.session;
  }

  /** Another member, brought here by a snapshot. */
  async restored(): Promise<Subject> {
    const other = new Subject(this.#limits);
    await other.machine.restore(inPieces(await collect(this.machine.snapshot()), 7));
    other.#index = this.#index;
    return other;
  }
}

function call(session: number, sequence: number, text: string, oldestAwaited = 1): SessionCommand {
  return { kind: "call", session, sequence, oldestAwaited, payload: bytesOf(text) };
}

function textOfResult(answer: SessionAnswer | undefined): string {
  return answer?.kind === "result" ? textOf(answer.result) : `no result: ${JSON.stringify(answer)}`;
}

describe("a command of a session takes effect once", () => {
  test("however often it is in the log: each repetition gets the first one's answer", () => {
    const subject = new Subject();
    const session = subject.open();
    const first = subject.one(call(session, 1, "a"));
    expect(textOfResult(first)).toBe("1");
    expect(subject.one(call(session, 2, "b"))).toMatchObject({ kind: "result" });
    expect(subject.one(call(session, 1, "a"))).toEqual(first);
    expect(subject.tally.texts).toEqual(["a", "b"]);
  });

  test("also where the repetition is in the same batch", () => {
    const subject = new Subject();
    const session = subject.open();
    const [first, again, next] = subject.apply(call(session, 1, "a"), call(session, 1, "a"), call(session, 2, "b"));
    expect(again).toEqual(first);
    expect(textOfResult(next)).toBe("2");
    expect(subject.tally.texts).toEqual(["a", "b"]);
  });

  test("F2 across a snapshot, which remembers results, what is awaited and who was used last", async () => {
    const subject = new Subject();
    const [older, newer] = [subject.open(), subject.open()];
    const first = subject.one(call(newer, 1, "a"));
    subject.apply(call(older, 1, "x"), call(older, 2, "y", 2));
    const restored = await subject.restored();
    expect(restored.tally.texts).toEqual(["a", "x", "y"]);
    expect(restored.one(call(older, 1, "x"))).toEqual({ kind: "refused", why: "not-awaited" });
    expect(restored.one(call(newer, 1, "a"))).toEqual(first);
    // The older of the two has been used before the newer one.
    restored.open();
    expect(restored.one(call(older, 3, "z", 3))).toEqual({ kind: "refused", why: "unknown-session" });
    expect(restored.tally.texts).toEqual(["a", "x", "y"]);
  });

  test("an attempt that comes behind a command by which its client had given it up is not run", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.one(call(session, 2, "b", 2));
    expect(subject.one(call(session, 1, "a"))).toEqual({ kind: "refused", why: "not-awaited" });
    expect(subject.tally.texts).toEqual(["b"]);
  });

  test("commands without a session take effect as often as they come", () => {
    const subject = new Subject();
    const [once, twice] = [withoutSession(bytesOf("p")), withoutSession(bytesOf("p"))].map((data, at) => {
      const results = subject.machine.apply([{ index: 10 + at, term: 1, data }]) as readonly Uint8Array[];
      return textOf(resultOf(results[0] as Uint8Array));
    });
    expect([once, twice]).toEqual(["1", "2"]);
  });
});

describe("what is remembered is bounded", () => {
  test("the least recently used session expires when one too many is opened, and its commands are refused", () => {
    const subject = new Subject();
    const [one, two] = [subject.open(), subject.open()];
    subject.one(call(one, 1, "a"));
    const three = subject.open();
    expect(subject.one(call(two, 1, "b"))).toEqual({ kind: "refused", why: "unknown-session" });
    expect(textOfResult(subject.one(call(one, 2, "c", 2)))).toBe("2");
    expect(textOfResult(subject.one(call(three, 1, "d")))).toBe("3");
    expect(subject.tally.texts).toEqual(["a", "c", "d"]);
  });

  test("an expired session's command is not run again, though it has run before", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.one(call(session, 1, "a"));
    subject.open();
    subject.open();
    expect(subject.one(call(session, 1, "a"))).toEqual({ kind: "refused", why: "unknown-session" });
    expect(subject.tally.texts).toEqual(["a"]);
  });

  test("a session that holds as many results as it may takes no more until its client has some of them", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.apply(call(session, 1, "a"), call(session, 2, "b"));
    expect(subject.one(call(session, 3, "c"))).toEqual({ kind: "refused", why: "too-many-results" });
    expect(textOfResult(subject.one(call(session, 3, "c", 2)))).toBe("3");
    expect(subject.tally.texts).toEqual(["a", "b", "c"]);
  });

  test("a result above the limit is told apart, at first and at each repetition alike", () => {
    const tally = new Tally();
    tally.apply = (batch) => batch.map(() => new Uint8Array(17));
    const machine = withSessions(tally, LIMITS);
    const apply = (index: number, command: SessionCommand): SessionAnswer => {
      const results = machine.apply([{ index, term: 3, data: encodeSessionCommand(command) }]);
      return decodeSessionAnswer((results as readonly Uint8Array[])[0] as Uint8Array);
    };
    apply(2, { kind: "open" });
    const answer: SessionAnswer = { kind: "result-too-large", index: 3, term: 3 };
    expect(apply(3, call(2, 1, "a"))).toEqual(answer);
    expect(apply(4, call(2, 1, "a"))).toEqual(answer);
  });

  test("closed sessions are forgotten", () => {
    const subject = new Subject();
    const session = subject.open();
    expect(subject.one({ kind: "close", session })).toEqual({ kind: "closed" });
    expect(subject.one(call(session, 1, "a"))).toEqual({ kind: "refused", why: "unknown-session" });
    expect(subject.tally.texts).toEqual([]);
  });

  test.each([{ sessionsMax: 0 }, { resultsMax: 1.5 }, { resultBytesMax: -1 }, { sessionsMax: Number.NaN }])(
    "no limit is %o",
    (limits) => {
      expect(() => withSessions(new Tally(), limits)).toThrow(/option/);
    },
  );
});

test("bytes that are no command of a session are refused, and do no harm", () => {
  const subject = new Subject();
  expect(subject.apply(new Uint8Array(0), Uint8Array.of(0x1f), bytesOf("a"))).toEqual(
    Array.from({ length: 3 }, () => ({ kind: "refused", why: "malformed" })),
  );
  expect(subject.tally.texts).toEqual([]);
});

test("F2 a snapshot is of the state when it was begun, table and content alike, while applying goes on", async () => {
  const subject = new Subject();
  const session = subject.open();
  const first = subject.one(call(session, 1, "a"));
  const iterator = (subject.machine.snapshot() as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const begun = iterator.next();
  subject.apply(call(session, 2, "b", 2), { kind: "open" });
  const taken = [(await begun).value as Uint8Array];
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) taken.push(next.value);
  const other = new Subject();
  await other.machine.restore(inPieces(await collect(taken), 100));
  expect(other.tally.texts).toEqual(["a"]);
  expect(other.one(call(session, 1, "a"))).toEqual(first);
});

test("a snapshot that was taken under other limits is refused: members would come to differ", async () => {
  const taken = await collect(new Subject().machine.snapshot());
  const other = withSessions(new Tally(), { ...LIMITS, sessionsMax: 3 });
  await expect(other.restore(inPieces(taken, 100))).rejects.toMatchObject({ code: "invalid-argument" });
});

describe("F4 what becomes of commands does not depend on how they came", () => {
  const anyCommand = fc.oneof(
    { weight: 1, arbitrary: fc.constant<SessionCommand>({ kind: "open" }) },
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 5 }), fc.nat({ max: 4 }))
        .map(([session, sequence, before]) => {
          return call(session, sequence, `${session}.${sequence}`, Math.max(1, sequence - before));
        }),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 2, max: 12 }).map((session): SessionCommand => ({ kind: "close", session })),
    },
    { weight: 1, arbitrary: fc.constant<SessionCommand>({ kind: "plain", payload: bytesOf("plain") }) },
  );

  test("in which batches, and over how many snapshots; and no command of a session takes effect twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyCommand, { maxLength: 60 }).map((list): SessionCommand[] => [{ kind: "open" }, ...list]),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { minLength: 1 }),
        async (commands, cuts) => {
          const plain = new Subject();
          const expected = commands.map((command) => plain.one(command));
          let cut = new Subject();
          const answers: SessionAnswer[] = [];
          for (let at = 0, turn = 0; at < commands.length; turn++) {
            const [count, viaSnapshot] = cuts[turn % cuts.length] as [number, boolean];
            answers.push(...cut.apply(...commands.slice(at, at + count)));
            at += count;
            if (viaSnapshot) cut = await cut.restored();
          }
          expect(answers).toEqual(expected);
          expect(cut.tally.texts).toEqual(plain.tally.texts);
          const ofSessions = plain.tally.texts.filter((text) => text !== "plain");
          expect(new Set(ofSessions).size).toBe(ofSessions.length);
        },
      ),
    );
  });
});
