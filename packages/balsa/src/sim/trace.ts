import { TextHash } from "./text-hash.js";

/** All that happened in a world: one line an event, `time-in-µs node kind detail`. The same seed gives the same bytes. */
export class Trace {
  readonly #hash = new TextHash();
  readonly #lines: string[] = [];
  readonly #keepLines: boolean;
  #count = 0;

  /** Without `keepLines` only the hash and the count are kept: for long runs. */
  constructor(keepLines: boolean) {
    this.#keepLines = keepLines;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How many lines there were, kept or not. */
  get count(): number {
    return this.#count;
  }

  record(timeUs: number, node: string, kind: string, detail: string): void {
    const line = detail === "" ? `${timeUs} ${node} ${kind}` : `${timeUs} ${node} ${kind} ${detail}`;
    this.#count += 1;
    this.#hash.update(line);
    this.#hash.update("\n");
    if (this.#keepLines) this.#lines.push(line);
  }

  /** Of all lines so far, as hexadecimal digits. */
  hash(): string {
    return this.#hash.hex();
  }

  /** The last lines, for messages. */
  tail(count: number): string {
    return this.#lines.slice(-count).join("\n");
  }
}
