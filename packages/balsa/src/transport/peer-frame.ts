/** Everything that one end of a connection can say to the other, and its bytes. */
import type { ByteReader, ByteWriter, Ends } from "../codec/index.js";
import { corrupt, readMessages, writeMessages } from "../codec/index.js";
import type { PeerMessage, SnapshotMessage } from "../core/index.js";
import { BalsaError } from "../core/index.js";
import type { Forward, ForwardAnswered } from "./forward.js";
import { readForward, readForwardAnswer, writeForward, writeForwardAnswer } from "./forward.js";
import { beginFrame, endFrame, FRAME_CODES, type Frame } from "./frame.js";
import type { Hello, HelloAccepted, HelloRefused } from "./hello.js";
import {
  readHello,
  readHelloAccepted,
  readHelloRefused,
  writeHello,
  writeHelloAccepted,
  writeHelloRefused,
} from "./hello.js";
import { ANSWER_BYTES_MAX, REASON_BYTES_MAX, REQUEST_BYTES_MAX, SNAPSHOT_PIECE_BYTES_MAX } from "./limits.js";

/** Is the other side's process there? The pong repeats the number. */
export interface Ping {
  readonly kind: "ping" | "pong";
  readonly sequence: number;
}

/** All messages of a turn, in order. */
export interface Messages {
  readonly kind: "messages";
  readonly messages: readonly PeerMessage[];
}

/** What a snapshot stream begins with. `message` carries no data: the file of that size follows in pieces. */
export interface SnapshotOffer {
  readonly kind: "snapshot-offer";
  readonly message: SnapshotMessage;
  readonly fileBytes: number;
}

export interface SnapshotPiece {
  readonly kind: "snapshot-piece";
  /** Of the piece's first byte in the file. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** From the receiver: everything before `position` is written. 0 accepts the offer. */
export interface SnapshotAcknowledged {
  readonly kind: "snapshot-acknowledged";
  readonly position: number;
}

/**
 * From the receiver, in place of the first acknowledgement: this much is there from an earlier try, and checked. The
 * sender goes on from there, if its file is the same up to there; else with the first piece again.
 */
export interface SnapshotResumed extends ResumePoint {
  readonly kind: "snapshot-resumed";
}

/** A place in a snapshot's file, and the checksum of the part of it that ends there: that covers all before it. */
export interface ResumePoint {
  readonly position: number;
  readonly checksum: number;
}

/** From the receiver: the whole file is there and checked. */
export interface SnapshotDone {
  readonly kind: "snapshot-done";
}

/** From the receiver: it refuses the offer, or can't go on. */
export interface SnapshotFailed {
  readonly kind: "snapshot-failed";
  readonly reason: string;
}

/** What one side asks the other, in bytes of the runtime's, and what it is told. */
export interface Request {
  readonly kind: "request" | "answer";
  readonly body: Uint8Array;
}

export type PeerFrame =
  | Hello
  | HelloAccepted
  | HelloRefused
  | Ping
  | Messages
  | Forward
  | ForwardAnswered
  | SnapshotOffer
  | SnapshotPiece
  | SnapshotAcknowledged
  | SnapshotResumed
  | SnapshotDone
  | SnapshotFailed
  | Request;

/**
 * Appends the frame to the current piece of `out`.
 * @param ends for messages, of a connection on which their heads are short
 */
export function writePeerFrame(out: ByteWriter, group: number, frame: PeerFrame, ends?: Ends): void {
  if (frame.kind === "messages") {
    writeMessagesFrame(out, group, frame.messages, ends);
    return;
  }
  const at = beginFrame(out, FRAME_CODES[frame.kind], group);
  writeBody(out, group, frame);
  endFrame(out, at);
}

/** The frame of nearly all. */
export function writeMessagesFrame(
  out: ByteWriter,
  group: number,
  messages: readonly PeerMessage[],
  ends: Ends | undefined,
): void {
  const at = beginFrame(out, FRAME_CODES.messages, group);
  endFrame(out, at, writeMessages(out, group, messages, ends));
}

function writeBody(out: ByteWriter, group: number, frame: Exclude<PeerFrame, Messages>): void {
  switch (frame.kind) {
    case "hello":
      writeHello(out, frame);
      return;
    case "hello-accepted":
      writeHelloAccepted(out, frame);
      return;
    case "hello-refused":
      writeHelloRefused(out, frame);
      return;
    case "ping":
    case "pong":
      out.varint(frame.sequence);
      return;
    case "forward":
      writeForward(out, frame);
      return;
    case "forward-answer":
      writeForwardAnswer(out, frame);
      return;
    case "snapshot-offer":
      out.varint(frame.fileBytes);
      writeMessages(out, group, [frame.message]);
      return;
    case "snapshot-piece":
      out.varint(frame.position);
      out.raw(frame.bytes);
      return;
    case "snapshot-acknowledged":
      out.varint(frame.position);
      return;
    case "snapshot-resumed":
      out.varint(frame.position);
      out.i32(frame.checksum);
      return;
    case "snapshot-done":
      return;
    case "snapshot-failed":
      out.text(frame.reason);
      return;
    case "request":
    case "answer":
      out.raw(frame.body);
      return;
    default:
      frame satisfies never;
      throw new BalsaError("invariant", "a frame is of one of its kinds");
  }
}

/**
 * @param ends as the other side writes with
 * @throws BalsaError `corrupt`
 */
export function readPeerFrame({ kind, group, checked: body, records }: Frame, ends?: Ends): PeerFrame {
  switch (kind) {
    case "hello":
      return readHello(body, group);
    case "hello-accepted":
      return readHelloAccepted(body);
    case "hello-refused":
      return readHelloRefused(body);
    case "ping":
    case "pong":
      return ended(body, { kind, sequence: body.varint() });
    case "messages":
      return { kind, messages: readMessages(body, records, group, ends) };
    case "forward":
      return readForward(body);
    case "forward-answer":
      return readForwardAnswer(body);
    case "snapshot-offer":
      return readSnapshotOffer(body, records, group);
    case "snapshot-piece":
      return readSnapshotPiece(body);
    case "snapshot-acknowledged":
      return ended(body, { kind, position: body.varint() });
    case "snapshot-resumed":
      return ended(body, { kind, position: body.varint(), checksum: body.i32() });
    case "snapshot-done":
      return ended(body, { kind });
    case "snapshot-failed":
      return ended(body, { kind, reason: body.text(REASON_BYTES_MAX) });
    case "request":
    case "answer":
      if (body.remaining > (kind === "request" ? REQUEST_BYTES_MAX : ANSWER_BYTES_MAX))
        throw corrupt("a request or an answer is too large");
      return { kind, body: body.raw(body.remaining) };
    default:
      kind satisfies never;
      throw new BalsaError("invariant", "a frame is of one of its kinds");
  }
}

function readSnapshotOffer(body: ByteReader, records: ByteReader, group: number): SnapshotOffer {
  const fileBytes = body.varint();
  const [message, another] = readMessages(body, records, group);
  if (message?.type !== "snapshot" || another !== undefined) throw corrupt("an offer is not of one snapshot");
  return { kind: "snapshot-offer", message, fileBytes };
}

function readSnapshotPiece(body: ByteReader): SnapshotPiece {
  const position = body.varint();
  if (body.remaining === 0 || body.remaining > SNAPSHOT_PIECE_BYTES_MAX) throw corrupt("a piece is empty or too large");
  return { kind: "snapshot-piece", position, bytes: body.raw(body.remaining) };
}

function ended<T extends PeerFrame>(body: ByteReader, frame: T): T {
  body.expectEnd();
  return frame;
}
