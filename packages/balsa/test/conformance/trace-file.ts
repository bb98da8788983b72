/** One argument of a directive: `ID`, `key=value` or `key=(value, value)`. */
export interface TraceArg {
  readonly key: string;
  /** undefined: the argument is a key alone. */
  readonly values: readonly string[] | undefined;
}

/** One step of a trace: a directive, its input, and the output that etcd's library gave. */
export interface TraceStep {
  readonly line: number;
  /** The directive as it stands in the file. */
  readonly text: string;
  readonly directive: string;
  readonly args: readonly TraceArg[];
  readonly input: string;
  readonly expected: string;
}

const SEPARATOR = "----";

/** Reads a trace: comments, directives, input, and the expected output behind a separator. */
export function parseTrace(content: string): TraceStep[] {
  const lines = content.split("\n");
  const steps: TraceStep[] = [];
  let at = 0;
  const next = (): string | undefined => lines[at++];

  for (let text = next(); text !== undefined; text = next()) {
    const line = at;
    if (text.trim() === "" || text.startsWith("#")) continue;
    // A backslash at its end continues a directive in the next line.
    while (text.endsWith("\\")) text = text.slice(0, -1).trimEnd() + " " + (next() ?? "").trim();

    const input: string[] = [];
    for (let more = next(); ; more = next()) {
      if (more === undefined) throw new Error(`line ${line}: ${text}: no ${SEPARATOR} follows`);
      if (more === SEPARATOR) break;
      input.push(more);
    }
    const expected = readExpected(next, () => lines[at]);
    steps.push({ line, text, ...parseDirective(text), input: input.join("\n"), expected });
  }
  return steps;
}

/** Up to a blank line; or, between pairs of separators, whatever is there. */
function readExpected(next: () => string | undefined, peek: () => string | undefined): string {
  const lines: string[] = [];
  if (peek() === SEPARATOR) {
    next();
    for (let line = next(); line !== undefined; line = next()) {
      if (line === SEPARATOR && peek() === SEPARATOR) {
        next();
        break;
      }
      lines.push(line);
    }
  } else {
    for (let line = next(); line !== undefined && line !== ""; line = next()) lines.push(line);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function parseDirective(text: string): { directive: string; args: TraceArg[] } {
  const [directive = "", rest = ""] = splitOnce(text.trim(), /\s+/);
  const args: TraceArg[] = [];
  for (let left = rest; left !== ""; ) {
    const match = /^([^\s=]+)(?:=(\([^)]*\)|\S*))?\s*/.exec(left);
    if (match === null) throw new Error(`cannot read the arguments of: ${text}`);
    args.push({ key: match[1] as string, values: match[2] === undefined ? undefined : parseValues(match[2]) });
    left = left.slice(match[0].length);
  }
  return { directive, args };
}

function parseValues(text: string): string[] {
  if (!text.startsWith("(")) return [text];
  return text
    .slice(1, -1)
    .split(",")
    .map((value) => value.trim());
}

function splitOnce(text: string, separator: RegExp): string[] {
  const match = separator.exec(text);
  return match === null ? [text] : [text.slice(0, match.index), text.slice(match.index + match[0].length)];
}
