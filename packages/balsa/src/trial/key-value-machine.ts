import { crc32c, decodeUtf8, encodeUtf8 } from "../codec/index.js";
import type { KeyValueInput, KeyValueOutput } from "../linearizability/index.js";
import type { Command, StateMachine } from "../node/index.js";

/** What changes the store: proposed as JSON. */
export type KeyValueChange = Extract<KeyValueInput, { readonly kind: "put" | "delete" | "compare-and-set" }>;

const DONE = encodeUtf8(JSON.stringify({ kind: "done" } satisfies KeyValueOutput));
const SWAPPED = encodeUtf8(JSON.stringify({ kind: "compared", swapped: true } satisfies KeyValueOutput));
const NOT_SWAPPED = encodeUtf8(JSON.stringify({ kind: "compared", swapped: false } satisfies KeyValueOutput));

/** Pairs in one piece of a snapshot. */
const PIECE_PAIRS = 16;

/** Texts under keys, in memory. */
export class KeyValueMachine implements StateMachine {
  #values = new Map<string, string>();
  /** Of all pairs, in any order. */
  #digest = 0;

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  get digest(): number {
    return this.#digest;
  }

  apply(batch: readonly Command[]): readonly Uint8Array[] {
    return batch.map(({ data }) => this.#change(JSON.parse(decodeUtf8(data)) as KeyValueChange));
  }

  *snapshot(): Iterable<Uint8Array> {
    const pairs = [...this.#values];
    for (let from = 0; from < pairs.length; from += PIECE_PAIRS) {
      yield encodeUtf8(`${JSON.stringify(pairs.slice(from, from + PIECE_PAIRS))}\n`);
    }
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    this.#values = new Map();
    this.#digest = 0;
    for (const line of decodeUtf8(joined(pieces)).split("\n")) {
      if (line === "") continue;
      for (const [key, value] of JSON.parse(line) as [string, string][]) this.#set(key, value);
    }
  }

  #change(change: KeyValueChange): Uint8Array {
    switch (change.kind) {
      case "put":
        this.#set(change.key, change.value);
        return DONE;
      case "delete":
        this.#set(change.key, undefined);
        return DONE;
      case "compare-and-set":
        if (this.#values.get(change.key) !== change.expected) return NOT_SWAPPED;
        this.#set(change.key, change.value);
        return SWAPPED;
      default:
        change satisfies never;
        throw new Error("unknown change");
    }
  }

  #set(key: string, value: string | undefined): void {
    const before = this.#values.get(key);
    if (before !== undefined) this.#digest ^= pairDigest(key, before);
    if (value === undefined) {
      this.#values.delete(key);
    } else {
      this.#values.set(key, value);
      this.#digest ^= pairDigest(key, value);
    }
  }
}

function pairDigest(key: string, value: string): number {
  const bytes = encodeUtf8(`${key}\n${value}`);
  return crc32c(bytes, 0, bytes.length, 0);
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
