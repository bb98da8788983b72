import { describe, expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { checkOptions, type RaftNodeOptions } from "../../src/node/options.js";

const members = [
  { name: "a", address: "127.0.0.1:1" },
  { name: "b", address: "127.0.0.1:2" },
];
const good = {
  platform: {},
  stateMachine: {},
  dir: "d",
  name: "a",
  listen: "127.0.0.1:1",
  cluster: { bootstrap: { id: "x", members } },
} as unknown as RaftNodeOptions;

function problem(change: object): string {
  try {
    checkOptions({ ...good, ...change });
  } catch (error) {
    expect(error).toBeInstanceOf(BalsaError);
    expect((error as BalsaError).code).toBe("invalid-argument");
    return (error as Error).message;
  }
  return "";
}

describe("options of RaftNode", () => {
  test("good ones pass, with the defaults filled in", () => {
    expect(checkOptions(good)).toMatchObject({ heartbeatMs: 100, electionTicks: 10 });
  });

  test.each([
    [{ name: "" }, "option name must be a text"],
    [{ name: "x".repeat(200) }, "option name is longer than 128 bytes"],
    [{ heartbeatMs: 0 }, "option heartbeatMs is 0"],
    [{ heartbeatMs: 100, electionMs: 150 }, "option electionMs is 150; it must lie between 200"],
    [{ name: "c" }, "does not name this member, c: a, b"],
    [{ cluster: { bootstrap: { id: "x", members: [] } } }, "has 0 members"],
    [{ cluster: { bootstrap: { id: "x", members: [...members, members[0]] } } }, "names a twice"],
    [
      { cluster: { bootstrap: { id: "x", members: [...members, { name: "c", address: "127.0.0.1:2" }] } } },
      "has 127.0.0.1:2 twice",
    ],
    [{ keepEntries: -1 }, "option keepEntries is -1"],
  ])("%j is refused, naming the option", (change, message) => {
    expect(problem(change)).toContain(message);
  });
});
