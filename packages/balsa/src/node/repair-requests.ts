/**
 * What a member that is being repaired asks its peers, and what they answer (docs/repair.md): bodies of the transport's
 * requests. The first byte tells them from other requests; a member of an older version refuses them.
 */
import {
  ByteReader,
  ByteWriter,
  corrupt,
  ENTRY_HEADER_BYTES,
  MESSAGE_ENTRIES_MAX,
  readEntryRecord,
  writeEntryRecord,
} from "../codec/index.js";
import type { Entry } from "../core/index.js";
import { GROUP } from "./first-snapshot.js";
import { ADDRESS_BYTES_MAX, MEMBERS_MAX, NAME_BYTES_MAX } from "./limits.js";

/** A place in a log. */
export interface Position {
  readonly index: number;
  readonly term: number;
}

export type RepairRequest =
  /** How far are you? */
  | { readonly kind: "state" }
  /** What is behind `after`, if your log holds both of these? */
  | { readonly kind: "entries"; readonly after: Position; readonly anchor: Position }
  /**
   * What is behind `after` in your log, if you lead, in `termMin` or later? A leader of an earlier term thereby learns,
   * as from any message, that there has been a later one.
   */
  | { readonly kind: "leader-entries"; readonly after: Position; readonly termMin: number }
  /** Your newest snapshot, as a stream of its own. */
  | { readonly kind: "snapshot" }
  /** Who votes, if your log has no change of that which you have not applied? */
  | { readonly kind: "configuration" };

export interface RepairState {
  readonly kind: "state";
  readonly term: number;
  readonly leads: boolean;
  readonly lastIndex: number;
  /** 0 = none. */
  readonly snapshotIndex: number;
  /** It is being repaired itself. */
  readonly repairing: boolean;
  /** False: it may have seen later terms, and does not know. */
  readonly termKnown: boolean;
  /** Who belongs to the cluster, by what it has applied: there may be some that the damaged member does not know. */
  readonly members: readonly PeerAddress[];
}

/** Whom to ask, and where. */
export interface PeerAddress {
  readonly id: number;
  readonly name: string;
  readonly address: string;
}

/** `compacted`: a snapshot stands for it. `unknown`: the log does not hold those places. `later`: ask again. */
export type RepairRefusal = (typeof REFUSALS)[number];

export type RepairAnswer =
  | RepairState
  /** Those directly behind `after`, some of them at least. */
  | { readonly kind: "entries"; readonly entries: readonly Entry[] }
  /** The same, and where the leader's log ended when it was asked. There may be none: none durable yet, or no more. */
  | {
      readonly kind: "leader-entries";
      readonly term: number;
      readonly lastIndex: number;
      readonly entries: readonly Entry[];
    }
  | { readonly kind: "snapshot-coming" }
  /** IDs of all voters, of no joint configuration, and no change is in the log behind it. */
  | { readonly kind: "configuration"; readonly voters: readonly number[] }
  | { readonly kind: "refused"; readonly refusal: RepairRefusal };

/** In the upper half, apart from the requests about membership. */
const STATE = 128;
const ENTRIES = 129;
const LEADER_ENTRIES = 130;
const SNAPSHOT = 131;
const REFUSED = 132;
const CONFIGURATION = 133;
const REFUSALS = ["compacted", "unknown", "not-leader", "later"] as const;

export function isRepairRequest(body: Uint8Array): boolean {
  const tag = body[0] ?? 0;
  return tag >= STATE && tag <= CONFIGURATION && tag !== REFUSED;
}

