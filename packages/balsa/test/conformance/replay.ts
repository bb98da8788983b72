import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { ConfChangeReplay } from "./confchange.js";
import { InteractionReplay } from "./interaction.js";
import { QuorumReplay } from "./quorum.js";
import type { TraceStep } from "./trace-file.js";
import { parseTrace } from "./trace-file.js";

/** Where a trace and our core differ. */
export interface Difference {
  readonly line: number;
  readonly directive: string;
  readonly expected: string;
  readonly actual: string;
}

export interface TraceResult {
  /** Path below the folder of traces. */
  readonly name: string;
  /** Empty: the trace passes. Nothing behind a difference means much. */
  readonly differences: readonly Difference[];
}

interface Replay {
  run(step: TraceStep): string;
}

const KINDS: Readonly<Record<string, () => Replay>> = {
  interaction: () => new InteractionReplay(),
  confchange: () => new ConfChangeReplay(),
  quorum: () => new QuorumReplay(),
};

/** The traces under a folder: files in folders named after a kind of trace. The folder may be such a one itself. */
export function findTraces(folder: string): { readonly name: string; readonly path: string; readonly kind: string }[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files.flatMap((file) => {
    const path = join(folder, file);
    const kind = basename(join(path, ".."));
    return kind in KINDS && statSync(path).isFile() ? [{ name: relative(folder, path), path, kind }] : [];
  });
}

export function replayTrace(trace: { name: string; path: string; kind: string }): TraceResult {
  const { name } = trace;
  const replay = KINDS[trace.kind]?.();
  if (replay === undefined) throw new Error(`${trace.kind} is no kind of trace`);
  const differences: Difference[] = [];
  let at = { line: 1, text: "" };
  try {
    for (const step of parseTrace(readFileSync(trace.path, "utf8"))) {
      at = step;
      const actual = replay.run(step);
      if (actual !== step.expected) {
        differences.push({ line: step.line, directive: step.text, expected: step.expected, actual });
      }
    }
  } catch (error) {
    // The replay cannot go on: an invariant of the core, or a directive that nobody knows.
    const actual = `${error instanceof Error ? error.stack : String(error)}\n`;
    differences.push({ line: at.line, directive: at.text, expected: "", actual });
  }
  return { name, differences };
}
