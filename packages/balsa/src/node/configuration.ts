import { ByteReader, ByteWriter, corrupt } from "../codec/index.js";
import { allMembers, type ConfState, invariant, isVoter } from "../core/index.js";
import { ADDRESS_BYTES_MAX, MEMBERS_MAX, NAME_BYTES_MAX, REMOVED_MAX } from "./limits.js";

/** What the replicated state says of a member, besides whether it votes. */
export interface MemberRecord {
  readonly id: number;
  readonly name: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
  /** Drawn when its data directory was made; 0 = not known yet. Set once: another one is no part of this member. */
  readonly incarnation: number;
  /** A learner that the leader makes a voter once it has caught up. */
  readonly promote: boolean;
}

/**
 * Who belongs to the cluster: replicated, as of one index of the log. Whether a member votes is in `confState`, which is
 * the core's; the rest is the runtime's, carried by the same entries (the context of a membership change, and commands
 * of the library) and by the library's section of each snapshot.
 */
export interface Configuration {
  readonly confState: ConfState;
  /** By ID. */
  readonly members: readonly MemberRecord[];
  /** IDs of former members, the latest last: they are told so, and never given again. */
  readonly removed: readonly number[];
}

/** An incarnation that is to be recorded. */
export interface IncarnationRecord {
  readonly id: number;
  readonly incarnation: number;
}

/** A member as its users see it. */
export interface Member {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  /** A voter that is on its way out of a joint configuration still is one. */
  readonly role: "voter" | "learner";
  /** 0 = it has not been met yet. */
  readonly incarnation: number;
}

export function membersOf({ members, confState }: Configuration): readonly Member[] {
  return members.map(({ id, name, address, incarnation }) => ({
    id,
    name,
    address,
    role: isVoter(confState, id) ? "voter" : "learner",
    incarnation,
  }));
}

export function findMember(configuration: Configuration, id: number): MemberRecord | undefined {
  return configuration.members.find((member) => member.id === id);
}

/** After a membership change: `confState` is the core's, `described` what the change said of members. */
export function withChange(
  before: Configuration,
  confState: ConfState,
  described: readonly MemberRecord[],
): Configuration {
  const ids = allMembers(confState);
  const members = ids.map((id): MemberRecord => {
    const known = findMember(before, id);
    const said = described.find((member) => member.id === id);
    const record = said ?? known ?? { id, name: "", address: "", incarnation: 0, promote: false };
    return {
      ...record,
      incarnation: known === undefined || known.incarnation === 0 ? record.incarnation : known.incarnation,
      promote: record.promote && !isVoter(confState, id),
    };
  });
  const gone = before.members.map(({ id }) => id).filter((id) => !ids.includes(id));
  const removed = [...before.removed.filter((id) => !ids.includes(id)), ...gone].slice(-REMOVED_MAX);
  return { confState, members, removed };
}

/** The first incarnation that is recorded of a member stays. */
export function withIncarnations(before: Configuration, records: readonly IncarnationRecord[]): Configuration {
  const members = before.members.map((member) => {
    const found = records.find(({ id }) => id === member.id);
    return found === undefined || member.incarnation !== 0 ? member : { ...member, incarnation: found.incarnation };
  });
  return { ...before, members };
}

// The library's section of a snapshot.

/** 1: id, name and address of each member. 2: incarnation and flags besides; then the IDs of former members. */
const SECTION_VERSION = 2;
const MEMBER_BYTES_MIN = 10;
const FLAG_PROMOTE = 1;

export function encodeLibrarySection({ members, removed }: Configuration): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(SECTION_VERSION);
  writeRecords(out, members);
  out.varint(removed.length);
  for (const id of removed) out.u64(id);
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeLibrarySection(bytes: Uint8Array, confState: ConfState): Configuration {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== 1 && version !== SECTION_VERSION) {
    throw corrupt("a snapshot's library section is of no known version");
  }
  const members = readRecords(reader, version);
  const removed: number[] = [];
  if (version > 1) for (let count = reader.count(REMOVED_MAX, 8); count > 0; count--) removed.push(reader.u64());
  reader.expectEnd();
  return { confState, members, removed };
}

export function writeRecords(out: ByteWriter, members: readonly MemberRecord[]): void {
  out.varint(members.length);
  for (const { id, name, address, incarnation, promote } of members) {
    out.u64(id);
    out.text(name);
    out.text(address);
    out.u64(incarnation);
    out.u8(promote ? FLAG_PROMOTE : 0);
  }
}

/** @throws BalsaError `corrupt` */
export function readRecords(reader: ByteReader, version: number = SECTION_VERSION): readonly MemberRecord[] {
  const count = reader.count(MEMBERS_MAX, MEMBER_BYTES_MIN);
  const members: MemberRecord[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.u64();
    const name = reader.text(NAME_BYTES_MAX);
    const address = reader.text(ADDRESS_BYTES_MAX);
    const incarnation = version > 1 ? reader.u64() : 0;
    const flags = version > 1 ? reader.u8() : 0;
    members.push({ id, name, address, incarnation, promote: (flags & FLAG_PROMOTE) !== 0 });
  }
  return members;
}

// What a membership change says of members: its context.

const CONTEXT_VERSION = 1;

export function encodeContext(described: readonly MemberRecord[]): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(CONTEXT_VERSION);
  writeRecords(out, described);
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeContext(bytes: Uint8Array): readonly MemberRecord[] {
  // The core's own: it leaves a joint configuration.
  if (bytes.length === 0) return [];
  const reader = new ByteReader(bytes);
  if (reader.u8() !== CONTEXT_VERSION) throw corrupt("a membership change is of no known version");
  const described = readRecords(reader);
  reader.expectEnd();
  return described;
}

// Commands of the library.

const RECORD_INCARNATIONS = 1;

export function encodeIncarnations(records: readonly IncarnationRecord[]): Uint8Array {
  invariant(records.length > 0, "a record of incarnations has some");
  const out = new ByteWriter(256);
  out.u8(RECORD_INCARNATIONS);
  out.varint(records.length);
  for (const { id, incarnation } of records) {
    out.u64(id);
    out.u64(incarnation);
  }
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeIncarnations(payload: Uint8Array): readonly IncarnationRecord[] {
  const reader = new ByteReader(payload);
  if (reader.u8() !== RECORD_INCARNATIONS) throw corrupt("a library command of a later version");
  const records: IncarnationRecord[] = [];
  for (let count = reader.count(MEMBERS_MAX, 16); count > 0; count--) {
    records.push({ id: reader.u64(), incarnation: reader.u64() });
  }
  reader.expectEnd();
  return records;
}
