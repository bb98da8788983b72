/**
 * Messages between members, several at a time, in two sections:
 *
 *   heads    a count, then for each message its tag (u8), from, to and term (varints) and the fields of its kind;
 *            an append says here how many entries it has. Short heads name nobody, where both ends of a connection
 *            are known: no `to`, and a `from` only where the tag's highest bit says so. A quiet append has a tag of its own,
 *            and no entries to count
 *   records  the entries of all appends, one entry record after the other
 *
 * Two, so that the checksum of the frame around them need not run over the payloads a second time: a record has its
 * own. (An append of 64 entries of 256 bytes: 11 µs to write, 25 µs to read, 17 of them the records' checksums; the
 * frame's would be another 14 on each side.) What a decoded message says is checked as far as one message alone allows, since the core takes the entries of
 * an append to be consecutive and treats anything else as a bug of ours.
 */
import type { AppendMessage, Entry, PeerMessage, ProposedEntry } from "../core/index.js";
import { BalsaError, invariant } from "../core/index.js";
import { type ByteReader, corrupt } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import {
  ENTRY_HEADER_BYTES,
  readEntryRecord,
  sealEntry,
  typeCode,
  typeOfCode,
  writeEntryRecord,
} from "./entry-record.js";
import { ENTRY_PAYLOAD_BYTES_MAX, MESSAGE_ENTRIES_MAX, MESSAGES_MAX } from "./limits.js";
import { readSnapshotMeta, writeSnapshotMeta } from "./snapshot-meta-codec.js";

const APPEND = 1;
const APPEND_RESPONSE = 2;
const HEARTBEAT = 3;
const HEARTBEAT_RESPONSE = 4;
const VOTE = 5;
const VOTE_RESPONSE = 6;
const PRE_VOTE = 7;
const PRE_VOTE_RESPONSE = 8;
const SNAPSHOT = 9;
const TIMEOUT_NOW = 10;
const TRANSFER_LEADER = 11;
const PROPOSE = 12;
const READ_INDEX = 13;
const READ_INDEX_RESPONSE = 14;
const QUIET_APPEND = 15;

/** Of records held on to for the next follower: the runtime's largest append of several entries, and its headers. */
const RUN_BYTES_MAX: number = 2 * 1024 * 1024;

/** In a short head's tag: whom it is from follows, since it is passed on. */
const PASSED_ON = 0x80;

/** The least a head takes: a tag and three varints; a short one, a tag and one. */
const HEAD_BYTES_MIN = 4;
const SHORT_HEAD_BYTES_MIN = 2;
/** The least a proposed entry takes: its type and its length. */
const PROPOSED_BYTES_MIN = 2;

/**
 * Who speaks to whom on a connection. An ID takes eight bytes: with short heads a heartbeat of 46 bytes has 30, its frame
 * included, and takes 0.21 µs to write and read instead of 0.36.
 */
export interface Ends {
  readonly from: number;
  readonly to: number;
  /** Both know of quiet appends. To one that does not an append goes unmarked, and is answered: that is harmless. */
  readonly knowQuiet: boolean;
}

/**
 * Writes all heads, then all records. Entries that have no checksum yet get it here. What was written must stay as it
 * is in `out`, which is not to be truncated below it: the next message may take a copy of the records from there.
 * @param ends writes short heads, of messages to `ends.to` alone
 * @returns the position in `out` at which the records begin
 * @throws BalsaError `too-large`
 */
export function writeMessages(out: ByteWriter, group: number, messages: readonly PeerMessage[], ends?: Ends): number {
  invariant(messages.length <= MESSAGES_MAX, "messages are written within their limit");
  out.varint(messages.length);
  for (const message of messages) writeHead(out, message, ends);
  const recordsAt = out.length;
  for (const message of messages) if (message.type === "append") writeRecords(out, group, message.entries);
  return recordsAt;
}

/** Records written one after the other, and where they still stand: a piece of bytes never changes once written. */
interface Run {
  readonly group: number;
  readonly first: Entry;
  readonly last: Entry;
  readonly bytes: Uint8Array;
}

/** Written last, if it is not too large to be held on to. */
let lastRun: Run | undefined;

/**
 * What goes to one follower mostly goes to the next one too. Entries with the same first and last one are the same
 * entries (Raft §5.3, log matching), so that a copy of their records does: 64 entries of 256 bytes take 11 µs to write,
 * 17 µs more to seal the first time, and 2 µs to copy.
 */
function writeRecords(out: ByteWriter, group: number, entries: readonly Entry[]): void {
  const first = entries[0];
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return;
  if (lastRun?.first === first && lastRun.last === last && lastRun.group === group) {
    out.raw(lastRun.bytes);
    return;
  }
  const at = out.length;
  for (const entry of entries) {
    sealEntry(group, entry);
    writeEntryRecord(out, entry);
  }
  lastRun = out.length - at > RUN_BYTES_MAX ? undefined : { group, first, last, bytes: out.peek(at, out.length) };
}

