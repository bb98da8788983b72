import { describe, expect, test } from "vitest";
import { encodeSessionAnswer, type SessionAnswer } from "../../src/machine/session-answer.js";
import { encodeSessionCommand, type SessionCommand } from "../../src/machine/session-command.js";
import { Coverage } from "../../src/trial/coverage.js";
import { SessionRecord } from "../../src/trial/session-record.js";

const RULE = "a session's command takes effect once";

/** A record, and what members tell it of each index from 2 on; nothing said: at the next index, and by member a. */
function recording(sessionsMax = 2) {
  const settings = {
    clients: 1,
    timeoutsMs: [1],
    attemptMs: 1,
    lostAnswers: 0,
    lateRequests: 0,
    callsEach: 1,
    resultsMax: 9,
  };
  const coverage = new Coverage();
  const record = new SessionRecord({ ...settings, sessionsMax }, coverage);
  let index = 1;
  const tell = (command: SessionCommand, ran: boolean, answer: SessionAnswer, member = "a"): void => {
    if (member === "a") index += 1;
    const step = { index, ran, data: encodeSessionCommand(command), answer: encodeSessionAnswer(answer) };
    record.apply(member, step);
  };
  const open = (): number => {
    tell({ kind: "open" }, false, { kind: "opened", session: index + 1, resultsMax: 9 });
    return index;
  };
  return { record, coverage, tell, open };
}

function call(session: number, sequence: number, oldestAwaited = 1): SessionCommand {
  return { kind: "call", session, sequence, oldestAwaited, payload: new Uint8Array(1) };
}

function result(text: number): SessionAnswer {
  return { kind: "result", index: 9, term: 1, result: Uint8Array.of(text) };
}

const UNKNOWN: SessionAnswer = { kind: "refused", why: "unknown-session" };
const NOT_AWAITED: SessionAnswer = { kind: "refused", why: "not-awaited" };

test("commands that run once, are repeated, given up and refused are right, and counted", () => {
  const { coverage, tell, open } = recording();
  const session = open();
  tell(call(session, 1), true, result(1));
  tell(call(session, 1), false, result(1));
  tell(call(session, 3, 2), true, result(3));
  tell(call(session, 1), false, NOT_AWAITED);
  tell(call(session, 2), true, result(2));
  open();
  open();
  tell(call(session, 4, 4), false, UNKNOWN);
  tell(call(77, 1), false, UNKNOWN);
  expect(coverage.counts).toEqual({
    "commands given up": 1,
    "commands of expired sessions": 2,
    "commands repeated": 1,
    "sessions expired": 1,
  });
});

describe("what a state machine with sessions must not do is noticed", () => {
  test("a command that runs twice", () => {
    const { tell, open } = recording();
    const session = open();
    tell(call(session, 1), true, result(1));
    expect(() => tell(call(session, 1), true, result(1))).toThrow(RULE);
  });

  test("a repetition that is answered otherwise", () => {
    const { tell, open } = recording();
    const session = open();
    tell(call(session, 1), true, result(1));
    expect(() => tell(call(session, 1), false, result(2))).toThrow(RULE);
    expect(() => tell(call(session, 1), false, UNKNOWN)).toThrow(RULE);
  });

  test("a command that runs for a session that has expired, was closed, or never was", () => {
    const { tell, open } = recording(1);
    const expired = open();
    const closed = open();
    tell({ kind: "close", session: closed }, false, { kind: "closed" });
    for (const session of [expired, closed, 99]) {
      expect(() => tell(call(session, 1), true, result(1))).toThrow(RULE);
      expect(() => tell(call(session, 1), false, result(1))).toThrow(RULE);
    }
  });

  test("a session that is taken for expired, while another one was used less recently", () => {
    const { tell, open } = recording();
    const [one, two] = [open(), open()];
    tell(call(one, 1), true, result(1));
    open();
    expect(() => tell(call(one, 2), false, UNKNOWN)).toThrow(RULE);
    expect(() => tell(call(two, 1), true, result(1))).toThrow(RULE);
  });

  test("a command that runs after its client has given it up", () => {
    const { tell, open } = recording();
    const session = open();
    tell(call(session, 2, 2), true, result(2));
    expect(() => tell(call(session, 1), true, result(1))).toThrow(RULE);
  });

  test("a command that does not run though its session lives", () => {
    const { tell, open } = recording();
    const session = open();
    expect(() => tell(call(session, 1), false, { kind: "refused", why: "too-many-results" })).toThrow(RULE);
    expect(() => tell({ kind: "plain", payload: new Uint8Array(1) }, false, result(1))).toThrow(RULE);
  });

  test("a member that runs what others do not", () => {
    const { tell, open } = recording();
    const session = open();
    tell(call(session, 1), true, result(1));
    tell(call(session, 1), true, result(1), "b");
    expect(() => tell(call(session, 1), false, result(1), "c")).toThrow(RULE);
  });

  test("a client that is told otherwise than what ran", () => {
    const { journal } = recording().record;
    const [told, refused] = [journal.propose(), journal.propose()];
    expect(() => journal.acknowledge(told, 2, 1, 0)).toThrow(RULE);
    journal.refuse(refused);
    const applied = { index: 2, term: 1, commandId: refused, result: 0, before: 0 };
    expect(() => journal.apply("a", applied)).toThrow(RULE);
  });
});
