import { decodeUtf8, encodeUtf8 } from "../codec/index.js";
import type { KeyValueOutput } from "../linearizability/index.js";
import type { Command, StateMachine } from "../node/index.js";
import { areEqual, type Pair, pairOf, type ReadChange, readChange } from "./read-changes.js";

const DONE = answer({ kind: "done" });
const SWAPPED = answer({ kind: "compared", swapped: true });
const NOT_SWAPPED = answer({ kind: "compared", swapped: false });

/** Pairs in one piece of a snapshot. */
const PIECE_PAIRS = 16;

/** Texts under keys, in memory. */
export class KeyValueMachine implements StateMachine {
  #pairs = new Map<string, Pair>();
  /** Of all pairs, in any order. */
  #digest = 0;

  get(key: string): string | undefined {
    return this.#pairs.get(key)?.value;
  }

  get digest(): number {
    return this.#digest;
  }

  apply(batch: readonly Command[]): readonly Uint8Array[] {
    return batch.map(({ data }) => this.#change(readChange(data)));
  }

  *snapshot(): Iterable<Uint8Array> {
    const pairs = Array.from(this.#pairs, ([key, { value }]) => [key, value]);
    for (let from = 0; from < pairs.length; from += PIECE_PAIRS) {
      yield encodeUtf8(`${JSON.stringify(pairs.slice(from, from + PIECE_PAIRS))}\n`);
    }
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    this.#pairs = new Map();
    this.#digest = 0;
    for (const line of decodeUtf8(joined(pieces)).split("\n")) {
      if (line === "") continue;
      for (const [key, value] of JSON.parse(line) as [string, string][]) this.#set(key, pairOf(key, value));
    }
  }

  #change({ change, pair }: ReadChange): Uint8Array {
    switch (change.kind) {
      case "put":
      case "delete":
        this.#set(change.key, pair);
        return DONE.bytes;
      case "compare-and-set":
        if (this.get(change.key) !== change.expected) return NOT_SWAPPED.bytes;
        this.#set(change.key, pair);
        return SWAPPED.bytes;
      default:
        change satisfies never;
        throw new Error("unknown change");
    }
  }

  #set(key: string, pair: Pair | undefined): void {
    const before = this.#pairs.get(key);
    if (before !== undefined) this.#digest ^= before.digest;
    if (pair === undefined) {
      this.#pairs.delete(key);
    } else {
      this.#pairs.set(key, pair);
      this.#digest ^= pair.digest;
    }
  }
}

/** What an answer says. This machine's need not be parsed; one that is made of it may have others. */
export function readAnswer(bytes: Uint8Array): KeyValueOutput {
  for (const known of [DONE, SWAPPED, NOT_SWAPPED]) if (areEqual(known.bytes, bytes)) return known.output;
  return JSON.parse(decodeUtf8(bytes)) as KeyValueOutput;
}

function answer(output: KeyValueOutput): { readonly output: KeyValueOutput; readonly bytes: Uint8Array } {
  return { output, bytes: encodeUtf8(JSON.stringify(output)) };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let lengthBytes = 0;
  for (const piece of pieces) lengthBytes += piece.length;
  const bytes = new Uint8Array(lengthBytes);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
