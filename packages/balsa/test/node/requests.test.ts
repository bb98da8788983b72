import { expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { firstConfiguration } from "../../src/node/bootstrap.js";
import { decodeContext, decodeIncarnations, encodeIncarnations, withChange } from "../../src/node/configuration.js";
import { membershipRefused, planChange } from "../../src/node/member-change.js";
import { changesToJoin } from "../../src/node/membership.js";
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  errorOf,
  type MemberAnswer,
  type MemberRequest,
  refusedAnswer,
} from "../../src/node/requests.js";

const names = ["a", "b", "c"];
const configuration = firstConfiguration({
  id: "requests",
  members: names.map((name) => ({ name, address: `${name}:1` })),
});
const [first] = configuration.members;
const ID = 2 ** 52 + 99;

test.each<MemberRequest>([
  {
    kind: "change",
    force: true,
    timeoutMs: 5_000,
    changes: [
      { kind: "add-learner", name: "d", address: "d:1", promote: true, incarnation: 7 },
      { kind: "promote", id: ID },
      { kind: "demote", id: ID + 1 },
      { kind: "remove", id: ID + 2 },
      { kind: "update", id: ID + 3, address: "e:1", incarnation: 0 },
    ],
  },
  { kind: "transfer", to: ID, timeoutMs: 1 },
  { kind: "join", id: 0, name: "d", address: "d:1", incarnation: 2 ** 53 - 1, promote: false, timeoutMs: 10_000 },
  { kind: "introduce", id: ID, incarnation: 5 },
])("a request comes as it was sent, and damage is found: $kind", (request) => {
  const body = encodeRequest(request);
  expect(decodeRequest(body)).toEqual(request);
  expect(() => decodeRequest(body.subarray(0, body.length - 1))).toThrow(BalsaError);
  expect(() => decodeRequest(Uint8Array.of(...body, 0))).toThrow("left over");
  expect(() => decodeRequest(Uint8Array.of(99))).toThrow("no known kind");
});

test.each<MemberAnswer>([
  { kind: "done", index: 7, term: 3, added: [ID, ID + 1] },
  { kind: "joined", clusterId: ID, memberId: ID + 1, members: configuration.members },
  { kind: "introduced", known: "removed", term: 9 },
  {
    kind: "refused",
    code: "membership-refused",
    refusal: "quorum-at-risk",
    reason: "why",
    unknown: false,
    leaderAddress: "a:1",
  },
])("an answer comes as it was sent, and damage is found: $kind", (answer) => {
  const body = encodeAnswer(answer);
  expect(decodeAnswer(body)).toEqual(answer);
  expect(() => decodeAnswer(body.subarray(0, body.length - 1))).toThrow(BalsaError);
});

test("a refusal says at the caller's what it said at the leader's; that the leader closes is no news of this member", () => {
  const refused = refusedAnswer(membershipRefused("last-voter", "nobody would be left"), "");
  const carried = decodeAnswer(encodeAnswer(refused));
  expect(carried.kind === "refused" && errorOf(carried)).toMatchObject({
    code: "membership-refused",
    refusal: "last-voter",
    applied: "not-applied",
    message: expect.stringContaining("nobody would be left"),
  });
  const closing = refusedAnswer(new BalsaError("closed", "closed", { applied: "unknown" }), "");
  expect(closing.kind === "refused" && errorOf(closing)).toMatchObject({ code: "not-leader", applied: "unknown" });
});

test("E1 a change is planned: several at once for a joint configuration, each member once, the descriptions beside", () => {
  let next = ID;
  const planned = planChange(
    configuration,
    [
      { kind: "add-learner", name: "d", address: "d:1" },
      { kind: "remove", id: first!.id },
    ],
    () => next++,
  );
  expect(planned.conf.changes).toEqual([
    { kind: "add-learner", id: ID },
    { kind: "remove", id: first!.id },
  ]);
  expect(planned.voters).toHaveLength(2);
  expect(decodeContext(planned.conf.context)).toEqual([
    { id: ID, name: "d", address: "d:1", incarnation: 0, promote: false },
  ]);
  const twice = [
    { kind: "remove", id: first!.id },
    { kind: "update", id: first!.id, address: "x:1" },
  ] as const;
  expect(() => planChange(configuration, twice, () => ID)).toThrow(BalsaError);
  // The name and address of one that goes are free for one that comes.
  const replaced = [
    { kind: "remove", id: first!.id },
    { kind: "add-learner", name: first!.name, address: first!.address },
  ] as const;
  expect(planChange(configuration, replaced, () => ID).added).toHaveLength(1);
});

test("members that are gone are remembered, the first incarnation that is recorded of one stays", () => {
  const confState = { ...configuration.confState, voters: configuration.confState.voters.slice(1), learners: [ID] };
  const learner = { id: ID, name: "d", address: "d:1", incarnation: 7, promote: true };
  const after = withChange(configuration, confState, [learner]);
  expect(after.removed).toEqual([first!.id]);
  expect(after.members.find(({ id }) => id === ID)).toEqual(learner);
  const moved = withChange(after, confState, [{ ...learner, address: "x:1", incarnation: 8 }]);
  expect(moved.members.find(({ id }) => id === ID)).toMatchObject({ address: "x:1", incarnation: 7 });
  const votes = { ...confState, voters: [...confState.voters, ID].sort((a, b) => a - b), learners: [] };
  expect(withChange(moved, votes, []).members.find(({ id }) => id === ID)?.promote).toBe(false);
  const records = [{ id: ID, incarnation: 2 ** 53 - 1 }];
  expect(decodeIncarnations(encodeIncarnations(records))).toEqual(records);
});

test("one that joins is added, takes the place that it was given, or replaces what it was", () => {
  const asks = { name: "d", address: "d:1", incarnation: 7, promote: false };
  const known = { id: ID, name: "d", address: "old:1", incarnation: 0, promote: false };
  expect(changesToJoin(asks, undefined, false)).toEqual([{ kind: "add-learner", ...asks }]);
  expect(changesToJoin(asks, known, false)).toEqual([{ kind: "update", id: ID, address: "d:1", incarnation: 7 }]);
  // It may have voted before it was met.
  const replaced = [
    { kind: "remove", id: ID },
    { kind: "add-learner", ...asks, promote: true },
  ];
  expect(changesToJoin(asks, known, true)).toEqual(replaced);
  expect(changesToJoin(asks, { ...known, incarnation: 6 }, true)).toEqual(replaced);
});
