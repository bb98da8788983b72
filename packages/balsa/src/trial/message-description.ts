import type { Entry, PeerMessage } from "../core/index.js";

/** What somebody who reads a trace wants to know of a message, in a line. */
export function describeMessage(message: PeerMessage): string {
  const { term } = message;
  switch (message.type) {
    case "append": {
      const { prevIndex, prevTerm, commit } = message;
      const quiet = message.quiet ? ", quiet" : "";
      return `append ${range(message.entries)} behind ${prevIndex}@${prevTerm}, commit ${commit}${quiet}, term ${term}`;
    }
    case "append-response": {
      const { index, rejected, hintIndex, hintTerm } = message;
      return rejected
        ? `append refused behind ${index}, try ${hintIndex}@${hintTerm}, term ${term}`
        : `has all up to ${index}, term ${term}`;
    }
    case "heartbeat":
      return `heartbeat, commit ${message.commit}${round(message.readRound)}, term ${term}`;
    case "heartbeat-response":
      return `heartbeat answered${round(message.readRound)}, term ${term}`;
    case "vote":
    case "pre-vote": {
      const { type, lastIndex, lastTerm, transfer } = message;
      return `${type}? log ends with ${lastIndex}@${lastTerm}, term ${term}${transfer ? ", handed over" : ""}`;
    }
    case "vote-response":
    case "pre-vote-response": {
      const what = message.type === "vote-response" ? "vote" : "pre-vote";
      return `${what} ${message.rejected ? "refused" : "given"}, term ${term}`;
    }
    case "snapshot": {
      const { meta } = message.snapshot;
      return `snapshot at ${meta.index}@${meta.term}, term ${term}`;
    }
    case "timeout-now":
      return `campaign now, term ${term}`;
    case "transfer-leader":
      return `hand leadership over, term ${term}`;
    case "propose":
      return `${message.entries.length} proposals`;
    case "read-index":
      return "where to read?";
    case "read-index-response":
      return `read at ${message.index}, term ${term}`;
    default:
      message satisfies never;
      return "unknown message";
  }
}

function range(entries: readonly Entry[]): string {
  const [first, last] = [entries[0], entries.at(-1)];
  if (first === undefined || last === undefined) return "nothing";
  return first === last ? `${first.index}@${first.term}` : `${first.index} to ${last.index}@${last.term}`;
}

function round(readRound: number): string {
  return readRound === 0 ? "" : `, read round ${readRound}`;
}
