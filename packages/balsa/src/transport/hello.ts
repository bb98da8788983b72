import type { ByteReader, ByteWriter, Ends } from "../codec/index.js";
import { corrupt } from "../codec/index.js";
import { NAME_BYTES_MAX, REASON_BYTES_MAX } from "./limits.js";

/**
 * Versions of what follows the hello (docs/upgrading.md), oldest and newest that this code speaks.
 *
 *   1   the first
 *   2   messages have short heads: they do not name the ends of their connection
 *   3   an append may be quiet: whoever accepts it does not answer
 */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 3;

const SHORT_HEADS_SINCE = 2;
const QUIET_APPENDS_SINCE = 3;

/** What a member speaks, oldest and newest. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

export const PROTOCOLS: ProtocolRange = { min: PROTOCOL_MIN, max: PROTOCOL_MAX };

/** Who a member is, as it tells its peers. */
export interface TransportIdentity {
  readonly clusterId: number;
  readonly memberId: number;
  /** Drawn when the data directory was made: another one is another life of the member. */
  readonly incarnation: number;
  readonly group: number;
  /** For people. */
  readonly name: string;
  /** Where it is reached, for peers that do not know it yet. */
  readonly address?: string | undefined;
}

/** What a connection is for: the dialler's messages, one snapshot, or one request and its answer. */
export type Purpose = "messages" | "snapshot" | "request";

const PURPOSES: readonly Purpose[] = ["messages", "snapshot", "request"];

/** The first frame of every connection, from the side that dialled. Its group is the frame's. */
export interface Hello {
  readonly kind: "hello";
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly purpose: Purpose;
  /** A request may leave it open, as the next two: 0. Its dialler may be no member yet. */
  readonly clusterId: number;
  /** Who dials. */
  readonly from: number;
  /** Whom it means to reach: addresses get reused. */
  readonly to: number;
  readonly incarnation: number;
  readonly group: number;
  readonly name: string;
  /** Where the dialler is reached; empty = it does not say. */
  readonly address: string;
}

/** The answer of the side that accepted. */
export interface HelloAccepted {
  readonly kind: "hello-accepted";
  /** The newest version that both speak. */
  readonly protocol: number;
  readonly memberId: number;
  readonly incarnation: number;
  readonly name: string;
}

/**
 * `other`: a reason that only a later version has. `removed`: the dialler was a member and is none any more.
 * `incarnation`: the member is known with another data directory than the one that says hello. `departed`: as `removed`,
 * said by another member than the one that was meant, which is not to be found there.
 */
export type RefusalCode =
  | "other"
  | "protocol"
  | "cluster"
  | "receiver"
  | "sender"
  | "group"
  | "removed"
  | "incarnation"
  | "departed";

export interface HelloRefused {
  readonly kind: "hello-refused";
  readonly code: RefusalCode;
  /** For people, on the side that dialled. */
  readonly reason: string;
}

export function helloOf(
  self: TransportIdentity,
  to: number,
  purpose: Purpose,
  spoken: ProtocolRange = PROTOCOLS,
): Hello {
  return {
    kind: "hello",
    protocolMin: spoken.min,
    protocolMax: spoken.max,
    purpose,
    clusterId: self.clusterId,
    from: self.memberId,
    to,
    incarnation: self.incarnation,
    group: self.group,
    name: self.name,
    address: self.address ?? "",
  };
}

/** Why a hello that is right in itself is refused. */
export type Objection = Pick<HelloRefused, "code" | "reason">;

/**
 * What the accepting side says to a hello. `objection`: what it has against the sender; of one that means another member
 * only what holds for good. That is said even then: addresses are used again, and who looks for a member that has long
 * gone may have nobody else to learn from that it is no member itself any more, or not with its directory.
 */
export function answerHello(
  self: TransportIdentity,
  hello: Hello,
  objection: (hello: Hello) => Objection | undefined,
  spoken: ProtocolRange = PROTOCOLS,
): HelloAccepted | HelloRefused {
  if (hello.protocolMin > spoken.max || hello.protocolMax < spoken.min) {
    return refused("protocol", noCommonProtocol(self, hello, spoken));
  }
  const isRequest = hello.purpose === "request";
  if (hello.clusterId !== self.clusterId && !(isRequest && hello.clusterId === 0)) {
    return refused("cluster", `this is a member of cluster ${hex(self.clusterId)}, not of ${hex(hello.clusterId)}`);
  }
  if (hello.group !== self.group) {
    return refused("group", `this is group ${self.group}, not ${hello.group}`);
  }
  if (hello.to !== self.memberId && !(isRequest && hello.to === 0)) {
    const found = isRequest ? undefined : objection(hello);
    if (found !== undefined) return refused(found.code === "removed" ? "departed" : found.code, found.reason);
    return refused("receiver", `this is member ${hex(self.memberId)} (${self.name}), not ${hex(hello.to)}`);
  }
  if (!isRequest) {
    const found = hello.from === self.memberId ? unknownSender(hello) : objection(hello);
    if (found !== undefined) return refused(found.code, found.reason);
  }
  return {
    kind: "hello-accepted",
    protocol: Math.min(spoken.max, hello.protocolMax),
    memberId: self.memberId,
    incarnation: self.incarnation,
    name: self.name,
  };
}

