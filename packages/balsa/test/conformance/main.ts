import { findTraces, replayTrace } from "./replay.js";
import { describeDifferences } from "./report.js";

/** Replays all traces under a folder; returns how many passed and failed. Prints the differences. */
export function replayFolder(folder: string, print: (line: string) => void): { passed: number; failed: number } {
  const tally = { passed: 0, failed: 0 };
  for (const trace of findTraces(folder)) {
    const result = replayTrace(trace);
    if (result.differences.length === 0) {
      tally.passed++;
      continue;
    }
    tally.failed++;
    print(describeDifferences(result));
  }
  return tally;
}
