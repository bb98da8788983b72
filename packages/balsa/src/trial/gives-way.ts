import type { Entry, Ready } from "../core/index.js";
import { RuleBroken } from "./violation.js";
import type { WatchedLog } from "./watched-log.js";

/**
 * What stands in a log gives way only to an entry of another term (Raft Figure 2, AppendEntries 3), and to a snapshot
 * only where that one's last entry is not in the log (§7): a late or repeated message takes nothing away. To be asked
 * within a term, that is under one leader: of what several bring in one turn only the end is seen.
 */
export function checkGivesWay(name: string, log: WatchedLog, { snapshot, entries }: Ready): void {
  if (snapshot !== undefined) {
    const { index, term } = snapshot.meta;
    if (log.lastIndex > index && log.term(index) === term) refuse(name, log, `a snapshot of ${index}`);
    return;
  }
  if (entries.length === 0) return;
  const last = entries[entries.length - 1] as Entry;
  if (last.index >= log.lastIndex) return;
  if (entries.every(({ index, term }) => log.term(index) === term)) refuse(name, log, `entry ${last.index}`);
}

function refuse(name: string, log: WatchedLog, what: string): never {
  const detail = `${name} has dropped its log up to ${log.lastIndex} for ${what}, which it had`;
  throw new RuleBroken("entries give way only to others", detail);
}
