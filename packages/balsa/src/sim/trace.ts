import { TRACE_WORDS_MAX } from "./limits.js";
import type { SimEvent } from "./sim-event.js";
import { TextHash } from "./text-hash.js";

/**
 * All that happened in a world: one line an event, `time-in-µs node kind detail`. The same seed gives the same bytes.
 *
 * The hash is that of the lines' content, not of their text: a word is hashed letter by letter when it comes for the
 * first time, and by its number from then on, so that a trace of which only the hash is kept costs no text at all.
 */
export class Trace {
  readonly #hash = new TextHash();
  readonly #lines: string[] = [];
  readonly #keepLines: boolean;
  /** Numbers of the words that came so far. */
  readonly #words = new Map<string, number>();
  #timeUs = 0;
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

  event(event: SimEvent): void {
    this.#add(event.timeUs, event.node, event.kind, event.detail);
    const { numbers, first, second, third } = event;
    this.#hash.word(numbers);
    if (numbers > 0) {
      this.#hash.word(first);
      this.#hash.word(second);
    }
    if (numbers > 2) this.#hash.word(third);
    if (!this.#keepLines) return;
    const text = lineOf(event.timeUs, event.node, event.kind, event.detail);
    const rest = [first, second, third].slice(0, numbers).map((number) => ` ${number}`);
    this.#lines.push(text + rest.join(""));
  }

  /** What is no event: what the test does to its world, and what programs log. */
  note(timeUs: number, node: string, kind: string, detail: string): void {
    this.#add(timeUs, node, kind, detail);
    if (this.#keepLines) this.#lines.push(lineOf(timeUs, node, kind, detail));
  }

  /** Of all lines so far, as hexadecimal digits. */
  hash(): string {
    return this.#hash.hex();
  }

  /** The last lines, for messages. */
  tail(count: number): string {
    return this.#lines.slice(-count).join("\n");
  }

  #add(timeUs: number, node: string, kind: string, detail: string): void {
    this.#count += 1;
    const passedUs = timeUs - this.#timeUs;
    this.#timeUs = timeUs;
    if (passedUs >= 0x8000_0000) this.#hash.word(Math.floor(passedUs / 0x8000_0000));
    this.#hash.word(passedUs | 0);
    this.#hash.word(this.#number(node));
    this.#hash.word(this.#number(kind));
    if (detail !== "") this.#hash.word(this.#number(detail));
  }

  #number(word: string): number {
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    this.#hash.word(word.length);
    this.#hash.update(word);
    const number = this.#words.size;
    if (number < TRACE_WORDS_MAX) this.#words.set(word, number);
    return number;
  }
}

function lineOf(timeUs: number, node: string, kind: string, detail: string): string {
  return detail === "" ? `${timeUs} ${node} ${kind}` : `${timeUs} ${node} ${kind} ${detail}`;
}
