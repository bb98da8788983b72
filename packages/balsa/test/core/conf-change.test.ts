import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confChangeStep } from "../../src/core/conf-change.js";
import { checkConfig } from "../../src/core/config-changer.js";
import { entryBytes } from "../../src/core/entry-size.js";
import type { ConfChange, ConfState, NodeChange } from "../../src/core/index.js";
import {
  BalsaError,
  changeConfig,
  decodeConfChange,
  EMPTY_CONF_STATE,
  encodeConfChange,
  enterJoint,
  LEAVE_JOINT,
  leaveJoint,
  NO_CONTEXT,
  sameConfState,
  simpleChange,
} from "../../src/core/index.js";

const KINDS = ["add-voter", "add-learner", "remove", "update"] as const;
const TRANSITIONS = ["auto", "joint-implicit", "joint-explicit"] as const;

function nodeChange(maxId: number): fc.Arbitrary<NodeChange> {
  return fc.record({ kind: fc.constantFrom(...KINDS), id: fc.integer({ min: 0, max: maxId }) });
}

const anyChange: fc.Arbitrary<ConfChange> = fc.oneof(
  fc.record({
    version: fc.constant(1 as const),
    change: nodeChange(Number.MAX_SAFE_INTEGER),
    context: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.record({
    version: fc.constant(2 as const),
    transition: fc.constantFrom(...TRANSITIONS),
    changes: fc.array(nodeChange(Number.MAX_SAFE_INTEGER), { maxLength: 6 }),
    context: fc.uint8Array({ maxLength: 200 }),
  }),
);

function changes(text: string): NodeChange[] {
  const kinds = { v: "add-voter", l: "add-learner", r: "remove", u: "update" } as const;
  return text === "" ? [] : text.split(" ").map((word) => ({ kind: kinds[word[0] as "v"], id: Number(word.slice(1)) }));
}

function conf(parts: Partial<ConfState>): ConfState {
  return { ...EMPTY_CONF_STATE, ...parts };
}

describe("a membership change as bytes", () => {
  it("comes back as it went in", () => {
    fc.assert(
      fc.property(anyChange, (change) => {
        const entry = encodeConfChange(change);
        expect(entry.type).toBe(change.version === 1 ? "conf-change" : "conf-change-v2");
        expect(decodeConfChange(entry)).toEqual(change);
      }),
    );
  });

  it("is protobuf as etcd writes it", () => {
    const hex = (change: ConfChange): string => Buffer.from(encodeConfChange(change).data).toString("hex");
    const context = new TextEncoder().encode("hi");
    expect(hex({ version: 1, change: { kind: "remove", id: 300 }, context })).toBe("100118ac0222026869");
    expect(hex({ version: 2, transition: "joint-explicit", changes: changes("v2 l300"), context })).toBe(
      "08021204080010021205080310ac021a026869",
    );
  });

  it("no bytes at all leave a joint configuration", () => {
    const entry = { type: "conf-change-v2", data: new Uint8Array(0) } as const;
    expect(decodeConfChange(entry)).toEqual(LEAVE_JOINT);
    expect(entryBytes({ ...entry, term: 1, index: 1, checksum: 0 })).toBe(6);
  });

  it("passes over fields it does not know, such as the first format's ID", () => {
    const data = Uint8Array.from([0x08, 0x96, 0x01, 0x10, 0x03, 0x18, 0x05, 0x2a, 0x01, 0xff]);
    expect(decodeConfChange({ type: "conf-change", data })).toEqual({
      version: 1,
      change: { kind: "add-learner", id: 5 },
      context: NO_CONTEXT,
    });
    const inner = Uint8Array.from([0x20, 0x07, 0x12, 0x06, 0x08, 0x01, 0x10, 0x02, 0x18, 0x09]);
    expect(decodeConfChange({ type: "conf-change-v2", data: inner })).toMatchObject({ changes: changes("r2") });
  });

  it.each([
    { what: "a cut number", data: [0x08, 0x80] },
    { what: "cut bytes", data: [0x12, 0x05, 0x08] },
    { what: "an unknown kind", data: [0x12, 0x02, 0x08, 0x09] },
    { what: "an unknown transition", data: [0x08, 0x09] },
    { what: "a number where bytes should be", data: [0x10, 0x01] },
    { what: "bytes where a number should be", data: [0x0a, 0x01, 0x00] },
    { what: "a number without an end", data: [0x08, ...new Array<number>(12).fill(0xff)] },
    { what: "a number over the safe integers", data: [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] },
    { what: "a wire type it has no use for", data: [0x2d, 0x00, 0x00, 0x00, 0x00] },
  ])("refuses $what", ({ data }) => {
    expect(() => decodeConfChange({ type: "conf-change-v2", data: Uint8Array.from(data) })).toThrow(BalsaError);
  });

  it("never throws anything else, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom("conf-change" as const, "conf-change-v2" as const), (data, type) => {
        try {
          decodeConfChange({ type, data });
        } catch (error) {
          expect(error).toBeInstanceOf(BalsaError);
        }
      }),
    );
  });

  it("a normal entry is none", () => {
    expect(() => decodeConfChange({ type: "normal", data: NO_CONTEXT })).toThrow("no membership change");
  });
});

