import { BalsaError } from "../core/index.js";
import type { Applied, CallOptions, RaftNode, StateMachine } from "../node/index.js";
import type { SimulatedCluster } from "./cluster.js";
import { checksumOf, tagCommand } from "./watched-machine.js";

/**
 * Proposes under a number of its own, and holds what is told of it against what is applied.
 * @param numbered is told the number in the journal
 */
export async function proposeWatched<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  raft: RaftNode,
  data: Uint8Array,
  options: CallOptions,
  numbered?: (commandId: number) => void,
): Promise<Applied> {
  const { journal } = cluster;
  const commandId = journal.propose();
  numbered?.(commandId);
  try {
    const applied = await raft.propose(tagCommand(commandId, data), options);
    const { index, term, result } = applied;
    cluster.check(() => journal.acknowledge(commandId, index, term, checksumOf(result)));
    return applied;
  } catch (error) {
    if (isSurelyNotApplied(error)) cluster.check(() => journal.refuse(commandId));
    throw error;
  }
}

export function isSurelyNotApplied(error: unknown): boolean {
  return error instanceof BalsaError && error.applied === "not-applied";
}