/** For both sides' logs: who is behind, and what to do about it. */
function noCommonProtocol(self: TransportIdentity, hello: Hello, spoken: ProtocolRange): string {
  const here = `member ${hex(self.memberId)} (${self.name}) speaks ${versions(spoken.min, spoken.max)}`;
  const there = `member ${hex(hello.from)} (${hello.name}) ${versions(hello.protocolMin, hello.protocolMax)}`;
  const behind = hello.protocolMax < spoken.min ? hello.name : self.name;
  return `no common protocol version: ${here}, ${there}; upgrade ${behind}, by way of a release that speaks both`;
}

function versions(min: number, max: number): string {
  return min === max ? `version ${min}` : `versions ${min} to ${max}`;
}

/** Between whom messages go once a hello is answered, if their heads need not say so. */
export function endsOf({ from, to }: Hello, protocol: number): Ends | undefined {
  if (protocol < SHORT_HEADS_SINCE) return undefined;
  return { from, to, knowQuiet: protocol >= QUIET_APPENDS_SINCE };
}

export function unknownSender(hello: Hello): Objection {
  return { code: "sender", reason: `member ${hex(hello.from)} (${hello.name}) is no peer of this one` };
}

/** The member is there with another data directory: what it promised in its former life it does not know. */
export function otherIncarnation(id: number, name: string): Objection {
  return {
    code: "incarnation",
    reason: `member ${hex(id)} (${name}) is known with another data directory than this one; if its disk was lost, it must join anew`,
  };
}

/** Why the dialling side takes no such answer, or undefined. `incarnation`: the one that must answer; 0 = any. */
export function checkAccepted(hello: Hello, answer: HelloAccepted, incarnation: number): string | undefined {
  if (hello.to !== 0 && answer.memberId !== hello.to) return `member ${hex(answer.memberId)} (${answer.name}) answered`;
  if (answer.protocol < hello.protocolMin || answer.protocol > hello.protocolMax) {
    return `protocol version ${answer.protocol} was chosen; this side speaks ${versions(hello.protocolMin, hello.protocolMax)}`;
  }
  if (incarnation !== 0 && answer.incarnation !== incarnation) {
    return otherIncarnation(answer.memberId, answer.name).reason;
  }
  return undefined;
}

function refused(code: RefusalCode, reason: string): HelloRefused {
  return { kind: "hello-refused", code, reason };
}

/** As etcd shows IDs. */
function hex(id: number): string {
  return id.toString(16);
}

export function writeHello(out: ByteWriter, hello: Hello): void {
  out.varint(hello.protocolMin);
  out.varint(hello.protocolMax);
  out.u8(PURPOSES.indexOf(hello.purpose) + 1);
  out.varint(hello.clusterId);
  out.varint(hello.from);
  out.varint(hello.to);
  out.varint(hello.incarnation);
  out.text(hello.name);
  out.text(hello.address);
}

export function readHello(reader: ByteReader, group: number): Hello {
  const protocolMin = reader.varint();
  const protocolMax = reader.varint();
  const purpose = PURPOSES[reader.u8() - 1];
  const clusterId = reader.varint();
  const from = reader.varint();
  const to = reader.varint();
  const incarnation = reader.varint();
  const name = reader.text(NAME_BYTES_MAX);
  // The first version ended here. A later one may say more.
  const address = reader.remaining > 0 ? reader.text(NAME_BYTES_MAX) : "";
  reader.skip(reader.remaining);
  if (purpose === undefined) throw corrupt("a hello is for no known purpose");
  return {
    kind: "hello",
    protocolMin,
    protocolMax,
    purpose,
    clusterId,
    from,
    to,
    incarnation,
    group,
    name,
    address,
  };
}

export function writeHelloAccepted(out: ByteWriter, answer: HelloAccepted): void {
  out.varint(answer.protocol);
  out.varint(answer.memberId);
  out.varint(answer.incarnation);
  out.text(answer.name);
}

export function readHelloAccepted(reader: ByteReader): HelloAccepted {
  const protocol = reader.varint();
  const memberId = reader.varint();
  const incarnation = reader.varint();
  const name = reader.text(NAME_BYTES_MAX);
  reader.skip(reader.remaining);
  return { kind: "hello-accepted", protocol, memberId, incarnation, name };
}

const REFUSAL_CODES: readonly RefusalCode[] = [
  "other",
  "protocol",
  "cluster",
  "receiver",
  "sender",
  "group",
  "removed",
  "incarnation",
  "departed",
];

export function writeHelloRefused(out: ByteWriter, answer: HelloRefused): void {
  out.u8(REFUSAL_CODES.indexOf(answer.code));
  out.text(answer.reason);
}

export function readHelloRefused(reader: ByteReader): HelloRefused {
  const code = REFUSAL_CODES[reader.u8()] ?? "other";
  const reason = reader.text(REASON_BYTES_MAX);
  reader.skip(reader.remaining);
  return { kind: "hello-refused", code, reason };
}
