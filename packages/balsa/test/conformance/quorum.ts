import { jointCommittedIndex, jointVoteResult } from "../../src/core/joint-quorum.js";
import type { AcknowledgedIndexes, VoteResult } from "../../src/core/majority-quorum.js";
import { majorityCommittedIndex, majorityVoteResult } from "../../src/core/majority-quorum.js";
import { Directive, TraceError } from "./directive.js";
import type { TraceStep } from "./trace-file.js";

const VOTE_NAMES: Record<VoteResult, string> = { won: "VoteWon", lost: "VoteLost", pending: "VotePending" };

/** What the voters have acknowledged; one that is missing was never heard of. */
class Indexes extends Map<number, number> implements AcknowledgedIndexes {
  acknowledgedIndex(id: number): number {
    return this.get(id) ?? 0;
  }

  with(id: number, index: number): Indexes {
    return new Indexes([...this, [id, index]]);
  }
}

/** quorum/: the arithmetic of majorities and of pairs of them. */
export class QuorumReplay {
  run(step: TraceStep): string {
    const directive = new Directive(step);
    const voters = directive.numberList("cfg");
    const joint = directive.has("cfgj");
    const second = directive.list("cfgj");
    const votersOutgoing = second[0] === "zero" ? [] : second.map(Number);
    const given = directive.list(directive.name === "vote" ? "votes" : "idx");
    directive.done();

    const ids = [...new Set([...voters, ...votersOutgoing])];
    if (given.length !== ids.length) {
      return `error: mismatched input (explicit or _) for voters [${ids.join(" ")}]: [${given.join(" ")}]\n`;
    }
    const known = ids.map((id, i): [number, string] => [id, given[i] as string]).filter(([, value]) => value !== "_");
    switch (directive.name) {
      case "committed": {
        const indexes = new Indexes(known.map(([id, value]) => [id, Number(value)]));
        return joint ? jointCommitted(voters, votersOutgoing, indexes) : majorityCommitted(voters, indexes);
      }
      case "vote": {
        const granted = known.filter(([, value]) => value === "y").map(([id]) => id);
        const rejected = known.filter(([, value]) => value === "n").map(([id]) => id);
        return joint
          ? jointVote(voters, votersOutgoing, granted, rejected)
          : `${VOTE_NAMES[majorityVoteResult(voters, granted, rejected)]}\n`;
      }
      default:
        throw new TraceError(`unknown directive ${directive.name}`);
    }
  }
}

function majorityCommitted(voters: readonly number[], indexes: Indexes): string {
  const result = majorityCommittedIndex(voters, indexes);
  let out = picture(voters, indexes);
  const also = (index: number, via: string): void => {
    if (index !== result) out += `${indexName(index)} <-- ${via}\n`;
  };
  also(countedCommittedIndex(voters, indexes), "via alternative computation");
  also(jointCommittedIndex({ voters, votersOutgoing: [] }, indexes), "via zero-joint quorum");
  also(jointCommittedIndex({ voters, votersOutgoing: voters }, indexes), "via self-joint quorum");
  for (const id of voters) {
    const index = indexes.acknowledgedIndex(id);
    if (index === 0 || index >= result) continue;
    also(majorityCommittedIndex(voters, indexes.with(id, index - 1)), `overlaying ${id}->${index - 1}`);
    also(majorityCommittedIndex(voters, indexes.with(id, 0)), `overlaying ${id}->0`);
  }
  return `${out}${indexName(result)}\n`;
}

function jointCommitted(voters: readonly number[], votersOutgoing: readonly number[], indexes: Indexes): string {
  const result = jointCommittedIndex({ voters, votersOutgoing }, indexes);
  const swapped = jointCommittedIndex({ voters: votersOutgoing, votersOutgoing: voters }, indexes);
  const symmetry = swapped === result ? "" : `${indexName(swapped)} <-- via symmetry\n`;
  return `${picture([...new Set([...voters, ...votersOutgoing])], indexes)}${symmetry}${indexName(result)}\n`;
}

function jointVote(
  voters: readonly number[],
  votersOutgoing: readonly number[],
  granted: readonly number[],
  rejected: readonly number[],
): string {
  const result = jointVoteResult({ voters, votersOutgoing }, granted, rejected);
  const swapped = jointVoteResult({ voters: votersOutgoing, votersOutgoing: voters }, granted, rejected);
  const symmetry = swapped === result ? "" : `${VOTE_NAMES[swapped]} <-- via symmetry\n`;
  return `${symmetry}${VOTE_NAMES[result]}\n`;
}

/** By the definition, in another way than the core: the largest index that more than half of the voters have reached. */
function countedCommittedIndex(voters: readonly number[], indexes: Indexes): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const reached = (index: number): number => voters.filter((id) => indexes.acknowledgedIndex(id) >= index).length;
  const candidates = [0, ...voters.map((id) => indexes.acknowledgedIndex(id))];
  return Math.max(...candidates.filter((index) => reached(index) * 2 > voters.length));
}

/** A bar for each voter, as long as there are voters behind it. */
function picture(ids: readonly number[], indexes: Indexes): string {
  if (ids.length === 0) return "<empty majority quorum>";
  const width = ids.length;
  let out = `${" ".repeat(width)}    idx\n`;
  for (const id of [...ids].sort((a, b) => a - b)) {
    const index = indexes.acknowledgedIndex(id);
    const behind = ids.filter((other) => indexes.acknowledgedIndex(other) < index).length;
    const bar = indexes.has(id) ? `${"x".repeat(behind)}>`.padEnd(width + 1) : `?${" ".repeat(width)}`;
    out += `${bar} ${String(index).padStart(5)}    (id=${id})\n`;
  }
  return out;
}

function indexName(index: number): string {
  return index === Number.POSITIVE_INFINITY ? "∞" : String(index);
}
