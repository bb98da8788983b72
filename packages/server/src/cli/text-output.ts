/** Where a command writes to people and scripts. */
export interface TextOutput {
  /** Results. */
  out(text: string | Uint8Array): void;
  /** Problems. */
  error(text: string): void;
  /** How far it is, on one line, in place of what stood there: for a person who watches, not for a file. */
  progress(text: string): void;
}

export const processOutput: TextOutput = {
  out: (text) => {
    process.stdout.write(text);
  },
  error: (text) => {
    process.stderr.write(text);
  },
  progress: (text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${text}${ERASE_TO_END_OF_LINE}`);
  },
};

const ERASE_TO_END_OF_LINE = "\u001b[K";

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
