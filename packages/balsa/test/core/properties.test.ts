import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message, NodeChange } from "../../src/core/index.js";
import { EMPTY_CONF_STATE, encodeConfChange, NO_CONTEXT } from "../../src/core/index.js";
import { entriesFrom } from "./entries.js";
import type { Lateness } from "./late-storage.js";
import { Scenario } from "./scenario.js";

/** What can happen to a group. Numbers are taken modulo what there is to choose from. */
type Happening =
  | { readonly kind: "turn" }
  | { readonly kind: "tick"; readonly member: number; readonly ticks: number }
  | { readonly kind: "ready"; readonly member: number }
  | { readonly kind: "deliver" | "lose" | "double"; readonly message: number }
  | { readonly kind: "write"; readonly member: number }
  | { readonly kind: "apply"; readonly member: number }
  | { readonly kind: "fetch"; readonly member: number }
  | { readonly kind: "crash"; readonly member: number }
  | { readonly kind: "propose"; readonly member: number; readonly count: number }
  | { readonly kind: "change"; readonly member: number; readonly change: NodeChange; readonly joint: boolean }
  | { readonly kind: "leave"; readonly member: number }
  | { readonly kind: "transfer"; readonly member: number; readonly to: number }
  | { readonly kind: "read"; readonly member: number }
  | { readonly kind: "forget"; readonly member: number }
  | { readonly kind: "unreachable"; readonly member: number; readonly to: number }
  | { readonly kind: "compact"; readonly member: number };

const member = fc.integer({ min: 1, max: 4 });
const message = fc.nat(1000);