export function encodeRepairRequest(request: RepairRequest): Uint8Array {
  const out = new ByteWriter(64);
  switch (request.kind) {
    case "state":
      out.u8(STATE);
      break;
    case "entries":
      out.u8(ENTRIES);
      writePosition(out, request.after);
      writePosition(out, request.anchor);
      break;
    case "leader-entries":
      out.u8(LEADER_ENTRIES);
      writePosition(out, request.after);
      out.varint(request.termMin);
      break;
    case "snapshot":
      out.u8(SNAPSHOT);
      break;
    case "configuration":
      out.u8(CONFIGURATION);
      break;
    default:
      request satisfies never;
  }
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeRepairRequest(body: Uint8Array): RepairRequest {
  const reader = new ByteReader(body);
  const request = readRequest(reader);
  reader.expectEnd();
  return request;
}

function readRequest(reader: ByteReader): RepairRequest {
  switch (reader.u8()) {
    case STATE:
      return { kind: "state" };
    case ENTRIES:
      return { kind: "entries", after: readPosition(reader), anchor: readPosition(reader) };
    case LEADER_ENTRIES:
      return { kind: "leader-entries", after: readPosition(reader), termMin: reader.varint() };
    case SNAPSHOT:
      return { kind: "snapshot" };
    case CONFIGURATION:
      return { kind: "configuration" };
    default:
      throw corrupt("a request for repair is of no known kind");
  }
}

export function encodeRepairAnswer(answer: RepairAnswer): Uint8Array {
  const out = new ByteWriter(256);
  switch (answer.kind) {
    case "state":
      out.u8(STATE);
      out.varint(answer.term);
      out.bool(answer.leads);
      out.varint(answer.lastIndex);
      out.varint(answer.snapshotIndex);
      out.bool(answer.repairing);
      out.bool(answer.termKnown);
      out.varint(answer.members.length);
      for (const { id, name, address } of answer.members) {
        out.varint(id);
        out.text(name);
        out.text(address);
      }
      break;
    case "entries":
      out.u8(ENTRIES);
      writeEntries(out, answer.entries);
      break;
    case "leader-entries":
      out.u8(LEADER_ENTRIES);
      out.varint(answer.term);
      out.varint(answer.lastIndex);
      writeEntries(out, answer.entries);
      break;
    case "snapshot-coming":
      out.u8(SNAPSHOT);
      break;
    case "configuration":
      out.u8(CONFIGURATION);
      out.varint(answer.voters.length);
      for (const id of answer.voters) out.varint(id);
      break;
    case "refused":
      out.u8(REFUSED);
      out.u8(REFUSALS.indexOf(answer.refusal));
      break;
    default:
      answer satisfies never;
  }
  return out.finish();
}

/** @throws BalsaError `corrupt`, also for an entry that is not what its checksum says */
export function decodeRepairAnswer(body: Uint8Array): RepairAnswer {
  const reader = new ByteReader(body);
  const answer = readAnswer(reader);
  reader.expectEnd();
  return answer;
}

function readAnswer(reader: ByteReader): RepairAnswer {
  switch (reader.u8()) {
    case STATE: {
      const term = reader.varint();
      const leads = reader.bool();
      const lastIndex = reader.varint();
      const snapshotIndex = reader.varint();
      const repairing = reader.bool();
      const termKnown = reader.bool();
      const members: PeerAddress[] = [];
      for (let count = reader.count(MEMBERS_MAX, 3); count > 0; count--) {
        const id = reader.varint();
        members.push({ id, name: reader.text(NAME_BYTES_MAX), address: reader.text(ADDRESS_BYTES_MAX) });
      }
      return { kind: "state", term, leads, lastIndex, snapshotIndex, repairing, termKnown, members };
    }
    case ENTRIES:
      return { kind: "entries", entries: readEntries(reader) };
    case LEADER_ENTRIES: {
      const term = reader.varint();
      const lastIndex = reader.varint();
      return { kind: "leader-entries", term, lastIndex, entries: readEntries(reader) };
    }
    case SNAPSHOT:
      return { kind: "snapshot-coming" };
    case CONFIGURATION: {
      const voters: number[] = [];
      for (let count = reader.count(MEMBERS_MAX, 1); count > 0; count--) voters.push(reader.varint());
      return { kind: "configuration", voters };
    }
    case REFUSED: {
      const refusal = REFUSALS[reader.u8()];
      if (refusal === undefined) throw corrupt("a request for repair was refused for no known reason");
      return { kind: "refused", refusal };
    }
    default:
      throw corrupt("an answer for repair is of no known kind");
  }
}

function writePosition(out: ByteWriter, { index, term }: Position): void {
  out.varint(index);
  out.varint(term);
}

function readPosition(reader: ByteReader): Position {
  return { index: reader.varint(), term: reader.varint() };
}

function writeEntries(out: ByteWriter, entries: readonly Entry[]): void {
  out.varint(entries.length);
  for (const entry of entries) writeEntryRecord(out, entry);
}

function readEntries(reader: ByteReader): readonly Entry[] {
  const entries: Entry[] = [];
  for (let count = reader.count(MESSAGE_ENTRIES_MAX, ENTRY_HEADER_BYTES); count > 0; count--) {
    entries.push(readEntryRecord(reader, GROUP));
  }
  return entries;
}
