import type { Message } from "../core/index.js";
import { invariant } from "../core/index.js";
import type { Cell, Disk } from "./cell.js";
import { durableLog, lastIndexOf, termAt, wholeLog } from "./cell.js";
import type { Input } from "./input.js";

/*
 * What holds of one node by itself, over all its lives. Checked once for each distinct step of a node, however many
 * states of the system it is a part of.
 */

/** Persist before send: what a completed write's answer promises is on disk, for good. */
export function checkPromise(id: number, disk: Disk, message: Message): void {
  const { hardState } = disk;
  if (message.type === "vote-response" && !message.rejected) {
    // A vote of an earlier term has been given already; of this term, it is the one on disk.
    const given = hardState.term > message.term || (hardState.term === message.term && hardState.vote === message.to);
    invariant(given, "a vote is durable before it is given");
  }
  if (message.type === "append-response" && !message.rejected && message.index > 0) {
    const last = disk.start.index + disk.entries.length;
    invariant(message.index <= last, "an append is durable before it is acknowledged");
    invariant(message.from === id, "a node answers for itself");
  }
}

/** What one input may have changed. */
export function checkSuccessor(before: Cell, after: Cell, input: Input): void {
  const [was, is] = [before.disk.hardState, after.disk.hardState];
  invariant(is.term >= was.term, "the durable term grows only");
  invariant(is.term > was.term || was.vote === 0 || is.vote === was.vote, "a durable vote stays, in its term");
  invariant(
    after.disk.snapshot.meta.index >= before.disk.snapshot.meta.index,
    "a snapshot gives way to newer ones only",
  );
  invariant(after.disk.start.index <= after.disk.snapshot.meta.index, "the log is compacted up to a snapshot");
  invariant(after.node.term >= after.disk.hardState.term, "a node knows of the term on its disk");
  if (input.kind === "crash") return;
  if (before.node.role === "leader" && after.node.role === "leader" && before.node.term === after.node.term) {
    checkLeaderAppends(before, after);
  }
}

/** Raft Figure 3: a leader never overwrites or deletes entries in its log; the unstored and the stored ones in one. */
function checkLeaderAppends(before: Cell, after: Cell): void {
  const [was, is] = [wholeLog(before), wholeLog(after)];
  for (let index = Math.max(was.start, is.start); index <= lastIndexOf(was); index++) {
    invariant(termAt(was, index) === termAt(is, index), "a leader appends only");
  }
}

/** Whether the disk has the entry: in its log, or behind a snapshot. */
export function isDurable(cell: Cell, index: number, term: number): boolean {
  return index <= cell.disk.start.index || termAt(durableLog(cell), index) === term;
}
