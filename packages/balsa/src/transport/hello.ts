import type { ByteReader, ByteWriter } from "../codec/index.js";
import { corrupt } from "../codec/index.js";
import { NAME_BYTES_MAX, REASON_BYTES_MAX } from "./limits.js";

/** Versions of what follows the hello, oldest and newest that this code speaks. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 1;

/** Who a member is, as it tells its peers. */
export interface TransportIdentity {
  readonly clusterId: number;
  readonly memberId: number;
  /** Drawn when the data directory was made: another one is another life of the member. */
  readonly incarnation: number;
  readonly group: number;
  /** For people. */
  readonly name: string;
}

/** What a connection is for: the dialler's messages, or one snapshot. */
export type Purpose = "messages" | "snapshot";

/** The first frame of every connection, from the side that dialled. Its group is the frame's. */
export interface Hello {
  readonly kind: "hello";
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly purpose: Purpose;
  readonly clusterId: number;
  /** Who dials. */
  readonly from: number;
  /** Whom it means to reach: addresses get reused. */
  readonly to: number;
  readonly incarnation: number;
  readonly group: number;
  readonly name: string;
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

/** `other`: a reason that only a later version has. */
export type RefusalCode = "other" | "protocol" | "cluster" | "receiver" | "sender" | "group";

export interface HelloRefused {
  readonly kind: "hello-refused";
  readonly code: RefusalCode;
  /** For people, on the side that dialled. */
  readonly reason: string;
}

export function helloOf(self: TransportIdentity, to: number, purpose: Purpose): Hello {
  return {
    kind: "hello",
    protocolMin: PROTOCOL_MIN,
    protocolMax: PROTOCOL_MAX,
    purpose,
    clusterId: self.clusterId,
    from: self.memberId,
    to,
    incarnation: self.incarnation,
    group: self.group,
    name: self.name,
  };
}

/** What the accepting side says to a hello. `knows`: whether a member of that ID is a peer. */
export function answerHello(
  self: TransportIdentity,
  hello: Hello,
  knows: (memberId: number) => boolean,
): HelloAccepted | HelloRefused {
  if (hello.protocolMin > PROTOCOL_MAX || hello.protocolMax < PROTOCOL_MIN) {
    const theirs = `${hello.protocolMin} to ${hello.protocolMax}`;
    return refused("protocol", `protocol versions ${PROTOCOL_MIN} to ${PROTOCOL_MAX} are spoken here, not ${theirs}`);
  }
  if (hello.clusterId !== self.clusterId) {
    return refused("cluster", `this is a member of cluster ${hex(self.clusterId)}, not of ${hex(hello.clusterId)}`);
  }
  if (hello.group !== self.group) {
    return refused("group", `this is group ${self.group}, not ${hello.group}`);
  }
  if (hello.to !== self.memberId) {
    return refused("receiver", `this is member ${hex(self.memberId)} (${self.name}), not ${hex(hello.to)}`);
  }
  if (hello.from === self.memberId || !knows(hello.from)) {
    return refused("sender", `member ${hex(hello.from)} (${hello.name}) is no peer of this one`);
  }
  return {
    kind: "hello-accepted",
    protocol: Math.min(PROTOCOL_MAX, hello.protocolMax),
    memberId: self.memberId,
    incarnation: self.incarnation,
    name: self.name,
  };
}

/** Why the dialling side takes no such answer, or undefined. */
export function checkAccepted(hello: Hello, answer: HelloAccepted): string | undefined {
  if (answer.memberId !== hello.to) return `member ${hex(answer.memberId)} (${answer.name}) answered`;
  if (answer.protocol < hello.protocolMin || answer.protocol > hello.protocolMax) {
    return `protocol version ${answer.protocol} was chosen, which is not spoken here`;
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
  out.u8(hello.purpose === "messages" ? 1 : 2);
  out.varint(hello.clusterId);
  out.varint(hello.from);
  out.varint(hello.to);
  out.varint(hello.incarnation);
  out.text(hello.name);
}

export function readHello(reader: ByteReader, group: number): Hello {
  const protocolMin = reader.varint();
  const protocolMax = reader.varint();
  const purpose = reader.u8();
  const clusterId = reader.varint();
  const from = reader.varint();
  const to = reader.varint();
  const incarnation = reader.varint();
  const name = reader.text(NAME_BYTES_MAX);
  // A later version may say more: what is here is what every version says.
  reader.skip(reader.remaining);
  if (purpose !== 1 && purpose !== 2) throw corrupt("a hello is for no known purpose");
  return {
    kind: "hello",
    protocolMin,
    protocolMax,
    purpose: purpose === 1 ? "messages" : "snapshot",
    clusterId,
    from,
    to,
    incarnation,
    group,
    name,
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

const REFUSAL_CODES: readonly RefusalCode[] = ["other", "protocol", "cluster", "receiver", "sender", "group"];

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
