import type { Difference, TraceResult } from "./replay.js";

/** Differences in the manner of diff: `-` what the trace expects, `+` what the core did. */
export function describeDifferences({ name, differences }: TraceResult): string {
  return differences.map((difference) => `${name}:${difference.line}: ${describeDifference(difference)}`).join("\n");
}

function describeDifference({ directive, expected, actual }: Difference): string {
  return `${directive}\n${diffLines(lines(expected), lines(actual)).join("\n")}\n`;
}

function lines(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

/** The longest common subsequence of lines stays, the rest is marked. */
function diffLines(expected: readonly string[], actual: readonly string[]): string[] {
  const common = Array.from({ length: expected.length + 1 }, () => new Array<number>(actual.length + 1).fill(0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      const row = common[i] as number[];
      row[j] = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      out.push(`  ${expected[i++]}`);
      j++;
    } else if (j >= actual.length || (i < expected.length && at(i + 1, j) >= at(i, j + 1))) {
      out.push(`- ${expected[i++]}`);
    } else {
      out.push(`+ ${actual[j++]}`);
    }
  }
  return out;
}