describe("E1 which way a change takes", () => {
  it.each([
    { transition: "auto", nodes: "", step: "leave-joint" },
    { transition: "auto", nodes: "v4", step: "simple" },
    { transition: "auto", nodes: "v4 v5", step: "enter-joint" },
    { transition: "joint-implicit", nodes: "v4", step: "enter-joint" },
    { transition: "joint-explicit", nodes: "v4", step: "enter-joint" },
    { transition: "joint-explicit", nodes: "", step: "enter-joint" },
  ] as const)("E1 $transition of '$nodes' is $step", ({ transition, nodes, step }) => {
    expect(confChangeStep({ version: 2, transition, changes: changes(nodes), context: NO_CONTEXT })).toBe(step);
  });

  it.each([
    { transition: "auto", autoLeave: true },
    { transition: "joint-implicit", autoLeave: true },
    { transition: "joint-explicit", autoLeave: false },
  ] as const)("E1 a joint configuration entered by $transition leaves by itself: $autoLeave", (expected) => {
    const { transition, autoLeave } = expected;
    const next = changeConfig(conf({ voters: [1, 2, 3] }), {
      version: 2,
      transition,
      changes: changes("v4 r1"),
      context: NO_CONTEXT,
    });
    expect(next.conf).toEqual(conf({ voters: [2, 3, 4], votersOutgoing: [1, 2, 3], autoLeave }));
  });
});

it("configurations are the same when all their parts are", () => {
  const one = conf({ voters: [1, 2], votersOutgoing: [1, 3], learners: [4], learnersNext: [3], autoLeave: true });
  expect(sameConfState(one, { ...one, voters: [1, 2] })).toBe(true);
  const others: Partial<ConfState>[] = [
    { voters: [1] },
    { votersOutgoing: [] },
    { learners: [5] },
    { learnersNext: [1] },
    { autoLeave: false },
  ];
  for (const other of others) expect(sameConfState(one, { ...one, ...other })).toBe(false);
});

