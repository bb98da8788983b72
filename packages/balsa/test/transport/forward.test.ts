import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../src/codec/index.js";
import { readForwardAnswer, writeForwardAnswer } from "../../src/transport/forward.js";
import { FORWARD_BYTES_MAX, FORWARDS_PENDING_MAX } from "../../src/transport/limits.js";
import { twoMembers } from "./cluster.js";
import { addressOf } from "./member.js";
import { append } from "./messages.js";

const command = (n: number): Uint8Array => Uint8Array.of(n, n, n);

test("forwarded commands arrive in order, and their answer comes back", async () => {
  const { clock, a, b } = await twoMembers();
  expect(a.transport.forward(2, 71, [command(1), command(2)])).toBe(true);
  expect(a.transport.forward(2, 72, [command(3)])).toBe(true);
  a.transport.flush();
  await clock.until("both have come", () => b.forwards.length === 2);
  expect(b.forwards).toEqual([
    { from: 1, requestId: 71, commands: [command(1), command(2)] },
    { from: 1, requestId: 72, commands: [command(3)] },
  ]);
  b.transport.answerForward(1, 72, { kind: "refused", code: "overloaded", leader: 5 });
  b.transport.answerForward(1, 71, { kind: "accepted", firstIndex: 9, term: 3 });
  b.transport.flush();
  await clock.until("both are answered", () => a.answers.length === 2);
  expect(a.answers).toEqual([
    { from: 2, requestId: 72, answer: { kind: "refused", code: "overloaded", leader: 5 } },
    { from: 2, requestId: 71, answer: { kind: "accepted", firstIndex: 9, term: 3 } },
  ]);
});

test("an answer precedes the entries that are sent after it", async () => {
  const { clock, a, b } = await twoMembers();
  a.transport.forward(2, 1, [command(1)]);
  a.transport.flush();
  await clock.until("it has come", () => b.forwards.length === 1);
  b.transport.answerForward(1, 1, { kind: "accepted", firstIndex: 11, term: 5 });
  b.transport.send([append(2, 1, { entries: 1 })]);
  b.transport.flush();
  await clock.until("the answer", () => a.answers.length === 1);
  expect(a.messages).toEqual([]);
  await clock.until("the entries", () => a.messages.length === 1);
});

test("forwards travel in the turn's one write", async () => {
  const { network, a } = await twoMembers();
  network.writes = [];
  a.transport.send([append(1, 2, { entries: 1 })]);
  a.transport.forward(2, 1, [command(1)]);
  expect(network.writes).toEqual([]);
  a.transport.flush();
  expect(network.writes).toHaveLength(1);
});

test("when the peer dies before it answers, each request is lost, once", async () => {
  const { clock, network, a } = await twoMembers();
  a.transport.forward(2, 1, [command(1)]);
  a.transport.forward(2, 2, [command(2)]);
  a.transport.flush();
  network.kill("m2");
  await clock.until("both are lost", () => a.answers.length === 2, 10);
  await clock.run(1_000);
  expect(a.answers).toEqual([
    { from: 2, requestId: 1, answer: { kind: "lost" } },
    { from: 2, requestId: 2, answer: { kind: "lost" } },
  ]);
});

test("when the connection that would carry the answer breaks, the request is lost, and a late answer is not heard", async () => {
  const { clock, network, a, b } = await twoMembers();
  a.transport.forward(2, 1, [command(1)]);
  a.transport.flush();
  await clock.until("it has come", () => b.forwards.length === 1);
  network.break("m2", addressOf(1));
  await clock.until("it is lost", () => a.answers.length === 1);
  await clock.until("b is back", () => b.transport.connected(1));
  b.transport.answerForward(1, 1, { kind: "accepted", firstIndex: 1, term: 1 });
  b.transport.flush();
  await clock.run(1_000);
  expect(a.answers).toEqual([{ from: 2, requestId: 1, answer: { kind: "lost" } }]);
});

test("an answer finds its way back while the answering side's own connection is down", async () => {
  const { clock, a, b } = await twoMembers();
  // To b, a seems to have moved to where nobody is; a's connection to b is not touched by it.
  b.transport.setPeer(1, "nowhere:1");
  await clock.run(100);
  // a had a connection of b's, and lost it.
  await clock.until("a is sure of b again", () => a.events.at(-1) === "up 2");
  expect(a.transport.forward(2, 1, [command(1)])).toBe(true);
  a.transport.flush();
  await clock.until("it has come", () => b.forwards.length === 1);
  b.transport.answerForward(1, 1, { kind: "refused", code: "not-leader", leader: 3 });
  await clock.until("it is answered", () => a.answers.length === 1);
  expect(a.answers[0]?.answer).toEqual({ kind: "refused", code: "not-leader", leader: 3 });
});

test("a refusal over a state machine that failed is read as earlier versions know it", () => {
  const out = new ByteWriter();
  const answer = { kind: "refused", code: "state-machine-failed", leader: 3 } as const;
  writeForwardAnswer(out, { kind: "forward-answer", requestId: 1, answer });
  const read = readForwardAnswer(new ByteReader(out.finish()));
  expect(read.answer).toEqual({ kind: "refused", code: "invariant", leader: 3 });
});

test("a forward to nobody, to a peer that is not connected, or over a limit is refused at once", async () => {
  const { clock, network, a } = await twoMembers();
  expect(a.transport.forward(9, 1, [command(1)])).toBe(false);
  const half = new Uint8Array(FORWARD_BYTES_MAX / 2);
  expect(a.transport.forward(2, 2, [half, half, half])).toBe(false);
  for (let i = 0; i < FORWARDS_PENDING_MAX; i++) expect(a.transport.forward(2, 100 + i, [command(1)])).toBe(true);
  expect(a.transport.forward(2, 3, [command(1)])).toBe(false);
  network.kill("m2");
  await clock.until("all are lost", () => a.answers.length === FORWARDS_PENDING_MAX);
  await clock.until("the connection is closed too", () => !a.transport.connected(2), 10);
  expect(a.transport.forward(2, 4, [command(1)])).toBe(false);
  await clock.run(100);
  expect(a.answers).toHaveLength(FORWARDS_PENDING_MAX);
});

test("the largest command can be forwarded", async () => {
  const { clock, network, a, b } = await twoMembers();
  network.cut = (bytes) => Math.min(bytes, 65_536);
  const large = new Uint8Array(8 * 1024 * 1024 + 64 * 1024).fill(3);
  expect(a.transport.forward(2, 1, [large])).toBe(true);
  a.transport.flush();
  await clock.until("it has come", () => b.forwards.length === 1);
  expect(b.forwards[0]?.commands[0]?.length).toBe(large.length);
});

test("removing the peer loses what was forwarded to it", async () => {
  const { a } = await twoMembers();
  a.transport.forward(2, 1, [command(1)]);
  a.transport.flush();
  a.transport.removePeer(2);
  expect(a.answers).toEqual([{ from: 2, requestId: 1, answer: { kind: "lost" } }]);
});
