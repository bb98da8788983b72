import {
  type ByteWriter,
  ENTRY_HEADER_BYTES,
  ENTRY_PAYLOAD_BYTES_MAX,
  type Ends,
  MESSAGE_ENTRIES_MAX,
  MESSAGES_MAX,
} from "../codec/index.js";
import type { PeerMessage } from "../core/index.js";
import type { Forward, ForwardAnswered } from "./forward.js";
import { FRAME_TARGET_BYTES, WRITE_BYTES_MAX } from "./limits.js";
import { writeMessagesFrame, writePeerFrame } from "./peer-frame.js";
import type { Counters } from "./transport-stats.js";

/** A message without its entries takes no more: a tag and at most seven varints. Also the size of a place in a queue. */
const HEAD_BYTES = 64;

/** A frame to be. */
type Waiting = WaitingMessages | WaitingForward;

/** More messages may join it. */
interface WaitingMessages {
  readonly kind: "messages";
  readonly messages: PeerMessage[];
  bytes: number;
}

interface WaitingForward {
  readonly kind: "forward";
  readonly frame: Forward | ForwardAnswered;
  readonly bytes: number;
}

/**
 * What waits to be written to one peer, in order and bounded. Over the limit the oldest heartbeats and their answers
 * go first (a newer one says the same and more), then what is newest is refused: the core sends again what matters.
 *
 * As a rule it is one message that waits, or two: arrays begin with it, as one that is pushed to takes room for 17.
 */
export class Outbox {
  readonly #bytesMax: number;
  #waiting: Waiting[] = [];
  /** Heartbeats and their answers among them. */
  #heartbeats = 0;
  /** Estimated, never too low. */
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Returns how many messages were dropped for it, or instead of it.
   * @param bytes its `messageBytes`, at most MESSAGE_BYTES_MAX
   */
  pushMessage(message: PeerMessage, bytes: number): number {
    const before = this.#heartbeats;
    const fits = this.#bytes + bytes <= this.#bytesMax || this.#makeRoom(bytes);
    const dropped = before - this.#heartbeats;
    if (!fits) return dropped + 1;
    this.#addMessage(message, bytes);
    return dropped;
  }

  /** Returns false if there is no room. */
  pushForward(frame: Forward, bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#add({ kind: "forward", frame, bytes });
    return true;
  }

  /** Always taken: there are no more of them than the peer has requests open, and it waits for each. */
  pushForwardAnswer(frame: ForwardAnswered): void {
    this.#add({ kind: "forward", frame, bytes: HEAD_BYTES });
  }

  /** Drops everything. Returns how many messages that were. */
  clear(): number {
    let messages = 0;
    for (const waiting of this.#waiting) if (waiting.kind === "messages") messages += waiting.messages.length;
    this.#empty();
    return messages;
  }

  /**
   * Encodes what one write takes, as whole frames, and forgets it.
   * @param ends of the link
   * @param counters are told how many messages are in it
   */
  encode(
    out: ByteWriter,
    group: number,
    ends: Ends | undefined,
    counters: Pick<Counters, "messagesSent">,
  ): readonly Uint8Array[] {
    const first = this.#waiting[0];
    if (first === undefined) return [];
    const buffers = [encodeFrame(out, group, ends, first, counters)];
    let written = (buffers[0] as Uint8Array).length;
    let next = 1;
    while (next < this.#waiting.length && written < WRITE_BYTES_MAX) {
      const buffer = encodeFrame(out, group, ends, this.#waiting[next++] as Waiting, counters);
      written += buffer.length;
      buffers.push(buffer);
    }
    this.#forget(next);
    return buffers;
  }

  #empty(): void {
    this.#waiting = [];
    this.#heartbeats = 0;
    this.#bytes = 0;
  }

  #add(waiting: Waiting): void {
    if (this.#waiting.length === 0) this.#waiting = [waiting];
    else this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
  }

  #addMessage(message: PeerMessage, bytes: number): void {
    if (isHeartbeat(message)) this.#heartbeats++;
    const last = this.#waiting.length === 0 ? undefined : this.#waiting[this.#waiting.length - 1];
    if (last?.kind === "messages" && last.messages.length < MESSAGES_MAX && last.bytes < FRAME_TARGET_BYTES) {
      last.messages.push(message);
      last.bytes += bytes;
      this.#bytes += bytes;
    } else {
      this.#add({ kind: "messages", messages: [message], bytes });
    }
  }

  #forget(count: number): void {
    if (count === this.#waiting.length) {
      this.#empty();
      return;
    }
    for (const waiting of this.#waiting.splice(0, count)) {
      this.#bytes -= waiting.bytes;
      if (waiting.kind === "messages")
        for (const message of waiting.messages) if (isHeartbeat(message)) this.#heartbeats--;
    }
  }

  /** Drops heartbeats, the oldest first, until that many more bytes fit; none, if they would not fit even so. */
  #makeRoom(bytes: number): boolean {
    let excess = this.#bytes + bytes - this.#bytesMax;
    const heartbeatBytes = this.#heartbeats * HEAD_BYTES;
    // Where nothing but heartbeats waits it is taken, however large: or with a small limit it would never be sent.
    const takenAnyway = this.#bytes === heartbeatBytes;
    if (excess > heartbeatBytes && !takenAnyway) return false;
    if (heartbeatBytes === 0) return true;
    const waiting = this.#waiting;
    this.#empty();
    for (const frame of waiting) {
      if (frame.kind === "forward") this.#add(frame);
      else {
        for (const message of frame.messages) {
          if (excess > 0 && isHeartbeat(message)) excess -= HEAD_BYTES;
          else this.#addMessage(message, messageBytes(message));
        }
      }
    }
    return true;
  }
}

function encodeFrame(
  out: ByteWriter,
  group: number,
  ends: Ends | undefined,
  waiting: Waiting,
  counters: Pick<Counters, "messagesSent">,
): Uint8Array {
  out.reserve(waiting.bytes + HEAD_BYTES);
  if (waiting.kind === "messages") {
    writeMessagesFrame(out, group, waiting.messages, ends);
    counters.messagesSent += waiting.messages.length;
  } else {
    writePeerFrame(out, group, waiting.frame);
  }
  return out.finish();
}

function isHeartbeat(message: PeerMessage): boolean {
  return message.type === "heartbeat" || message.type === "heartbeat-response";
}

/** At least what the message takes in a frame; infinite if it is over a limit of its codec. */
export function messageBytes(message: PeerMessage): number {
  if (message.type !== "append" && message.type !== "propose") return HEAD_BYTES;
  const { entries } = message;
  if (entries.length > MESSAGE_ENTRIES_MAX) return Number.POSITIVE_INFINITY;
  let bytes = HEAD_BYTES;
  for (const { data } of entries) {
    if (data.length > ENTRY_PAYLOAD_BYTES_MAX) return Number.POSITIVE_INFINITY;
    bytes += ENTRY_HEADER_BYTES + data.length;
  }
  return bytes;
}
