import { BalsaError } from "./balsa-error.js";
import type {
  ConfChange,
  ConfChangeTransition,
  ConfChangeV1,
  ConfChangeV2,
  NodeChange,
  NodeChangeKind,
} from "./conf-change.js";
import { NO_CONTEXT } from "./conf-change.js";
import type { Entry, ProposedEntry } from "./entry.js";
import { varintBytes } from "./entry-size.js";
import { unreachable } from "./invariant.js";

/*
 * The bytes of a membership change in an entry. They are etcd's protobuf messages, field for field, so that entries are
 * as large as etcd's, which limits on sizes count:
 *
 *   ConfChange        type = 2 varint, node = 3 varint, context = 4 bytes       (id = 1 is read over)
 *   ConfChangeV2      transition = 1 varint, changes = 2 messages, context = 3 bytes
 *   ConfChangeSingle  type = 1 varint, node = 2 varint
 *
 * Numbers are written even where they are 0, a context only where there is one.
 */

const KINDS: readonly NodeChangeKind[] = ["add-voter", "remove", "update", "add-learner"];
const TRANSITIONS: readonly ConfChangeTransition[] = ["auto", "joint-implicit", "joint-explicit"];

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;

export function encodeConfChange(change: ConfChange): ProposedEntry {
  if (change.version === 1) return { type: "conf-change", data: encodeV1(change) };
  return { type: "conf-change-v2", data: encodeV2(change) };
}

/** @throws BalsaError corrupt */
export function decodeConfChange(entry: Pick<Entry, "type" | "data">): ConfChange {
  switch (entry.type) {
    case "conf-change":
      return decodeV1(entry.data);
    case "conf-change-v2":
      return decodeV2(entry.data);
    case "normal":
      throw malformed("a normal entry is no membership change");
    default:
      throw unreachable(entry.type satisfies never);
  }
}

function encodeV1(change: ConfChangeV1): Uint8Array {
  const out = new ProtoWriter(nodeChangeBytes(change.change) + contextBytes(change.context));
  out.number(2, KINDS.indexOf(change.change.kind));
  out.number(3, change.change.id);
  if (change.context.length > 0) out.bytes(4, change.context);
  return out.data;
}

function encodeV2(change: ConfChangeV2): Uint8Array {
  let bytes = 2 + contextBytes(change.context);
  for (const single of change.changes) bytes += 2 + nodeChangeBytes(single);
  const out = new ProtoWriter(bytes);
  out.number(1, TRANSITIONS.indexOf(change.transition));
  for (const single of change.changes) {
    out.header(2, WIRE_BYTES);
    out.varint(nodeChangeBytes(single));
    out.number(1, KINDS.indexOf(single.kind));
    out.number(2, single.id);
  }
  if (change.context.length > 0) out.bytes(3, change.context);
  return out.data;
}

function decodeV1(data: Uint8Array): ConfChangeV1 {
  const input = new ProtoReader(data);
  let kind: NodeChangeKind = "add-voter";
  let id = 0;
  let context = NO_CONTEXT;
  while (input.more()) {
    const field = input.field();
    if (field === 2) kind = member(KINDS, input.number());
    else if (field === 3) id = input.number();
    else if (field === 4) context = input.bytes();
    else input.skip();
  }
  return { version: 1, change: { kind, id }, context };
}

function decodeV2(data: Uint8Array): ConfChangeV2 {
  const input = new ProtoReader(data);
  let transition: ConfChangeTransition = "auto";
  const changes: NodeChange[] = [];
  let context = NO_CONTEXT;
  while (input.more()) {
    const field = input.field();
    if (field === 1) transition = member(TRANSITIONS, input.number());
    else if (field === 2) changes.push(decodeNodeChange(input.bytes()));
    else if (field === 3) context = input.bytes();
    else input.skip();
  }
  return { version: 2, transition, changes, context };
}

function decodeNodeChange(data: Uint8Array): NodeChange {
  const input = new ProtoReader(data);
  let kind: NodeChangeKind = "add-voter";
  let id = 0;
  while (input.more()) {
    const field = input.field();
    if (field === 1) kind = member(KINDS, input.number());
    else if (field === 2) id = input.number();
    else input.skip();
  }
  return { kind, id };
}

function nodeChangeBytes(change: NodeChange): number {
  return 2 + 1 + varintBytes(change.id);
}

function contextBytes(context: Uint8Array): number {
  return context.length === 0 ? 0 : 1 + varintBytes(context.length) + context.length;
}

function member<T>(names: readonly T[], value: number): T {
  const name = names[value];
  if (name === undefined) throw malformed("a number names no kind or transition");
  return name;
}

function malformed(what: string): BalsaError {
  return new BalsaError("corrupt", `membership change: ${what}`);
}

/** As much of protobuf's encoding as a membership change needs; all field numbers are below 16. */
class ProtoWriter {
  readonly data: Uint8Array;
  private position = 0;

  constructor(bytes: number) {
    this.data = new Uint8Array(bytes);
  }

  header(field: number, wire: number): void {
    this.data[this.position++] = field * 8 + wire;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.data[this.position++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.data[this.position++] = rest;
  }

  number(field: number, value: number): void {
    this.header(field, WIRE_VARINT);
    this.varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.header(field, WIRE_BYTES);
    this.varint(value.length);
    this.data.set(value, this.position);
    this.position += value.length;
  }
}

class ProtoReader {
  private readonly data: Uint8Array;
  private position = 0;
  private wire = WIRE_VARINT;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  more(): boolean {
    return this.position < this.data.length;
  }

  field(): number {
    const header = this.varint();
    this.wire = header % 8;
    return Math.floor(header / 8);
  }

  number(): number {
    if (this.wire !== WIRE_VARINT) throw malformed("a number was expected");
    return this.varint();
  }

  bytes(): Uint8Array {
    if (this.wire !== WIRE_BYTES) throw malformed("bytes were expected");
    const end = this.varint() + this.position;
    if (end > this.data.length) throw malformed("it ends early");
    const value = this.data.subarray(this.position, end);
    this.position = end;
    return value;
  }

  skip(): void {
    if (this.wire === WIRE_VARINT) this.varint();
    else this.bytes();
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.data[this.position++];
      if (byte === undefined) throw malformed("it ends early");
      value += (byte % 128) * scale;
      // Guards the loop as well: a safe integer has at most eight groups of seven bits.
      if (!Number.isSafeInteger(value) || scale > Number.MAX_SAFE_INTEGER) throw malformed("a number is too large");
      if (byte < 128) return value;
    }
  }
}
