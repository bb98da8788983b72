import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../../src/mvcc/request.js";

/** A key as etcd's API shows it. */
export interface NaiveKeyValue {
  readonly key: string;
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly lease: bigint;
}

type State = ReadonlyMap<string, NaiveKeyValue>;
type Error = "key-not-found" | "lease-not-found" | "future-revision" | "compacted";

export type NaiveResponse =
  | { revision: number; kvs: NaiveKeyValue[]; count: number; more: boolean }
  | { revision: number; previous: NaiveKeyValue | undefined }
  | { revision: number; deleted: number; previous: NaiveKeyValue[] }
  | { revision: number; succeeded: boolean; responses: NaiveResponse[] }
  | { revision: number }
  | Error;

/**
 * What etcd's documentation says, in the plainest words: a list of whole states, one a revision. Slow, obvious, and
 * sharing nothing with the store but the requests' shapes.
 */
export class NaiveStore {
  /** states[r] is the state at revision r. */
  private states: State[] = [new Map(), new Map()];
  private compacted = -1;
  /** Within a transaction that has changed something: the state that will be the next revision's. */
  private draft: Map<string, NaiveKeyValue> | undefined;

  /** Another one, in the same state, that goes its own way. */
  clone(): NaiveStore {
    const clone = new NaiveStore();
    clone.states = this.states.slice();
    clone.compacted = this.compacted;
    return clone;
  }

  /** Two of them answer everything alike exactly if this is the same. */
  stateKey(): string {
    const visible = this.states.slice(Math.max(1, this.compacted));
    return `${this.revision} ${this.compacted} ${visible.map(textOf).join("|")}`;
  }

  get revision(): number {
    return this.states.length - 1;
  }

  range(request: RangeRequest): NaiveResponse {
    const seen = this.draft === undefined ? this.revision : this.revision + 1;
    if (request.revision > seen) return "future-revision";
    const at = request.revision > 0 ? request.revision : seen;
    const inRange = select(at > this.revision ? this.current() : this.stateAt(at), request.key, request.rangeEnd);
    if (at < this.compacted) return "compacted";
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

  put(request: PutRequest): NaiveResponse {
    return this.checkPut(request) ?? this.transact(() => this.doPut(request));
  }

  deleteRange(request: DeleteRangeRequest): NaiveResponse {
    return this.transact(() => this.doDelete(request));
  }

  txn(request: TxnRequest): NaiveResponse {
    const before = this.current();
    const refusal = this.checkPath(request, before);
    if (refusal !== undefined) return refusal;
    return this.transact(() => {
      const responses = this.doTxn(request, before);
      return { ...responses, revision: this.draft === undefined ? this.revision : this.revision + 1 };
    });
  }

  compact(revision: number): NaiveResponse {
    if (revision <= this.compacted) return "compacted";
    if (revision > this.revision) return "future-revision";
    this.compacted = revision;
    return { revision: this.revision };
  }

  private doTxn(
    request: TxnRequest,
    before: State,
  ): { revision: number; succeeded: boolean; responses: NaiveResponse[] } {
    const succeeded = holdsAll(before, request.compare);
    const responses = branch(request, before).map((op): NaiveResponse => {
      if (op.kind === "range") return this.range(op.range);
      if (op.kind === "put") return this.doPut(op.put);
      if (op.kind === "delete-range") return this.doDelete(op.deleteRange);
      if (op.kind === "txn") return this.doTxn(op.txn, before);
      throw new Error("an empty operation");
    });
    return { revision: 0, succeeded, responses };
  }

  /** The first thing that is wrong: puts first, then ranges. */
  private checkPath(request: TxnRequest, before: State): Error | undefined {
    const ops = flatten(request, before);
    for (const op of ops)
      if (op.kind === "put") {
        const refusal = this.checkPut(op.put);
        if (refusal !== undefined) return refusal;
      }
    for (const op of ops) {
      if (op.kind !== "range" || op.range.revision === 0) continue;
      if (op.range.revision > this.revision) return "future-revision";
      if (op.range.revision < this.compacted) return "compacted";
    }
    return undefined;
  }

  private checkPut({ key, ignoreValue, ignoreLease, lease }: PutRequest): Error | undefined {
    if ((ignoreValue || ignoreLease) && !this.current().has(key)) return "key-not-found";
    return lease === 0n ? undefined : "lease-not-found";
  }

  private doPut(request: PutRequest): { revision: number; previous: NaiveKeyValue | undefined } {
    const { key, lease } = request;
    const next = this.current().get(key);
    const kept = next ?? this.stateAt(this.revision).get(key);
    const value = request.ignoreValue ? (kept?.value ?? "") : request.value;
    const mod = this.revision + 1;
    const kv = { key, value, lease, mod, create: next?.create ?? mod, version: (next?.version ?? 0) + 1 };
    this.change().set(key, kv);
    return { revision: mod, previous: request.prevKv ? next : undefined };
  }

  private doDelete(request: DeleteRangeRequest): { revision: number; deleted: number; previous: NaiveKeyValue[] } {
    const found = select(this.current(), request.key, request.rangeEnd);
    for (const { key } of found) this.change().delete(key);
    const revision = this.draft === undefined ? this.revision : this.revision + 1;
    return { revision, deleted: found.length, previous: request.prevKv ? found : [] };
  }

  private current(): State {
    return this.draft ?? this.stateAt(this.revision);
  }

  private change(): Map<string, NaiveKeyValue> {
    this.draft ??= new Map(this.current());
    return this.draft;
  }

  private transact<Response>(run: () => Response): Response {
    const response = run();
    if (this.draft !== undefined) this.states.push(this.draft);
    this.draft = undefined;
    return response;
  }

  private stateAt(revision: number): State {
    return this.states[revision] ?? new Map();
  }
}

const texts = new WeakMap<State, string>();

function textOf(state: State): string {
  let text = texts.get(state);
  if (text === undefined) {
    const keys = select(state, "", "\0");
    text = keys.map(({ key, value, create, mod, version }) => `${key}=${value}@${create},${mod},${version}`).join();
    texts.set(state, text);
  }
  return text;
}

function branch(request: TxnRequest, before: State): readonly RequestOp[] {
  return holdsAll(before, request.compare) ? request.success : request.failure;
}

function flatten(request: TxnRequest, before: State): readonly RequestOp[] {
  return branch(request, before).flatMap((op) => (op.kind === "txn" ? flatten(op.txn, before) : [op]));
}

function select(state: State, key: string, rangeEnd: string): NaiveKeyValue[] {
  return [...state.values()]
    .filter((kv) => {
      if (rangeEnd === "") return kv.key === key;
      if (rangeEnd === "\0") return kv.key >= key;
      return kv.key >= key && kv.key < rangeEnd;
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function holdsAll(state: State, compares: readonly Compare[]): boolean {
  return compares.every((compare) => {
    const found = select(state, compare.key, compare.rangeEnd);
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
