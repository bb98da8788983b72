import { describe, expect, test } from "vitest";
import { MembershipCalls, type MembershipCallsParts } from "../../src/node/membership-calls.js";
import { decodeAnswer, encodeRequest } from "../../src/node/requests.js";

const ASKER = 2 ** 52 + 4;
const ITS_OWN = 77;
const ANOTHER = 78;

/** What one says that has these records of the asker: in its log, and applied. */
async function answered(
  { inLog, applied }: { readonly inLog: number; readonly applied: number },
  role: "leader" | "follower" = "follower",
): Promise<{ readonly known: string; readonly noted: readonly number[] }> {
  const noted: number[] = [];
  const members = {
    knowsAll: () => true,
    isRemoved: () => false,
    incarnationOf: () => inLog,
    find: () => ({ id: ASKER, incarnation: applied }),
    introduced: (_id: number, incarnation: number) => noted.push(incarnation),
  };
  const calls = new MembershipCalls({
    raw: { role, term: 9 },
    members,
    appliedIndex: () => 5,
  } as unknown as MembershipCallsParts);
  const request = encodeRequest({ kind: "introduce", id: ASKER, incarnation: ITS_OWN });
  const answer = decodeAnswer(await calls.answer({ id: ASKER, incarnation: ITS_OWN, name: "d" }, request));
  expect(answer).toMatchObject({ kind: "introduced", term: 9 });
  return { known: answer.kind === "introduced" ? answer.known : "", noted };
}

describe("F1 a member that has promised nothing is told how it is known", () => {
  test("by its directory only where the record of it is applied, and so committed: one in the log may be lost", async () => {
    expect(await answered({ inLog: 0, applied: 0 })).toEqual({ known: "not-yet", noted: [] });
    expect(await answered({ inLog: ITS_OWN, applied: 0 })).toEqual({ known: "not-yet", noted: [] });
    expect(await answered({ inLog: ITS_OWN, applied: ITS_OWN })).toEqual({ known: "as-this", noted: [] });
  });

  test("by another directory as soon as the log says so", async () => {
    expect(await answered({ inLog: ANOTHER, applied: 0 }, "leader")).toEqual({ known: "otherwise", noted: [] });
    expect(await answered({ inLog: ANOTHER, applied: ANOTHER })).toEqual({ known: "otherwise", noted: [] });
  });

  test("a leader that has no record yet makes one of what it is told", async () => {
    expect(await answered({ inLog: 0, applied: 0 }, "leader")).toEqual({ known: "not-yet", noted: [ITS_OWN] });
  });
});
