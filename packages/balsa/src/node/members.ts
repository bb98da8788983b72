import { ByteReader, ByteWriter, corrupt, deriveId } from "../codec/index.js";
import type { ConfState } from "../core/index.js";
import { MEMBERS_MAX } from "./limits.js";

export interface Member {
  readonly id: number;
  readonly name: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
}

/** A member as the operator names it. */
export interface MemberAddress {
  readonly name: string;
  readonly address: string;
}

/** A new cluster as the operator describes it: the same description on every one of its first members. */
export interface Bootstrap {
  /** Tells this cluster from others with the same members, a token of the operator's. */
  readonly id: string;
  readonly members: readonly MemberAddress[];
}

/** All first members derive the same ID from the same description; another description is another cluster. */
export function clusterIdOf(bootstrap: Bootstrap): number {
  const lines = bootstrap.members.map((member) => `${member.name}=${member.address}`).sort();
  return deriveId(["cluster", bootstrap.id, ...lines].join("\n"));
}

function memberIdOf(bootstrap: Bootstrap, member: MemberAddress): number {
  return deriveId(["member", bootstrap.id, member.name, member.address].join("\n"));
}

export function firstMembers(bootstrap: Bootstrap): readonly Member[] {
  return bootstrap.members
    .map((member) => ({ id: memberIdOf(bootstrap, member), name: member.name, address: member.address }))
    .sort((a, b) => a.id - b.id);
}

export function firstConfState(members: readonly Member[]): ConfState {
  const voters = members.map((member) => member.id);
  return { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
}

const VERSION = 1;
const MEMBER_BYTES_MIN = 10;

/** The library's section of a snapshot: what of the replicated state is not the application's. */
export function encodeLibrarySection(members: readonly Member[]): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(VERSION);
  out.varint(members.length);
  for (const member of members) {
    out.u64(member.id);
    out.text(member.name);
    out.text(member.address);
  }
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeLibrarySection(bytes: Uint8Array): readonly Member[] {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== VERSION) throw corrupt("a snapshot's library section is of no known version");
  const count = reader.count(MEMBERS_MAX, MEMBER_BYTES_MIN);
  const members: Member[] = [];
  for (let i = 0; i < count; i++) members.push({ id: reader.u64(), name: reader.text(), address: reader.text() });
  reader.expectEnd();
  return members;
}
