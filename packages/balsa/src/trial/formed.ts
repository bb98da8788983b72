import type { StateMachine } from "../node/index.js";
import type { SimulatedMember } from "./cluster.js";

/**
 * Whether each has applied the records of who the first members are. Until then more than a majority may be needed: those
 * whose record is not applied do not count (node/cluster-members.ts, rule 1).
 */
export function isFormed<Machine extends StateMachine>(members: readonly SimulatedMember<Machine>[]): boolean {
  return members.every(({ node }) => {
    return node.program?.raft?.status().members.every(({ incarnation }) => incarnation !== 0) ?? true;
  });
}
