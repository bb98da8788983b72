import { describe, expect, test } from "vitest";
import type { ConfState, Entry, RawNode } from "../../src/core/index.js";
import { answerFromWhole, type WholeLog } from "../../src/node/repair-answers.js";
import { decodeRepairAnswer, encodeRepairRequest } from "../../src/node/repair-requests.js";

const VOTERS: ConfState = { voters: [1, 2, 3], votersOutgoing: [], learners: [4], learnersNext: [], autoLeave: false };

/** A member with entries 5 to 8 in its log, of these types, and what is asked of it for this answer alone. */
function member(confState: ConfState, applied: number, types: readonly Entry["type"][]): WholeLog {
  const entries = types.map(
    (type, i): Entry => ({ type, index: 5 + i, term: 1, data: new Uint8Array(0), checksum: 0 }),
  );
  const raw = {
    lastIndex: 4 + entries.length,
    entriesFrom: (from: number) => (from < 5 ? "compacted" : entries.slice(from - 5, from - 3)),
  } satisfies Partial<RawNode>;
  return { raw, applied, configuration: { confState, members: [], removed: [] } } as unknown as WholeLog;
}

async function asked(log: WholeLog): Promise<unknown> {
  return decodeRepairAnswer(await answerFromWhole(log, 2, encodeRepairRequest({ kind: "configuration" })));
}

describe("who votes, as a member under repair is told", () => {
  test("the voters, where the whole log has been applied as far as it has changes", async () => {
    const answer = { kind: "configuration", voters: [1, 2, 3] };
    expect(await asked(member(VOTERS, 8, ["normal", "conf-change", "normal", "normal"]))).toEqual(answer);
    expect(await asked(member(VOTERS, 6, ["normal", "conf-change", "normal", "normal"]))).toEqual(answer);
    expect(await asked(member(VOTERS, 4, ["normal", "normal", "normal", "normal"]))).toEqual(answer);
  });

  test("nobody, while a change is in the log that is not applied, wherever it lies", async () => {
    const later = { kind: "refused", refusal: "later" };
    expect(await asked(member(VOTERS, 5, ["normal", "conf-change", "normal", "normal"]))).toEqual(later);
    expect(await asked(member(VOTERS, 4, ["normal", "normal", "normal", "conf-change-v2"]))).toEqual(later);
  });

  test("nobody in a joint configuration, nor where the log is not all there to be looked through", async () => {
    const later = { kind: "refused", refusal: "later" };
    const joint = { ...VOTERS, votersOutgoing: [1, 2] };
    expect(await asked(member(joint, 8, ["normal", "normal", "normal", "normal"]))).toEqual(later);
    expect(await asked(member(VOTERS, 3, ["normal", "normal", "normal", "normal"]))).toEqual(later);
  });
});
