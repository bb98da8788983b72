import { describe, expect, it } from "vitest";
import { CoreRunner } from "../../src/model/core-runner.js";
import { Encoder } from "../../src/model/encoding.js";
import { bounds } from "./explored.js";

/** What the encoder writes down of a node's state, or knows to follow from the rest. */
const written = [
  "id term vote role lead electionElapsedTicks heartbeatElapsedTicks pendingCampaign leadTransferee leaseSurrendered",
  "pendingConfIndex committed applying applied applyingBytes applyingPaused applyingAwaitsEntries unstable conf peers",
  "granted rejected readRound waitingReads heldReads readLease messages messagesAfterAppend readStates handedOver",
  // One value for all; payloads are empty, so nothing is ever uncommitted in bytes.
  "randomizedElectionTicks uncommittedBytes",
].flatMap((line) => line.split(" "));

const writtenOfPeers = [
  "id isLearner state match next pendingSnapshot sentCommit appendPaused awaitsEntries recentlyActive confirmedRound",
  "inflights",
].flatMap((line) => line.split(" "));

describe("the code of a cell", () => {
  const [cell] = new CoreRunner(bounds("elections")).firstCells();

  it("leaves out nothing: a field that the core adds to its state must be written too", () => {
    expect(Object.keys(cell!.node).sort()).toEqual(written.sort());
    expect(Object.keys(cell!.node.peers[0]!).sort()).toEqual(writtenOfPeers.sort());
  });

  it("tells states apart, and renames nodes throughout", () => {
    const code = new Encoder([0, 1, 2, 3]).cell(cell!);
    const other = { ...cell!, node: { ...cell!.node, lead: 2 } };
    const renamed = { ...cell!, node: { ...cell!.node, lead: 3 } };
    expect(new Encoder([0, 1, 2, 3]).cell(other)).not.toBe(code);
    expect(new Encoder([0, 1, 3, 2]).cell(other)).toBe(new Encoder([0, 1, 2, 3]).cell(renamed));
  });
});