describe("E1 simple changes", () => {
  it.each([
    { nodes: "v3", after: { voters: [1, 2, 3] } },
    { nodes: "l3", after: { voters: [1, 2], learners: [3] } },
    { nodes: "r2", after: { voters: [1] } },
    { nodes: "l2", after: { voters: [1], learners: [2] } },
    { nodes: "u1", after: { voters: [1, 2] } },
    { nodes: "v0", after: { voters: [1, 2] } },
    { nodes: "r9", after: { voters: [1, 2] } },
  ])("E1 $nodes", ({ nodes, after }) => {
    expect(simpleChange(conf({ voters: [1, 2] }), changes(nodes)).conf).toEqual(conf(after));
  });

  it("E1 a learner is promoted", () => {
    const before = conf({ voters: [1], learners: [2] });
    expect(simpleChange(before, changes("v2"))).toEqual({ conf: conf({ voters: [1, 2] }), joined: [] });
  });

  it.each([
    { nodes: "v3 v4", why: "more than one voter" },
    { nodes: "r1 v5", why: "more than one voter" },
    { nodes: "r1 r2", why: "removed all voters" },
  ])("E1 $nodes is refused: $why", ({ nodes, why }) => {
    expect(() => simpleChange(conf({ voters: [1, 2] }), changes(nodes))).toThrow(why);
  });

  it("E1 who is removed and added again in one change starts afresh", () => {
    expect(simpleChange(conf({ voters: [1, 2] }), changes("r2 v2"))).toEqual({
      conf: conf({ voters: [1, 2] }),
      joined: [2],
    });
  });
});

describe("E1 joint changes", () => {
  it("E1 a demoted voter waits in learnersNext until the joint configuration is left", () => {
    const joint = enterJoint(conf({ voters: [1, 2, 3] }), false, changes("l2 v4")).conf;
    expect(joint).toEqual(conf({ voters: [1, 3, 4], votersOutgoing: [1, 2, 3], learnersNext: [2] }));
    expect(leaveJoint(joint).conf).toEqual(conf({ voters: [1, 3, 4], learners: [2] }));
  });

  it("E1 a demotion can be taken back in the same change", () => {
    const joint = enterJoint(conf({ voters: [1, 2] }), true, changes("l2 v2")).conf;
    expect(joint).toEqual(conf({ voters: [1, 2], votersOutgoing: [1, 2], autoLeave: true }));
  });

  it("E1 a removed voter is a member until the joint configuration is left, and keeps its progress if it returns", () => {
    const { conf: joint, joined } = enterJoint(conf({ voters: [1, 2] }), false, changes("r2 v2"));
    expect(joint.voters).toEqual([1, 2]);
    expect(joined).toEqual([]);
  });

  it("E1 refuses what does not fit", () => {
    const joint = enterJoint(conf({ voters: [1] }), false, changes("v2")).conf;
    expect(() => enterJoint(joint, false, [])).toThrow("already joint");
    expect(() => simpleChange(joint, changes("v3"))).toThrow("in joint config");
    expect(() => leaveJoint(conf({ voters: [1] }))).toThrow("non-joint");
    expect(() => enterJoint(EMPTY_CONF_STATE, false, changes("v1"))).toThrow("zero-voter");
  });

  it("E1 quorums of neighbouring configurations overlap, through any history of changes", () => {
    const step = fc.record({
      way: fc.constantFrom("simple" as const, "joint" as const, "leave" as const),
      nodes: fc.array(nodeChange(5), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let now = conf({ voters: [1, 2, 3] });
        for (const { way, nodes } of steps) {
          let next = now;
          try {
            if (way === "simple") next = simpleChange(now, nodes).conf;
            else if (way === "joint") next = enterJoint(now, true, nodes).conf;
            else next = leaveJoint(now).conf;
          } catch (error) {
            expect(error).toMatchObject({ code: "invalid-argument" });
          }
          checkConfig(next);
          expect(quorumsOverlap(now, next)).toBe(true);
          now = next;
        }
      }),
    );
  });
});

/** Whether every set that decides in `a` shares a node with every set that decides in `b`. */
function quorumsOverlap(a: ConfState, b: ConfState): boolean {
  const subsets = [1, 2, 3, 4, 5].reduce<number[][]>((sets, id) => [...sets, ...sets.map((s) => [...s, id])], [[]]);
  const isMajority = (set: number[], ids: readonly number[]): boolean =>
    ids.length === 0 || ids.filter((id) => set.includes(id)).length * 2 > ids.length;
  const quorums = (c: ConfState): number[][] =>
    subsets.filter((set) => isMajority(set, c.voters) && isMajority(set, c.votersOutgoing));
  return quorums(a).every((set) => quorums(b).every((other) => set.some((id) => other.includes(id))));
}