/**
 * Payloads are views of the readers' bytes.
 * @param ends as they were when it was written
 * @throws BalsaError `corrupt`
 */
export function readMessages(
  heads: ByteReader,
  records: ByteReader,
  group: number,
  ends?: Ends,
): readonly PeerMessage[] {
  const count = heads.count(MESSAGES_MAX, ends === undefined ? HEAD_BYTES_MIN : SHORT_HEAD_BYTES_MIN);
  // As a rule it is one; an array that is pushed to takes room for 17.
  const messages: PeerMessage[] = count > 0 ? [readHead(heads, records, group, ends)] : [];
  for (let i = 1; i < count; i++) messages.push(readHead(heads, records, group, ends));
  heads.expectEnd();
  records.expectEnd();
  return messages;
}

/** Field by field where the kind is known: elsewhere each look at a field is a search among fourteen kinds of objects. */
function writeHead(out: ByteWriter, message: PeerMessage, ends: Ends | undefined): void {
  switch (message.type) {
    case "append":
      writeAppendHead(out, message, ends);
      return;
    case "append-response":
      writeEnvelope(out, APPEND_RESPONSE, message.from, message.to, message.term, ends);
      out.varint(message.index);
      out.bool(message.rejected);
      out.varint(message.hintIndex);
      out.varint(message.hintTerm);
      return;
    case "heartbeat":
      writeEnvelope(out, HEARTBEAT, message.from, message.to, message.term, ends);
      out.varint(message.commit);
      out.varint(message.readRound);
      return;
    case "heartbeat-response":
      writeEnvelope(out, HEARTBEAT_RESPONSE, message.from, message.to, message.term, ends);
      out.varint(message.readRound);
      return;
    default:
      writeRareHead(out, message, ends);
  }
}

function writeAppendHead(out: ByteWriter, message: AppendMessage, ends: Ends | undefined): void {
  const { entries, quiet } = message;
  invariant(entries.length <= MESSAGE_ENTRIES_MAX, "an append is written within its limit");
  invariant(!quiet || entries.length === 0, "an append with entries is to be answered");
  const marked = quiet && ends !== undefined && ends.knowQuiet;
  writeEnvelope(out, marked ? QUIET_APPEND : APPEND, message.from, message.to, message.term, ends);
  out.varint(message.prevIndex);
  out.varint(message.prevTerm);
  out.varint(message.commit);
  if (!marked) out.varint(entries.length);
}

type RareMessage = Exclude<
  PeerMessage,
  { readonly type: "append" | "append-response" | "heartbeat" | "heartbeat-response" }
>;

function writeRareHead(out: ByteWriter, message: RareMessage, ends: Ends | undefined): void {
  writeEnvelope(out, RARE_TAGS[message.type], message.from, message.to, message.term, ends);
  switch (message.type) {
    case "vote":
    case "pre-vote":
      out.varint(message.lastIndex);
      out.varint(message.lastTerm);
      out.bool(message.transfer);
      return;
    case "vote-response":
    case "pre-vote-response":
      out.bool(message.rejected);
      return;
    case "snapshot":
      writeSnapshotMeta(out, message.snapshot.meta);
      out.bytes(message.snapshot.data);
      return;
    case "timeout-now":
      return;
    case "transfer-leader":
      out.varint(message.transferee);
      return;
    case "propose":
      writeProposed(out, message.entries);
      return;
    case "read-index":
      out.varint(message.requestId);
      return;
    case "read-index-response":
      out.varint(message.requestId);
      out.varint(message.index);
      return;
    default:
      message satisfies never;
      throw new BalsaError("invariant", "a message is of one of the kinds that travel");
  }
}

const RARE_TAGS: Readonly<Record<RareMessage["type"], number>> = {
  vote: VOTE,
  "vote-response": VOTE_RESPONSE,
  "pre-vote": PRE_VOTE,
  "pre-vote-response": PRE_VOTE_RESPONSE,
  snapshot: SNAPSHOT,
  "timeout-now": TIMEOUT_NOW,
  "transfer-leader": TRANSFER_LEADER,
  propose: PROPOSE,
  "read-index": READ_INDEX,
  "read-index-response": READ_INDEX_RESPONSE,
};

function writeEnvelope(
  out: ByteWriter,
  tag: number,
  from: number,
  to: number,
  term: number,
  ends: Ends | undefined,
): void {
  if (ends === undefined) {
    out.u8(tag);
    out.varint(from);
    out.varint(to);
  } else {
    invariant(to === ends.to, "a message goes to the other end");
    out.u8(from === ends.from ? tag : tag | PASSED_ON);
    if (from !== ends.from) out.varint(from);
  }
  out.varint(term);
}

