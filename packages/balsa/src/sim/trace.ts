import { TRACE_WORDS_MAX } from "./limits.js";
import type { SimEvent } from "./sim-event.js";
import { TextHash } from "./text-hash.js";

/** A word of a trace: a node, what happened, a connection, a file. Its number stands for it in the hash. */
export interface Word {
  readonly text: string;
  readonly number: number;
}

/** A text whose word is made when it is first needed, and kept. */
export class LateWord {
  readonly text: string;
  #word: Word | undefined;

  constructor(text: string) {
    this.text = text;
  }

  in(trace: Trace): Word {
    return (this.#word ??= trace.word(this.text));
  }
}

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
  readonly #words = new Map<string, Word>();
  readonly #log = new LateWord("log");
  #lastNumber = 0;
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

  /** To be kept by whoever needs it often. */
  word(text: string): Word {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    const word = this.passing(text);
    if (this.#words.size < TRACE_WORDS_MAX) this.#words.set(text, word);
    return word;
  }

  /** A word that as a rule comes once, or that its user keeps: it is not looked for among the others, nor kept with them. */
  passing(text: string): Word {
    this.#text(text);
    this.#lastNumber += 1;
    return { text, number: this.#lastNumber };
  }

  event(event: SimEvent): void {
    const { timeUs, node, kind, detail, numbers, first, second, third } = event;
    this.#add(timeUs, node, kind, detail);
    if (numbers > 0) this.#hash.fourWords(numbers, first, second, third);
    else this.#hash.word(0);
    if (!this.#keepLines) return;
    const rest = [first, second, third].slice(0, numbers).map((number) => ` ${number}`);
    this.#lines.push(lineOf(timeUs, node.text, kind.text, detail?.text ?? "") + rest.join(""));
  }

  /** What a program logs. Here too: no text for a hash. */
  log(timeUs: number, node: string, level: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#add(timeUs, this.word(node), this.#log.in(this), this.word(message));
    this.#hash.word(this.word(level).number);
    for (const [key, value] of Object.entries(fields)) {
      this.#hash.word(this.word(key).number);
      if (typeof value === "number" && (value | 0) === value) this.#hash.word(value);
      else this.#text(textOf(value));
    }
    if (!this.#keepLines) return;
    const parts = Object.entries(fields).map(([key, value]) => ` ${key}=${textOf(value)}`);
    this.#lines.push(lineOf(timeUs, node, "log", `${level} ${message}${parts.join("")}`.replaceAll("\n", "\\n")));
  }

  /** What is no event: what is done to the world. */
  note(timeUs: number, node: string, kind: string, detail: string): void {
    this.#add(timeUs, this.word(node), this.word(kind), undefined);
    // As a rule it comes once: no word to be kept.
    this.#text(detail);
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

  #text(text: string): void {
    this.#hash.word(text.length);
    this.#hash.update(text);
  }

  #add(timeUs: number, node: Word, kind: Word, detail: Word | undefined): void {
    this.#count += 1;
    const passedUs = timeUs - this.#timeUs;
    this.#timeUs = timeUs;
    if (passedUs >= 0x8000_0000) this.#hash.word(Math.floor(passedUs / 0x8000_0000));
    this.#hash.fourWords(passedUs | 0, node.number, kind.number, detail === undefined ? 0 : detail.number);
  }
}

function textOf(value: unknown): string {
  if (value === undefined) return "undefined";
  return value instanceof Error ? `${value.name}: ${value.message}` : JSON.stringify(value);
}

function lineOf(timeUs: number, node: string, kind: string, detail: string): string {
  return detail === "" ? `${timeUs} ${node} ${kind}` : `${timeUs} ${node} ${kind} ${detail}`;
}
