import { decodeUtf8, encodeUtf8 } from "../codec/index.js";
import type { KeyValueInput, KeyValueOutput } from "../linearizability/index.js";
import type { Command, StateMachine } from "../node/index.js";

/** What changes the store: proposed as JSON. */
export type KeyValueChange = Extract<KeyValueInput, { readonly kind: "put" | "delete" | "compare-and-set" }>;

const DONE = encodeUtf8(JSON.stringify({ kind: "done" } satisfies KeyValueOutput));
const SWAPPED = encodeUtf8(JSON.stringify({ kind: "compared", swapped: true } satisfies KeyValueOutput));
const NOT_SWAPPED = encodeUtf8(JSON.stringify({ kind: "compared", swapped: false } satisfies KeyValueOutput));

/** Pairs in one piece of a snapshot. */
const PIECE_PAIRS = 16;

interface Pair {
  readonly value: string;
  readonly digest: number;
}

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
    return batch.map(({ data }) => this.#change(JSON.parse(decodeUtf8(data)) as KeyValueChange));
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
        if (this.get(change.key) !== change.expected) return NOT_SWAPPED;
        this.#set(change.key, change.value);
        return SWAPPED;
      default:
        change satisfies never;
        throw new Error("unknown change");
    }
  }

  #set(key: string, value: string | undefined): void {
    const before = this.#pairs.get(key);
    if (before !== undefined) this.#digest ^= before.digest;
    if (value === undefined) {
      this.#pairs.delete(key);
    } else {
      const digest = pairDigest(key, value);
      this.#pairs.set(key, { value, digest });
      this.#digest ^= digest;
    }
  }
}

/** FNV-1a over the letters: a checksum of bytes would have to make them first. */
function pairDigest(key: string, value: string): number {
  let digest = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) digest = Math.imul(digest ^ key.charCodeAt(i), 0x01000193);
  digest = Math.imul(digest ^ 0x1_0000, 0x01000193);
  for (let i = 0; i < value.length; i += 1) digest = Math.imul(digest ^ value.charCodeAt(i), 0x01000193);
  // Spread over all bits, since digests are joined bit by bit.
  digest = Math.imul(digest ^ (digest >>> 16), 0x85ebca6b);
  return digest ^ (digest >>> 13);
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
