import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "../mvcc/request.js";
import type { KvAnswer, KvRefusal, PlainKeyValue } from "./kv-answer.js";
import type { KvRequest } from "./kv-request.js";

type Keys = ReadonlyMap<string, PlainKeyValue>;

/**
 * All that the store held at one revision, and with it all revisions before. Histories that are equal are the same object,
 * so that a checker remembers and compares one of hundreds of revisions by its number.
 */
interface Moment {
  readonly number: number;
  readonly revision: number;
  readonly keys: Keys;
  readonly before: Moment | undefined;
  /** What can follow, by what was changed. */
  readonly after: Map<string, Moment>;
  /** Shared by all that follow from one beginning. */
  readonly numbers: { last: number };
}

/**
 * What etcd's documentation says, in the plainest words: a list of whole states, one a revision. Slow, obvious, and
 * sharing nothing with the store but the requests' shapes. A value: what a request leads to is another one.
 */
export class NaiveStore {
  private readonly newest: Moment;
  private readonly compacted: number;

  private constructor(newest: Moment, compacted: number) {
    this.newest = newest;
    this.compacted = compacted;
  }

  static empty(): NaiveStore {
    const numbers = { last: 0 };
    return new NaiveStore(
      { number: 0, revision: 1, keys: new Map(), before: undefined, after: new Map(), numbers },
      -1,
    );
  }

  get revision(): number {
    return this.newest.revision;
  }

  /**
   * Of those that began as one, two answer everything alike if this is the same. Not the other way round: they may differ
   * in nothing but what is compacted.
   */
  get stateKey(): string {
    return `${this.newest.number} ${this.compacted}`;
  }

  /** What a request makes of it: itself if it only reads, or is refused. */
  run({ kind, request }: KvRequest): readonly [NaiveStore, KvAnswer] {
    if (kind === "compact") return this.compact(request.revision);
    const transaction = new Transaction(this.newest, this.compacted);
    switch (kind) {
      case "range":
        return [this, transaction.range(request)];
      case "put": {
        const answer = transaction.refusalOfPut(request) ?? transaction.put(request);
        return [this.after(transaction), answer];
      }
      case "delete": {
        const answer = transaction.deleteRange(request);
        return [this.after(transaction), answer];
      }
      case "txn": {
        const refusal = transaction.refusalOf(request);
        if (refusal !== undefined) return [this, refusal];
        const answer = transaction.run(request);
        return [this.after(transaction), { ...answer, revision: transaction.seen }];
      }
      default:
        kind satisfies never;
        throw new Error("no such request");
    }
  }

  private compact(revision: number): readonly [NaiveStore, KvAnswer] {
    if (revision <= this.compacted) return [this, "compacted"];
    if (revision > this.revision) return [this, "future-revision"];
    return [new NaiveStore(this.newest, revision), { revision: this.revision }];
  }

  private after({ changes, keys }: Transaction): NaiveStore {
    if (changes.length === 0) return this;
    const { newest } = this;
    const text = changes.join();
    let next = newest.after.get(text);
    if (next === undefined) {
      const { numbers, revision } = newest;
      numbers.last += 1;
      next = { number: numbers.last, revision: revision + 1, keys, before: newest, after: new Map(), numbers };
      newest.after.set(text, next);
    }
    return new NaiveStore(next, this.compacted);
  }
}

/** Sees its own changes, all of which are of the next revision. */
class Transaction {
  keys: Keys;
  /** What it has changed, as text. */
  readonly changes: string[] = [];
  private readonly newest: Moment;
  private readonly compacted: number;

  constructor(newest: Moment, compacted: number) {
    this.newest = newest;
    this.compacted = compacted;
    this.keys = newest.keys;
  }

  /** The newest revision that it sees. */
  get seen(): number {
    return this.changes.length === 0 ? this.newest.revision : this.newest.revision + 1;
  }