function happeningOf(kind: Happening["kind"], rest: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Happening> {
  return fc.record({ kind: fc.constant(kind), ...rest }) as unknown as fc.Arbitrary<Happening>;
}

/** Mostly what goes on all the time, in any order; now and then something that shakes the group. */
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 12, arbitrary: happeningOf("turn", {}) },
  { weight: 10, arbitrary: happeningOf("ready", { member }) },
  { weight: 16, arbitrary: happeningOf("deliver", { message }) },
  { weight: 6, arbitrary: happeningOf("write", { member }) },
  { weight: 4, arbitrary: happeningOf("apply", { member }) },
  { weight: 4, arbitrary: happeningOf("fetch", { member }) },
  { weight: 6, arbitrary: happeningOf("propose", { member, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: happeningOf("tick", { member, ticks: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: happeningOf("read", { member }) },
  { weight: 1, arbitrary: happeningOf("tick", { member, ticks: fc.constant(20) }) },
  { weight: 3, arbitrary: happeningOf("lose", { message }) },
  { weight: 2, arbitrary: happeningOf("double", { message }) },
  { weight: 1, arbitrary: happeningOf("crash", { member }) },
  {
    weight: 2,
    arbitrary: happeningOf("change", {
      member,
      change: fc.record({ kind: fc.constantFrom("add-voter", "add-learner", "remove"), id: member }),
      joint: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: happeningOf("leave", { member }) },
  { weight: 1, arbitrary: happeningOf("transfer", { member, to: member }) },
  { weight: 1, arbitrary: happeningOf("forget", { member }) },
  { weight: 2, arbitrary: happeningOf("unreachable", { member, to: member }) },
  { weight: 2, arbitrary: happeningOf("compact", { member }) },
);

const options = fc.record({
  preVote: fc.boolean(),
  checkQuorum: fc.boolean(),
  asyncStorageWrites: fc.boolean(),
  stepDownOnRemoval: fc.boolean(),
  commitHints: fc.boolean(),
  quietCommits: fc.boolean(),
  disableProposalForwarding: fc.boolean(),
  maxInflightMessages: fc.integer({ min: 1, max: 4 }),
  maxBytesPerMessage: fc.integer({ min: 1, max: 60 }),
  maxCommittedBytesPerReady: fc.integer({ min: 1, max: 60 }),
  maxUncommittedBytes: fc.integer({ min: 1, max: 60 }),
  storageSeed: fc.nat({ max: 1000 }),
});

type Chosen = ConstructorParameters<typeof Scenario>[0] & { readonly storageSeed: number };

/** Half of the storages have everything in memory; the others have not, as often as the seed says. */
function latenessFrom(seed: number): Lateness | undefined {
  if (seed % 2 === 0) return undefined;
  const random = randomFrom(seed);
  return () => {
    const drawn = random(8);
    if (drawn < seed % 7) return "later";
    return drawn === 7 ? "first" : "at-once";
  };
}

/** Voters 1, 2 and 3, led by 1, and 4, which knows of nothing yet. */
function begin(chosen: Chosen): Scenario {
  const { storageSeed, ...rest } = chosen;
  const lateness = latenessFrom(storageSeed);
  const group = new Scenario(lateness === undefined ? rest : { ...rest, lateness });
  group.addEmpty(4);
  group.elect(1);
  return group;
}

/** Chance that comes the same way again: a linear congruential generator. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * bound);
  };
}

/** Each of a few hundred happenings; more of them find more: `npm run deep` gives it more. */
const RUNS = Number(process.env["BALSA_RUNS"] ?? 150);

let requestId = 0;

function happen(group: Scenario, event: Happening): void {
  if ("message" in event) {
    if (group.inFlight.length === 0) return;
    const place = event.message % group.inFlight.length;
    const message = group.inFlight[place] as Message;
    if (event.kind !== "double") group.inFlight.splice(place, 1);
    if (event.kind === "lose") group.lose(message);
    else group.arrive(message);
    return;
  }
  if (event.kind === "turn") {
    group.turn();
    return;
  }
  const target = group.member(event.member);
  switch (event.kind) {
    case "tick":
      group.tick(event.member, event.ticks);
      return;
    case "ready":
      group.processReady(target);
      return;
    case "write":
      if (target.appendWork.length > 0) group.completeWrite(event.member);
      return;
    case "fetch":
      group.fetchEntries(event.member);
      return;
    case "apply":
      group.completeApply(event.member);
      return;
    case "crash":
      group.crash(event.member);
      group.restart(event.member);
      return;
    case "propose":
      group.proposeOnly(event.member, ...Array.from({ length: event.count }, () => `c${requestId++}`));
      return;
    case "change": {
      const transition = event.joint ? "joint-explicit" : "auto";
      const change = { version: 2, transition, changes: [event.change], context: NO_CONTEXT } as const;
      if (target.node.role !== "leader" || target.node.checkConfChange(change) !== undefined) return;
      target.act((node) => node.proposeConfChange(change));
      return;
    }
    case "leave":
      target.act((node) =>
        node.proposeConfChange({ version: 2, transition: "auto", changes: [], context: NO_CONTEXT }),
      );
      return;
    case "transfer":
      target.act((node) => node.transferLeader(event.to));
      return;
    case "read":
      group.askRead(event.member, requestId++);
      return;
    case "forget":
      target.act((node) => node.forgetLeader());
      return;
    case "unreachable":
      target.act((node) => node.reportUnreachable(event.to));
      return;
    case "compact":
      target.compactIfPossible();
      return;
    default:
      throw new Error(event satisfies never);
  }
}

describe("a group through anything", () => {
  it("safety holds whatever is lost, doubled, reordered, crashed and changed", () => {
    const seen = { commits: 0, elections: 0, reads: 0, changes: 0, snapshots: 0, waits: 0 };
    fc.assert(
      fc.property(options, fc.array(happening, { minLength: 100, maxLength: 800, size: "max" }), (chosen, events) => {
        const group = begin(chosen);
        const members = [...group.members.values()];
        for (const event of events) {
          happen(group, event);
          for (const { node } of members) seen.waits += node.entriesNeeded().length;
        }
        seen.commits += Math.max(...members.map(({ node }) => node.commit));
        seen.elections += Math.max(...members.map(({ node }) => node.term));
        seen.reads += members.reduce((sum, { readStates }) => sum + readStates.length, 0);
        seen.changes += Math.max(
          ...members.map(({ applied }) => applied.filter(({ data }) => / \d/.test(data)).length),
        );
        seen.snapshots += group.sent.filter(({ type }) => type === "snapshot").length;
      }),
      { numRuns: RUNS },
    );
    // It was not for want of trying.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 20);
  }, 600_000);

  it("D6 when the faults end, a leader is found and everybody catches up", () => {
    fc.assert(
      fc.property(options, fc.array(happening, { minLength: 50, maxLength: 300, size: "max" }), (chosen, events) => {
        // A quota would make the proposal below a matter of luck.
        const group = begin({ ...chosen, maxUncommittedBytes: 1000, random: randomFrom(events.length) });
        for (const event of events) if (!["change", "leave"].includes(event.kind)) happen(group, event);
        for (const message of group.intercept(() => true)) group.lose(message);
        for (let i = 0; i < 100; i++) group.heartbeat();
        const leader = group.leader();
        expect(leader).toBeGreaterThan(0);
        expect(group.propose(leader, "last").kind).toBe("accepted");
        for (let i = 0; i < 10; i++) group.heartbeat();
        for (const id of [1, 2, 3]) expect(group.commands(id).at(-1)).toBe("last");
      }),
      { numRuns: 60 },
    );
  }, 600_000);
});

describe("any message in any state", () => {
  const term = fc.integer({ min: 0, max: 6 });
  const index = fc.nat(12);
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
  const common = { from: fc.integer({ min: 2, max: 5 }), to: fc.constant(1), term };

  /** Everything that a peer of ours could have sent, and much that none would; what it says of terms fits together. */
  const anyMessage: fc.Arbitrary<Message> = fc.oneof(
    fc
      .record({
        ...common,
        prevIndex: index,
        prevTerm: term,
        steps: fc.array(fc.nat(2), { maxLength: 4 }),
        commit: index,
        quiet: fc.boolean(),
      })
      .map(({ steps, ...rest }) => {
        let entryTerm = Math.max(1, rest.prevTerm);
        const terms = steps.map((step) => (entryTerm = Math.min(entryTerm + step, Math.max(1, rest.term))));
        return { type: "append" as const, ...rest, entries: entriesFrom(rest.prevIndex + 1, ...terms) };
      }),
    fc.record({
      type: fc.constant("append-response" as const),
      ...common,
      index,
      rejected: fc.boolean(),
      hintIndex: index,
      hintTerm: term,
    }),
    fc.record({ type: fc.constant("heartbeat" as const), ...common, commit: index, readRound: fc.nat(4) }),
    fc.record({ type: fc.constant("heartbeat-response" as const), ...common, readRound: fc.nat(4) }),
    fc.record({
      type: fc.constantFrom("vote" as const, "pre-vote" as const),
      ...common,
      lastIndex: index,
      lastTerm: term,
      transfer: fc.boolean(),
    }),
    fc.record({
      type: fc.constantFrom("vote-response" as const, "pre-vote-response" as const),
      ...common,
      rejected: fc.boolean(),
    }),
    fc
      .record({ ...common, index, voters: ids, snapshotTerm: fc.integer({ min: 1, max: 6 }) })
      .map(({ index: at, voters, snapshotTerm, ...rest }) => ({
        type: "snapshot" as const,
        ...rest,
        snapshot: {
          meta: {
            index: at,
            term: Math.min(snapshotTerm, Math.max(1, rest.term)),
            confState: { ...EMPTY_CONF_STATE, voters: voters.sort((a, b) => a - b) },
          },
          data: new Uint8Array(0),
        },
      })),
    fc.record({ type: fc.constant("timeout-now" as const), ...common }),
    fc.record({ type: fc.constant("transfer-leader" as const), ...common, transferee: fc.integer({ min: 0, max: 5 }) }),
    fc.record({
      type: fc.constant("propose" as const),
      ...common,
      entries: fc.array(
        fc.oneof(
          fc.record({ type: fc.constant("normal" as const), data: fc.uint8Array({ maxLength: 4 }) }),
          fc.record({
            type: fc.constantFrom("conf-change" as const, "conf-change-v2" as const),
            data: fc.uint8Array(),
          }),
          fc
            .record({ kind: fc.constantFrom("add-voter" as const, "remove" as const), id: fc.nat(5) })
            .map((change) => encodeConfChange({ version: 1, change, context: NO_CONTEXT })),
        ),
        { maxLength: 3 },
      ),
    }),
    fc.record({ type: fc.constant("read-index" as const), ...common, requestId: fc.nat(9) }),
    fc.record({ type: fc.constant("read-index-response" as const), ...common, requestId: fc.nat(9), index }),
  );

  it("never throws, and the node goes on", () => {
    fc.assert(
      fc.property(
        options,
        fc.array(happening, { maxLength: 150, size: "max" }),
        fc.array(anyMessage, { minLength: 1, maxLength: 10 }),
        (chosen, events, messages) => {
          const group = begin(chosen);
          for (const event of events) happen(group, event);
          const { node } = group.member(1);
          for (const message of messages) {
            // The one promise without which a log is lost, not a message wrong (A4): a leader commits at a peer what the
            // peer has acknowledged.
            if (message.type === "heartbeat" && message.commit > node.lastIndex) continue;
            expect(["stepped", "proposal-dropped", "peer-not-found"]).toContain(node.step(message));
            node.tick();
          }
          node.copyState();
        },
      ),
      { numRuns: 1000 },
    );
  }, 600_000);
});
