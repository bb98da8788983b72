import { EMPTY_CONF_STATE, MemoryStorage, RawNode } from "balsa/core";

/** Entries that a node keeps behind what it has applied: the log must not grow with the run. */
const keptEntries = 1_000;
const compactEvery = 4_000;

/**
 * A node, its storage, and how far it has applied.
 * @typedef {{ node: RawNode, storage: MemoryStorage, applied: number, compactedTo: number }} Member
 */

/**
 * @param {number} id
 * @param {readonly number[]} voters
 * @returns {Member}
 */
export function member(id, voters) {
  const storage = new MemoryStorage();
  const confState = { ...EMPTY_CONF_STATE, voters };
  // A group begins with a snapshot that holds its configuration and nothing else.
  storage.applySnapshot({ meta: { index: 1, term: 1, confState }, data: new Uint8Array(0) });
  storage.setHardState({ term: 1, vote: 0, commit: 1 });
  const node = new RawNode({
    id,
    electionTicks: 10,
    heartbeatTicks: 1,
    storage,
    random: () => 0,
    maxInflightMessages: 256,
  });
  return { node, storage, applied: 1, compactedTo: 1 };
}

/** Three nodes in one thread, in lockstep: what one says is heard before anybody says more. */
export class Group {
  /** @type {readonly [Member, Member, Member]} */
  members = [member(1, [1, 2, 3]), member(2, [1, 2, 3]), member(3, [1, 2, 3])];

  constructor() {
    this.leader.node.campaign();
    this.settle();
    if (this.leader.node.role !== "leader") throw new Error("node 1 must lead");
  }

  get leader() {
    return this.members[0];
  }

  /** Until nobody has anything left to do. */
  settle() {
    for (let busy = true; busy; ) {
      busy = false;
      for (const at of this.members) {
        if (!at.node.hasReady()) continue;
        busy = true;
        this.#process(at);
      }
    }
  }

  /** @param {Member} at */
  #process(at) {
    const { node, storage } = at;
    const ready = node.ready();
    if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
    if (ready.entries.length > 0) storage.append(ready.entries);
    for (const message of ready.messages) this.members[message.to - 1]?.node.step(message);
    if (ready.committedEntries.length > 0) at.applied = ready.committedEntries.at(-1)?.index ?? at.applied;
    node.advance();
    if (at.applied - at.compactedTo > compactEvery) {
      at.compactedTo = at.applied - keptEntries;
      storage.compact(at.compactedTo);
    }
  }
}
