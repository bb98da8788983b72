/**
 * What members ask each other beside the protocol, and what is answered: the bodies of the transport's requests. The
 * first byte says what it is; a body of a later version that is not known here is refused.
 */
import { ByteReader, ByteWriter, corrupt } from "../codec/index.js";
import { BalsaError, type BalsaErrorCode, type MembershipRefusal, unreachable } from "../core/index.js";
import { type MemberRecord, readRecords, writeRecords } from "./configuration.js";
import { ADDRESS_BYTES_MAX, MEMBERS_MAX, NAME_BYTES_MAX } from "./limits.js";
import type { MemberChange } from "./member-change.js";

export type MemberRequest =
  /** To the leader. */
  | {
      readonly kind: "change";
      readonly changes: readonly MemberChange[];
      readonly force: boolean;
      readonly timeoutMs: number;
    }
  /** To the leader; `to` 0 = whoever is best. */
  | { readonly kind: "transfer"; readonly to: number; readonly timeoutMs: number }
  /** To the leader, by one with an empty directory: "make me a member"; or, if it has an ID: "who are the others?" */
  | {
      readonly kind: "join";
      /** 0 = none yet. */
      readonly id: number;
      readonly name: string;
      readonly address: string;
      readonly incarnation: number;
      readonly promote: boolean;
      readonly timeoutMs: number;
    }
  /** To anybody, by a member whose directory has promised nothing yet: "do you know me otherwise?" */
  | { readonly kind: "introduce"; readonly id: number; readonly incarnation: number };

export type MemberAnswer =
  | { readonly kind: "done"; readonly index: number; readonly term: number; readonly added: readonly number[] }
  | {
      readonly kind: "joined";
      readonly clusterId: number;
      readonly memberId: number;
      readonly members: readonly MemberRecord[];
    }
  /**
   * `as-this`: a record of this directory is applied, so it is committed. `otherwise`: the log has one of another
   * directory, or another member has taken its place. `not-yet`: neither is known.
   */
  | { readonly kind: "introduced"; readonly known: (typeof KNOWN)[number]; readonly term: number }
  | {
      readonly kind: "refused";
      readonly code: BalsaErrorCode;
      readonly refusal: MembershipRefusal | undefined;
      readonly reason: string;
      readonly unknown: boolean;
      /** Where the leader is, as far as the refusing member knows; empty = unknown. */
      readonly leaderAddress: string;
    };

const CHANGE = 1;
const TRANSFER = 2;
const JOIN = 3;
const INTRODUCE = 4;
const DONE = 1;
const JOINED = 2;
const INTRODUCED = 3;
const REFUSED = 4;

const CHANGE_KINDS = ["add-learner", "promote", "demote", "remove", "update"] as const;
const KNOWN = ["not-yet", "as-this", "otherwise", "removed"] as const;
const REASON_BYTES_MAX = 1024;

