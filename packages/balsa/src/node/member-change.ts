import { encodeUtf8 } from "../codec/index.js";
import {
  BalsaError,
  type ConfChangeV2,
  invariant,
  isVoter,
  type MembershipRefusal,
  type NodeChange,
} from "../core/index.js";
import { type Configuration, encodeContext, findMember, type MemberRecord } from "./configuration.js";
import { ADDRESS_BYTES_MAX, MEMBERS_MAX, NAME_BYTES_MAX } from "./limits.js";

/** What is done with one member. */
export type MemberChange =
  /** A new member, which receives the log and does not vote. `promote`: the leader makes it a voter once it has caught up. */
  | {
      readonly kind: "add-learner";
      readonly name: string;
      readonly address: string;
      readonly promote?: boolean | undefined;
      /** Of its data directory, if it has one already; else recorded when it is first met. */
      readonly incarnation?: number | undefined;
    }
  /** A learner that has caught up becomes a voter. */
  | { readonly kind: "promote"; readonly id: number }
  /** A voter becomes a learner. */
  | { readonly kind: "demote"; readonly id: number }
  /** For good: its ID never comes back. */
  | { readonly kind: "remove"; readonly id: number }
  /** It is reached elsewhere from now on. `incarnation`: of a member that was added and has not been met yet. */
  | {
      readonly kind: "update";
      readonly id: number;
      readonly address: string;
      readonly incarnation?: number | undefined;
    };

export function membershipRefused(refusal: MembershipRefusal, reason: string): BalsaError {
  return new BalsaError("membership-refused", `membership change refused: ${reason}`, { refusal });
}

/**
 * What callers without types may get wrong, before any of it is put into bytes for the leader.
 * @throws BalsaError `invalid-argument`
 */
export function requireChanges(changes: readonly MemberChange[]): void {
  for (const change of changes) {
    switch (change.kind) {
      case "add-learner":
        requireText("name", change.name);
        requireText("address", change.address);
        break;
      case "update":
        requireMemberId(change.id);
        requireText("address", change.address);
        break;
      case "promote":
      case "demote":
      case "remove":
        requireMemberId(change.id);
        break;
      default:
        change satisfies never;
        throw new BalsaError("invalid-argument", `no membership change is ${JSON.stringify(change)}`);
    }
  }
}

/** @throws BalsaError `invalid-argument` */
export function requireMemberId(id: number): void {
  if (Number.isSafeInteger(id) && id > 0) return;
  throw new BalsaError("invalid-argument", `a member's ID is a number, as status().members has it, not ${String(id)}`);
}

function requireText(what: string, text: string): void {
  if (typeof text === "string") return;
  throw new BalsaError("invalid-argument", `a member's ${what} is a text, not ${String(text)}`);
}

/** What is to be proposed, and which voters there will be in the end. */
export interface PlannedChange {
  readonly conf: ConfChangeV2;
  readonly added: readonly MemberRecord[];
  readonly voters: readonly number[];
}

/**
 * One change takes the simple way; several at once pass through a joint configuration, which the leader leaves by itself.
 * @throws BalsaError `membership-refused`, `invalid-argument`
 */
export function planChange(
  configuration: Configuration,
  changes: readonly MemberChange[],
  newId: () => number,
): PlannedChange {
  if (changes.length === 0) throw new BalsaError("invalid-argument", "a membership change changes something");
  const draft = new Draft(configuration);
  for (const change of changes) draft.make(change, newId);
  if (draft.voters.size === 0) throw membershipRefused("last-voter", "nobody would be left to vote");
  if (draft.members.length > MEMBERS_MAX) {
    throw membershipRefused("too-many-members", `there would be ${draft.members.length}; the limit is ${MEMBERS_MAX}`);
  }
  return {
    conf: { version: 2, transition: "auto", changes: draft.nodes, context: encodeContext(draft.described) },
    added: draft.added,
    voters: [...draft.voters],
  };
}

/** Configurations in the making. */
class Draft {
  members: readonly MemberRecord[];
  readonly voters: Set<number>;
  readonly nodes: NodeChange[] = [];
  readonly described: MemberRecord[] = [];
  readonly added: MemberRecord[] = [];
  private readonly configuration: Configuration;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    this.members = configuration.members;
    this.voters = new Set(configuration.confState.voters);
  }

  make(change: MemberChange, newId: () => number): void {
    switch (change.kind) {
      case "add-learner":
        this.add(change, newId());
        return;
      case "promote":
        this.promote(this.existing(change.id));
        return;
      case "demote":
        this.demote(this.existing(change.id));
        return;
      case "remove":
        this.existing(change.id);
        this.members = this.members.filter(({ id }) => id !== change.id);
        this.voters.delete(change.id);
        this.nodes.push({ kind: "remove", id: change.id });
        return;
      case "update": {
        const member = this.existing(change.id);
        this.checkAddress(change.address, change.id);
        const incarnation = member.incarnation === 0 ? (change.incarnation ?? 0) : member.incarnation;
        this.describe({ ...member, address: change.address, incarnation });
        this.nodes.push({ kind: "update", id: change.id });
        return;
      }
      default:
        change satisfies never;
    }
  }

  private add(change: Extract<MemberChange, { readonly kind: "add-learner" }>, id: number): void {
    const { name, address, incarnation = 0, promote = false } = change;
    checkText("name", name, NAME_BYTES_MAX);
    const same = this.members.find((member) => member.name === name);
    if (same !== undefined)
      throw membershipRefused("duplicate-member", `${name} is the name of ${same.id.toString(16)}`);
    this.checkAddress(address, id);
    const { members, removed } = this.configuration;
    invariant(
      !removed.includes(id) && members.every((member) => member.id !== id),
      "a member's ID was never another's",
    );
    const record: MemberRecord = { id, name, address, incarnation, promote };
    this.members = [...this.members, record];
    this.added.push(record);
    this.describe(record);
    this.nodes.push({ kind: "add-learner", id });
  }

  private promote({ id, name }: MemberRecord): void {
    if (isVoter(this.configuration.confState, id)) throw membershipRefused("not-a-learner", `${name} votes already`);
    this.voters.add(id);
    this.nodes.push({ kind: "add-voter", id });
  }

  private demote({ id, name }: MemberRecord): void {
    if (!this.voters.delete(id)) throw membershipRefused("not-a-voter", `${name} does not vote`);
    this.nodes.push({ kind: "add-learner", id });
  }

  private existing(id: number): MemberRecord {
    const member = this.members.find((candidate) => candidate.id === id);
    if (member === undefined || findMember(this.configuration, id) === undefined) {
      const was = this.configuration.removed.includes(id) ? "was removed" : "is no member";
      throw membershipRefused("unknown-member", `${id.toString(16)} ${was}`);
    }
    if (this.nodes.some((node) => node.id === id)) {
      throw new BalsaError("invalid-argument", `${member.name} is changed twice in one membership change`);
    }
    return member;
  }

  private checkAddress(address: string, id: number): void {
    checkText("address", address, ADDRESS_BYTES_MAX);
    const same = this.members.find((member) => member.address === address && member.id !== id);
    if (same !== undefined) throw membershipRefused("duplicate-member", `${address} is the address of ${same.name}`);
  }

  private describe(record: MemberRecord): void {
    this.described.push(record);
    this.members = this.members.map((member) => (member.id === record.id ? record : member));
  }
}

function checkText(what: string, text: string, bytesMax: number): void {
  const { length } = encodeUtf8(text);
  if (length > 0 && length <= bytesMax) return;
  throw new BalsaError("invalid-argument", `a member's ${what} has 1 to ${bytesMax} bytes, not ${length}`);
}
