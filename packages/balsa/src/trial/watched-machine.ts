import { crc32c, safeInteger } from "../codec/index.js";
import { invariant } from "../core/index.js";
import type { Command, StateMachine } from "../node/index.js";
import type { Prng } from "../sim/index.js";
import type { Journal } from "./journal.js";

/** Before each command: its number in the journal, u32. */
const TAG_BYTES = 4;
/** Behind each snapshot: the index of the last command in it, as two u32. */
const TRAILER_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/** In one piece of a snapshot. */
const CUTS_MAX = 5;

/** A command that can be told from every other, even where its bytes are the same. */
export function tagCommand(commandId: number, data: Uint8Array): Uint8Array {
  const tagged = new Uint8Array(TAG_BYTES + data.length);
  tagged[0] = commandId >>> 24;
  tagged[1] = commandId >>> 16;
  tagged[2] = commandId >>> 8;
  tagged[3] = commandId;
  tagged.set(data, TAG_BYTES);
  return tagged;
}

/** The number before a command. In shifts: a view would cost more than all else that is done here. */
function tagOf(data: Uint8Array): number {
  invariant(data.length >= TAG_BYTES, "a watched command has its number before it");
  const high = ((data[0] as number) << 8) | (data[1] as number);
  const low = ((data[2] as number) << 8) | (data[3] as number);
  return high * 0x1_0000 + low;
}

export function checksumOf(bytes: Uint8Array): number {
  return crc32c(bytes, 0, bytes.length, 0);
}

/** The user's state machine, with a record of what passes through it: in the journal, and in its snapshots. */
export class WatchedMachine implements StateMachine {
  readonly machine: StateMachine;
  readonly #member: string;
  readonly #journal: Journal;
  readonly #digest: () => string | number | undefined;
  /** Resolves when as much time has gone by as the state machine is to take. */
  readonly #takeTime: (() => Promise<void>) | undefined;
  readonly #prng: Prng | undefined;
  /** Of the last command applied; 0 = none. */
  #index = 0;

  /**
   * @param digest names its state; undefined: nothing does
   * @param prng draws where what it is restored from is cut; undefined: nowhere
   */
  constructor(
    member: string,
    machine: StateMachine,
    journal: Journal,
    digest: () => string | number | undefined,
    prng?: Prng,
    takeTime?: () => Promise<void>,
  ) {
    this.#prng = prng;
    this.#takeTime = takeTime;
    this.#member = member;
    this.machine = machine;
    this.#journal = journal;
    this.#digest = digest;
  }

  apply(batch: readonly Command[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    return this.#takeTime === undefined ? this.#apply(batch) : this.#takeTime().then(() => this.#apply(batch));
  }

  #apply(batch: readonly Command[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    const untagged = batch.map(({ index, term, data }): Command => ({ index, term, data: data.subarray(TAG_BYTES) }));
    const results = this.machine.apply(untagged);
    if (results instanceof Promise) return results.then((late) => this.#applied(batch, late));
    return this.#applied(batch, results);
  }

  snapshot(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
    const trailer = this.#trailer();
    const content = this.machine.snapshot();
    return Symbol.asyncIterator in content ? followedLate(content, trailer) : followed(content, trailer);
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#takeTime?.();
    const split = new TrailerSplit(content);
    await this.machine.restore(this.#prng === undefined ? split.content() : cut(split.content(), this.#prng));
    const trailer = split.trailer();
    const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
    this.#index = safeInteger(view.getUint32(0), view.getUint32(4));
    this.#tellDigest();
  }

  #applied(batch: readonly Command[], results: readonly Uint8Array[]): readonly Uint8Array[] {
    for (let at = 0; at < batch.length; at += 1) {
      const { index, term, data } = batch[at] as Command;
      const result = checksumOf(results[at] ?? NO_BYTES);
      this.#journal.apply(this.#member, { index, term, commandId: tagOf(data), result, before: this.#index });
      this.#index = index;
    }
    this.#tellDigest();
    return results;
  }

  #tellDigest(): void {
    this.#journal.digest(this.#member, { index: this.#index, digest: this.#digest() });
  }

  #trailer(): Uint8Array {
    const trailer = new Uint8Array(TRAILER_BYTES);
    const view = new DataView(trailer.buffer);
    view.setUint32(0, Math.floor(this.#index / 2 ** 32));
    view.setUint32(4, this.#index >>> 0);
    return trailer;
  }
}

function* followed(content: Iterable<Uint8Array>, trailer: Uint8Array): Iterable<Uint8Array> {
  yield* content;
  yield trailer;
}

async function* followedLate(content: AsyncIterable<Uint8Array>, trailer: Uint8Array): AsyncIterable<Uint8Array> {
  yield* content;
  yield trailer;
}

/** What comes need not come in the pieces that `snapshot` gave: it is cut anywhere, and mostly not at all. */
async function* cut(content: AsyncIterable<Uint8Array>, prng: Prng): AsyncIterable<Uint8Array> {
  const isCut = prng.chance(0.4);
  for await (const piece of content) {
    let at = 0;
    for (let cuts = 0; isCut && cuts < CUTS_MAX && piece.length - at > 1; cuts += 1) {
      const end = at + prng.between(1, Math.min(piece.length - at - 1, prng.pick([1, 8, 1_000])));
      yield piece.subarray(at, end);
      at = end;
    }
    yield piece.subarray(at);
  }
}

/** Parts a stream into all but its last bytes, passed on as they come, and those. */
class TrailerSplit {
  readonly #source: AsyncIterable<Uint8Array>;
  #held = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *content(): AsyncIterable<Uint8Array> {
    for await (const piece of this.#source) {
      const bytes = new Uint8Array(this.#held.length + piece.length);
      bytes.set(this.#held);
      bytes.set(piece, this.#held.length);
      const end = Math.max(0, bytes.length - TRAILER_BYTES);
      this.#held = bytes.slice(end);
      if (end > 0) yield bytes.subarray(0, end);
    }
  }

  trailer(): Uint8Array {
    invariant(this.#held.length === TRAILER_BYTES, "a watched snapshot is read to its end, and ends in its trailer");
    return this.#held;
  }
}