export function encodeRequest(request: MemberRequest): Uint8Array {
  const out = new ByteWriter(256);
  switch (request.kind) {
    case "change":
      out.u8(CHANGE);
      out.bool(request.force);
      out.varint(Math.ceil(request.timeoutMs));
      out.varint(request.changes.length);
      for (const change of request.changes) writeChange(out, change);
      break;
    case "transfer":
      out.u8(TRANSFER);
      out.varint(request.to);
      out.varint(Math.ceil(request.timeoutMs));
      break;
    case "join":
      out.u8(JOIN);
      out.varint(request.id);
      out.text(request.name);
      out.text(request.address);
      out.varint(request.incarnation);
      out.bool(request.promote);
      out.varint(Math.ceil(request.timeoutMs));
      break;
    case "introduce":
      out.u8(INTRODUCE);
      out.varint(request.id);
      out.varint(request.incarnation);
      break;
    default:
      request satisfies never;
  }
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeRequest(body: Uint8Array): MemberRequest {
  const reader = new ByteReader(body);
  const request = readRequest(reader);
  reader.expectEnd();
  return request;
}

function readRequest(reader: ByteReader): MemberRequest {
  switch (reader.u8()) {
    case CHANGE: {
      const force = reader.bool();
      const timeoutMs = reader.varint();
      const changes: MemberChange[] = [];
      for (let count = reader.count(MEMBERS_MAX, 2); count > 0; count--) changes.push(readChange(reader));
      return { kind: "change", changes, force, timeoutMs };
    }
    case TRANSFER:
      return { kind: "transfer", to: reader.varint(), timeoutMs: reader.varint() };
    case JOIN:
      return {
        kind: "join",
        id: reader.varint(),
        name: reader.text(NAME_BYTES_MAX),
        address: reader.text(ADDRESS_BYTES_MAX),
        incarnation: reader.varint(),
        promote: reader.bool(),
        timeoutMs: reader.varint(),
      };
    case INTRODUCE:
      return { kind: "introduce", id: reader.varint(), incarnation: reader.varint() };
    default:
      throw corrupt("a request is of no known kind");
  }
}

function writeChange(out: ByteWriter, change: MemberChange): void {
  out.u8(CHANGE_KINDS.indexOf(change.kind));
  switch (change.kind) {
    case "add-learner":
      out.text(change.name);
      out.text(change.address);
      out.bool(change.promote === true);
      out.varint(change.incarnation ?? 0);
      return;
    case "update":
      out.varint(change.id);
      out.text(change.address);
      out.varint(change.incarnation ?? 0);
      return;
    case "promote":
    case "demote":
    case "remove":
      out.varint(change.id);
      return;
    default:
      change satisfies never;
  }
}

function readChange(reader: ByteReader): MemberChange {
  const kind = CHANGE_KINDS[reader.u8()];
  switch (kind) {
    case "add-learner": {
      const name = reader.text(NAME_BYTES_MAX);
      const address = reader.text(ADDRESS_BYTES_MAX);
      return { kind, name, address, promote: reader.bool(), incarnation: reader.varint() };
    }
    case "update": {
      const id = reader.varint();
      return { kind, id, address: reader.text(ADDRESS_BYTES_MAX), incarnation: reader.varint() };
    }
    case "promote":
    case "demote":
    case "remove":
      return { kind, id: reader.varint() };
    case undefined:
      throw corrupt("a membership change is of no known kind");
    default:
      throw unreachable(kind satisfies never);
  }
}

export function encodeAnswer(answer: MemberAnswer): Uint8Array {
  const out = new ByteWriter(256);
  switch (answer.kind) {
    case "done":
      out.u8(DONE);
      out.varint(answer.index);
      out.varint(answer.term);
      out.varint(answer.added.length);
      for (const id of answer.added) out.varint(id);
      break;
    case "joined":
      out.u8(JOINED);
      out.varint(answer.clusterId);
      out.varint(answer.memberId);
      writeRecords(out, answer.members);
      break;
    case "introduced":
      out.u8(INTRODUCED);
      out.u8(KNOWN.indexOf(answer.known));
      out.varint(answer.term);
      break;
    case "refused":
      out.u8(REFUSED);
      out.u8(codeIndex(answer.code));
      out.u8(answer.refusal === undefined ? 0 : REFUSALS.indexOf(answer.refusal) + 1);
      out.text(answer.reason);
      out.bool(answer.unknown);
      out.text(answer.leaderAddress);
      break;
    default:
      answer satisfies never;
  }
  return out.finish();
}

/** @throws BalsaError `corrupt` */
export function decodeAnswer(body: Uint8Array): MemberAnswer {
  const reader = new ByteReader(body);
  const answer = readAnswer(reader);
  reader.expectEnd();
  return answer;
}

function readAnswer(reader: ByteReader): MemberAnswer {
  switch (reader.u8()) {
    case DONE: {
      const index = reader.varint();
      const term = reader.varint();
      const added: number[] = [];
      for (let count = reader.count(MEMBERS_MAX, 1); count > 0; count--) added.push(reader.varint());
      return { kind: "done", index, term, added };
    }
    case JOINED: {
      const clusterId = reader.varint();
      return { kind: "joined", clusterId, memberId: reader.varint(), members: readRecords(reader) };
    }
    case INTRODUCED: {
      const known = KNOWN[reader.u8()];
      if (known === undefined) throw corrupt("an introduction is answered in no known way");
      return { kind: "introduced", known, term: reader.varint() };
    }
    case REFUSED:
      return {
        kind: "refused",
        code: CODES[reader.u8()] ?? "not-leader",
        refusal: REFUSALS[reader.u8() - 1],
        reason: reader.text(REASON_BYTES_MAX),
        unknown: reader.bool(),
        leaderAddress: reader.text(ADDRESS_BYTES_MAX),
      };
    default:
      throw corrupt("an answer is of no known kind");
  }
}

/** Codes with which a request is refused; what is none of them is as good as the first. */
const CODES: readonly BalsaErrorCode[] = [
  "not-leader",
  "membership-refused",
  "invalid-argument",
  "timeout",
  "superseded",
  "overloaded",
  "closed",
  "identity-mismatch",
  "removed",
];

function codeIndex(code: BalsaErrorCode): number {
  return Math.max(0, CODES.indexOf(code));
}

/** Append only: the place is what is on the wire. */
const REFUSALS: readonly MembershipRefusal[] = [
  "change-pending",
  "unknown-member",
  "duplicate-member",
  "not-a-learner",
  "not-a-voter",
  "not-caught-up",
  "last-voter",
  "quorum-at-risk",
  "too-many-members",
  "member-is-up",
];

export function refusedAnswer(cause: unknown, leaderAddress: string): MemberAnswer {
  const error = cause instanceof BalsaError ? cause : new BalsaError("not-leader", "the request failed");
  return {
    kind: "refused",
    code: error.code,
    refusal: error.refusal,
    // At most three bytes a character.
    reason: error.message.slice(0, REASON_BYTES_MAX / 3),
    unknown: error.applied === "unknown",
    leaderAddress,
  };
}

export function errorOf(answer: Extract<MemberAnswer, { readonly kind: "refused" }>): BalsaError {
  const { refusal, reason, unknown } = answer;
  // It is that member that closes, not this one.
  const code = answer.code === "closed" || answer.code === "removed" ? "not-leader" : answer.code;
  return new BalsaError(code, reason, {
    applied: unknown ? "unknown" : "not-applied",
    retryable: !unknown && (code === "not-leader" || code === "timeout" || code === "overloaded"),
    ...(refusal === undefined ? {} : { refusal }),
  });
}
