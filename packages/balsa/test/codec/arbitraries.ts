import fc from "fast-check";
import type {
  AppendMessage,
  ConfState,
  Entry,
  PeerMessage,
  ProposedEntry,
  SnapshotMeta,
} from "../../src/core/index.js";

/** Safe integers, with their edges and all sizes of varint well represented. */
export const safeInteger: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat(),
  fc.nat({ max: 52 }).chain((bits) => fc.integer({ min: -1, max: 1 }).map((d) => Math.max(0, 2 ** bits + d))),
  fc.constant(Number.MAX_SAFE_INTEGER),
);

export const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 300 });

const ids: fc.Arbitrary<readonly number[]> = fc
  .uniqueArray(
    fc.maxSafeNat().map((id) => Math.max(1, id)),
    { maxLength: 9 },
  )
  .map((list) => list.sort((a, b) => a - b));

export const confState: fc.Arbitrary<ConfState> = fc.record({
  voters: ids,
  votersOutgoing: ids,
  learners: ids,
  learnersNext: ids,
  autoLeave: fc.boolean(),
});

export const snapshotMeta: fc.Arbitrary<SnapshotMeta> = fc.record({ index: safeInteger, term: safeInteger, confState });

const entryType = fc.constantFrom("normal", "conf-change", "conf-change-v2") as fc.Arbitrary<Entry["type"]>;

export const entry: fc.Arbitrary<Entry> = fc.record({
  type: entryType,
  term: safeInteger.map((n) => Math.max(1, n)),
  index: safeInteger.map((n) => Math.max(1, n)),
  data: bytes,
  checksum: fc.constant(0),
});

const proposedEntry: fc.Arbitrary<ProposedEntry> = fc.record({ type: entryType, data: bytes });

const envelope = { from: safeInteger, to: safeInteger, term: safeInteger };

/** Appends as leaders send them: entries that follow prevIndex, terms that only grow. */
const append: fc.Arbitrary<AppendMessage> = fc
  .record({
    from: safeInteger,
    to: safeInteger,
    prevIndex: fc.nat({ max: 2 ** 52 }),
    prevTerm: fc.nat({ max: 2 ** 40 }),
    steps: fc.array(fc.record({ type: entryType, data: bytes, termStep: fc.nat({ max: 3 }) }), { maxLength: 20 }),
    commit: safeInteger,
    ahead: fc.nat({ max: 5 }),
  })
  .map(({ from, to, prevIndex, prevTerm, steps, commit, ahead }) => {
    let term = Math.max(1, prevTerm);
    const entries = steps.map(({ type, data, termStep }, i) => {
      term += termStep;
      return { type, term, index: prevIndex + 1 + i, data, checksum: 0 };
    });
    return { type: "append", from, to, term: term + ahead, prevIndex, prevTerm, entries, commit, quiet: false };
  });

/** Which not all versions tell from others. */
export const quietAppend: fc.Arbitrary<PeerMessage> = append.map((loud) => ({ ...loud, entries: [], quiet: true }));

const ofType = <T extends string>(...types: T[]): fc.Arbitrary<T> => fc.constantFrom(...types);

/** Every kind of message that travels. */
export const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  append,
  fc.record({
    type: ofType("append-response"),
    ...envelope,
    index: safeInteger,
    rejected: fc.boolean(),
    hintIndex: safeInteger,
    hintTerm: safeInteger,
  }),
  fc.record({ type: ofType("heartbeat"), ...envelope, commit: safeInteger, readRound: safeInteger }),
  fc.record({ type: ofType("heartbeat-response"), ...envelope, readRound: safeInteger }),
  fc.record({
    type: ofType("vote", "pre-vote"),
    ...envelope,
    lastIndex: safeInteger,
    lastTerm: safeInteger,
    transfer: fc.boolean(),
  }),
  fc.record({ type: ofType("vote-response", "pre-vote-response"), ...envelope, rejected: fc.boolean() }),
  fc.record({ type: ofType("snapshot"), ...envelope, snapshot: fc.record({ meta: snapshotMeta, data: bytes }) }),
  fc.record({ type: ofType("timeout-now"), ...envelope }),
  fc.record({ type: ofType("transfer-leader"), ...envelope, transferee: safeInteger }),
  fc.record({ type: ofType("propose"), ...envelope, entries: fc.array(proposedEntry, { maxLength: 10 }) }),
  fc.record({ type: ofType("read-index"), ...envelope, requestId: safeInteger }),
  fc.record({ type: ofType("read-index-response"), ...envelope, requestId: safeInteger, index: safeInteger }),
);

/** What bytes go through on their way: nothing but a change for the worse. */
export const damage: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => (whole: Uint8Array) => {
    const copy = whole.slice();
    if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ mask;
    return copy;
  }),
  fc.nat().map((cut) => (whole: Uint8Array) => whole.slice(0, whole.length === 0 ? 0 : cut % whole.length)),
  fc.tuple(fc.nat(), bytes).map(([at, extra]) => (whole: Uint8Array) => {
    const position = at % (whole.length + 1);
    const longer = new Uint8Array(whole.length + extra.length);
    longer.set(whole.subarray(0, position));
    longer.set(extra, position);
    longer.set(whole.subarray(position), position + extra.length);
    return longer;
  }),
);