function readHead(heads: ByteReader, records: ByteReader, group: number, ends: Ends | undefined): PeerMessage {
  const marked = heads.u8();
  const tag = ends === undefined ? marked : marked & ~PASSED_ON;
  const from = ends === undefined || tag !== marked ? heads.varint() : ends.from;
  const to = ends === undefined ? heads.varint() : ends.to;
  const term = heads.varint();
  switch (tag) {
    case APPEND:
      return readAppend(heads, records, group, from, to, term, false);
    case QUIET_APPEND:
      if (ends === undefined || !ends.knowQuiet) throw corrupt("a message is of no kind that was agreed on");
      return readAppend(heads, records, group, from, to, term, true);
    case APPEND_RESPONSE: {
      const index = heads.varint();
      const rejected = heads.bool();
      const hintIndex = heads.varint();
      const hintTerm = heads.varint();
      return { type: "append-response", from, to, term, index, rejected, hintIndex, hintTerm };
    }
    case HEARTBEAT: {
      const commit = heads.varint();
      const readRound = heads.varint();
      return { type: "heartbeat", from, to, term, commit, readRound };
    }
    case HEARTBEAT_RESPONSE:
      return { type: "heartbeat-response", from, to, term, readRound: heads.varint() };
    case VOTE:
    case PRE_VOTE: {
      const lastIndex = heads.varint();
      const lastTerm = heads.varint();
      const transfer = heads.bool();
      return { type: tag === VOTE ? "vote" : "pre-vote", from, to, term, lastIndex, lastTerm, transfer };
    }
    case VOTE_RESPONSE:
      return { type: "vote-response", from, to, term, rejected: heads.bool() };
    case PRE_VOTE_RESPONSE:
      return { type: "pre-vote-response", from, to, term, rejected: heads.bool() };
    case SNAPSHOT: {
      const meta = readSnapshotMeta(heads);
      const data = heads.lengthPrefixed();
      return { type: "snapshot", from, to, term, snapshot: { meta, data } };
    }
    case TIMEOUT_NOW:
      return { type: "timeout-now", from, to, term };
    case TRANSFER_LEADER:
      return { type: "transfer-leader", from, to, term, transferee: heads.varint() };
    case PROPOSE:
      return { type: "propose", from, to, term, entries: readProposed(heads) };
    case READ_INDEX:
      return { type: "read-index", from, to, term, requestId: heads.varint() };
    case READ_INDEX_RESPONSE: {
      const requestId = heads.varint();
      const index = heads.varint();
      return { type: "read-index-response", from, to, term, requestId, index };
    }
    default:
      throw corrupt("a message is of no known kind");
  }
}

function readAppend(
  heads: ByteReader,
  records: ByteReader,
  group: number,
  from: number,
  to: number,
  term: number,
  quiet: boolean,
): AppendMessage {
  const prevIndex = heads.varint();
  const prevTerm = heads.varint();
  const commit = heads.varint();
  const count = quiet ? 0 : heads.varint();
  if (count > MESSAGE_ENTRIES_MAX) throw corrupt("an append has more entries than the limit");
  if (count * ENTRY_HEADER_BYTES > records.remaining) throw corrupt("an append has more entries than bytes");
  if (prevTerm > term) throw corrupt("an append is of an older term than what it follows");
  const entries: Entry[] = [];
  let lastTerm = prevTerm;
  for (let i = 0; i < count; i++) {
    const entry = readEntryRecord(records, group);
    if (entry.index !== prevIndex + 1 + i) throw corrupt("an append's entries are not consecutive");
    if (entry.term < lastTerm || entry.term > term) throw corrupt("an append's terms are out of order");
    lastTerm = entry.term;
    entries.push(entry);
  }
  return { type: "append", from, to, term, prevIndex, prevTerm, entries, commit, quiet };
}

function writeProposed(out: ByteWriter, entries: readonly ProposedEntry[]): void {
  invariant(entries.length <= MESSAGE_ENTRIES_MAX, "proposals are written within their limit");
  out.varint(entries.length);
  for (const entry of entries) {
    if (entry.data.length > ENTRY_PAYLOAD_BYTES_MAX) throw new BalsaError("too-large", "an entry is over the limit");
    out.u8(typeCode(entry.type));
    out.bytes(entry.data);
  }
}

function readProposed(heads: ByteReader): readonly ProposedEntry[] {
  const count = heads.count(MESSAGE_ENTRIES_MAX, PROPOSED_BYTES_MIN);
  const entries: ProposedEntry[] = [];
  for (let i = 0; i < count; i++) {
    const type = typeOfCode(heads.u8());
    const data = heads.lengthPrefixed(ENTRY_PAYLOAD_BYTES_MAX);
    entries.push({ type, data });
  }
  return entries;
}
