import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findTraces, replayTrace } from "./replay.js";
import { describeDifferences } from "./report.js";

const folder = fileURLToPath(new URL("../../../../../shared/conformance", import.meta.url));
const present = existsSync(folder);

/** What etcd's library did, step by step, our core does too: byte for byte. */
describe.skipIf(!present)(`traces of etcd's raft library (${present ? "from" : "not there:"} ${folder})`, () => {
  const traces = present ? findTraces(folder) : [];
  it("are found", () => expect(traces).not.toEqual([]));
  it.each(traces)("$name", (trace) => {
    expect(describeDifferences(replayTrace(trace))).toBe("");
  });
});