  range(request: RangeRequest): KvAnswer {
    const { seen } = this;
    if (request.revision > seen) return "future-revision";
    const at = request.revision > 0 ? request.revision : seen;
    if (at < this.compacted) return "compacted";
    const inRange = select(this.asOf(at), request.key, request.rangeEnd);
    const order = request.sortOrder === "none" && request.sortTarget !== "key" ? "ascend" : request.sortOrder;
    const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
    const isFiltered = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some((n) => n !== 0);
    let kvs = request.countOnly ? [] : inRange;
    // etcd cuts before it sorts where it sees neither an order nor a filter.
    if (request.limit > 0 && request.sortOrder === "none" && !isFiltered) kvs = kvs.slice(0, request.limit + 1);
    kvs = kvs.filter(
      (kv) =>
        kv.mod >= minModRevision &&
        kv.create >= minCreateRevision &&
        (maxModRevision === 0 || kv.mod <= maxModRevision) &&
        (maxCreateRevision === 0 || kv.create <= maxCreateRevision),
    );
    if (order !== "none") {
      const field = request.sortTarget;
      kvs = [...kvs].sort(
        (a, b) => (a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : 0) * (order === "ascend" ? 1 : -1),
      );
    }
    const more = request.limit > 0 && kvs.length > request.limit;
    if (more) kvs = kvs.slice(0, request.limit);
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: "" }));
    return { revision: seen, kvs, count: inRange.length, more };
  }

  put(request: PutRequest): KvAnswer {
    const { key, lease } = request;
    const previous = this.keys.get(key);
    const kept = previous ?? this.newest.keys.get(key);
    const value = request.ignoreValue ? (kept?.value ?? "") : request.value;
    const mod = this.newest.revision + 1;
    const kv = { key, value, lease, mod, create: previous?.create ?? mod, version: (previous?.version ?? 0) + 1 };
    this.change(`put ${JSON.stringify([key, value, String(lease)])}`, (keys) => keys.set(key, kv));
    return { revision: mod, previous: request.prevKv ? previous : undefined };
  }

  deleteRange(request: DeleteRangeRequest): KvAnswer {
    const found = select(this.keys, request.key, request.rangeEnd);
    for (const { key } of found) this.change(`delete ${JSON.stringify(key)}`, (keys) => keys.delete(key));
    return { revision: this.seen, deleted: found.length, previous: request.prevKv ? found : [] };
  }

  /** Every compare, those of nested ones too, is made on the state before it. A nested one tells no revision. */
  run(request: TxnRequest): { revision: number; succeeded: boolean; responses: readonly KvAnswer[] } {
    const before = this.newest.keys;
    const responses = branch(request, before).map((op): KvAnswer => {
      if (op.kind === "range") return this.range(op.range);
      if (op.kind === "put") return this.put(op.put);
      if (op.kind === "delete-range") return this.deleteRange(op.deleteRange);
      if (op.kind === "txn") return this.run(op.txn);
      throw new Error("an empty operation");
    });
    return { revision: 0, succeeded: holdsAll(before, request.compare), responses };
  }

  /** The first thing that is wrong: puts first, then ranges. */
  refusalOf(request: TxnRequest): KvRefusal | undefined {
    const ops = flatten(request, this.newest.keys);
    for (const op of ops)
      if (op.kind === "put") {
        const refusal = this.refusalOfPut(op.put);
        if (refusal !== undefined) return refusal;
      }
    for (const op of ops) {
      if (op.kind !== "range" || op.range.revision === 0) continue;
      if (op.range.revision > this.newest.revision) return "future-revision";
      if (op.range.revision < this.compacted) return "compacted";
    }
    return undefined;
  }

  refusalOfPut({ key, ignoreValue, ignoreLease, lease }: PutRequest): KvRefusal | undefined {
    if ((ignoreValue || ignoreLease) && !this.newest.keys.has(key)) return "key-not-found";
    return lease === 0n ? undefined : "lease-not-found";
  }

  private change(text: string, change: (keys: Map<string, PlainKeyValue>) => void): void {
    const keys = new Map(this.keys);
    change(keys);
    this.keys = keys;
    this.changes.push(text);
  }

  private asOf(revision: number): Keys {
    if (revision > this.newest.revision) return this.keys;
    let at: Moment = this.newest;
    while (at.revision > revision && at.before !== undefined) at = at.before;
    return at.revision > revision ? new Map() : at.keys;
  }
}

function branch(request: TxnRequest, before: Keys): readonly RequestOp[] {
  return holdsAll(before, request.compare) ? request.success : request.failure;
}

function flatten(request: TxnRequest, before: Keys): readonly RequestOp[] {
  return branch(request, before).flatMap((op) => (op.kind === "txn" ? flatten(op.txn, before) : [op]));
}

function select(keys: Keys, key: string, rangeEnd: string): readonly PlainKeyValue[] {
  return [...keys.values()]
    .filter((kv) => {
      if (rangeEnd === "") return kv.key === key;
      if (rangeEnd === "\0") return kv.key >= key;
      return kv.key >= key && kv.key < rangeEnd;
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function holdsAll(keys: Keys, compares: readonly Compare[]): boolean {
  return compares.every((compare) => {
    const found = select(keys, compare.key, compare.rangeEnd);
    if (found.length === 0 && compare.target === "value") return false;
    const absent = { version: 0, create: 0, mod: 0, value: "", lease: 0n };
    return (found.length === 0 ? [absent] : found).every((kv) => {
      const actual = kv[compare.target];
      const { operand } = compare;
      if (compare.result === "equal") return actual === operand;
      if (compare.result === "not-equal") return actual !== operand;
      return compare.result === "greater" ? actual > operand : actual < operand;
    });
  });
}
