import type { StateMachine } from "../node/index.js";
import { readLog } from "../storage/index.js";
import { DATA_DIR, type SimulatedCluster, type SimulatedMember } from "./cluster.js";
import { COMPARE_DISK_EVERY_MS, COMPARE_DISK_IN_LONG_RUNS_EVERY_MS, LONG_RUN_MS } from "./limits.js";
import { WatchedLog } from "./watched-log.js";

/**
 * Holds what a member's disk would come back with, were the power to go now, against what its storage has said is
 * durable. Takes no virtual time: it is done before anything else happens.
 */
export async function compareDisk<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  { record, node, name, isRotten }: SimulatedMember<Machine>,
): Promise<void> {
  // Not before it has said anything, and not while it is known to be damaged.
  if (record.memberId === 0 || record.isComing || isRotten) return;
  try {
    const { hardState, snapshot, entries } = await readLog(node.disk.durableFiles(), DATA_DIR);
    const log = new WatchedLog();
    log.reset(snapshot?.index ?? 0, snapshot?.term ?? 0);
    for (const { index, term } of entries) log.put(index, term);
    record.checkRecovered({ term: hardState.term, vote: hardState.vote, log }, "has a disk");
    cluster.coverage.count("disks compared");
  } catch (error) {
    cluster.takeOr(error, "what was durable is recovered", `${name} has a disk that can't be read`);
  }
}

/** One member's disk after the other, all through the run. */
export function compareDisksInTurn<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  durationMs: number,
): void {
  const everyMs = durationMs >= LONG_RUN_MS ? COMPARE_DISK_IN_LONG_RUNS_EVERY_MS : COMPARE_DISK_EVERY_MS;
  let turn = 0;
  const next = (): void => {
    cluster.world.after(everyMs, "compare a disk", () => {
      const member = cluster.members[turn % cluster.members.length];
      turn += 1;
      if (member !== undefined) void compareDisk(cluster, member);
      next();
    });
  };
  next();
}
