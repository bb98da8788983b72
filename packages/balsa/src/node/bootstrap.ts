import { deriveId } from "../codec/index.js";
import type { Configuration, MemberRecord } from "./configuration.js";

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

function firstMembers(bootstrap: Bootstrap): readonly MemberRecord[] {
  return bootstrap.members
    .map((member) => ({
      id: memberIdOf(bootstrap, member),
      name: member.name,
      address: member.address,
      incarnation: 0,
      promote: false,
    }))
    .sort((a, b) => a.id - b.id);
}

/** As every first member writes it into its first snapshot. */
export function firstConfiguration(bootstrap: Bootstrap): Configuration {
  const members = firstMembers(bootstrap);
  const voters = members.map((member) => member.id);
  const confState = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  return { confState, members, removed: [] };
}
