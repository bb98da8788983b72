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
import { writePeerFrame } from "./peer-frame.js";

/** A message without its entries takes no more: a tag and at most seven varints. Also the size of a place in a queue. */
const HEAD_BYTES = 64;

type Item =
  | { readonly kind: "message"; readonly message: PeerMessage; readonly bytes: number }
  | { readonly kind: "frame"; readonly frame: Forward | ForwardAnswered; readonly bytes: number };

/**
 * What waits to be written to one peer, in order and bounded. Over the limit the oldest heartbeats and their answers
 * go first (a newer one says the same and more), then what is newest is refused: the core sends again what matters.
 */
export class Outbox {
  readonly #bytesMax: number;
  #items: Item[] = [];
  /** Heartbeats and their answers among them. */
  #heartbeats = 0;
  /** Estimated, never too low. */
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /**
   * Returns how many messages were dropped for it, or instead of it.
   * @param bytes its `messageBytes`, at most MESSAGE_BYTES_MAX
   */
  pushMessage(message: PeerMessage, bytes: number): number {
    const before = this.#items.length;
    const fits = this.#makeRoom(bytes);
    const dropped = before - this.#items.length;
    if (!fits) return dropped + 1;
    this.#items.push({ kind: "message", message, bytes });
    this.#bytes += bytes;
    if (isHeartbeat(message)) this.#heartbeats++;
    return dropped;
  }

  /** Returns false if there is no room. */
  pushForward(frame: Forward, bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#items.push({ kind: "frame", frame, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Always taken: there are no more of them than the peer has requests open, and it waits for each. */
  pushForwardAnswer(frame: ForwardAnswered): void {
    this.#items.push({ kind: "frame", frame, bytes: HEAD_BYTES });
    this.#bytes += HEAD_BYTES;
  }

  /** Drops everything. Returns how many messages that were. */
  clear(): number {
    const messages = this.#items.reduce((count, item) => count + (item.kind === "message" ? 1 : 0), 0);
    this.#empty();
    return messages;
  }

  /** Encodes what one write takes, as whole frames, and forgets it. `ends`: of the link. `onMessages` hears how many messages are in it. */
  encode(
    out: ByteWriter,
    group: number,
    ends: Ends | undefined,
    onMessages: (count: number) => void,
  ): readonly Uint8Array[] {
    const buffers: Uint8Array[] = [];
    let written = 0;
    let next = 0;
    while (next < this.#items.length && written < WRITE_BYTES_MAX) {
      const item = this.#items[next] as Item;
      if (item.kind === "frame") {
        out.reserve(item.bytes + HEAD_BYTES);
        writePeerFrame(out, group, item.frame);
        next++;
      } else {
        const end = this.#endOfFrame(next);
        const messages = this.#messages(next, end);
        out.reserve(this.#bytesOf(next, end) + HEAD_BYTES);
        writePeerFrame(out, group, { kind: "messages", messages }, ends);
        onMessages(messages.length);
        next = end;
      }
      const buffer = out.finish();
      written += buffer.length;
      buffers.push(buffer);
    }
    this.#forget(next);
    return buffers;
  }

  #empty(): void {
    this.#items = [];
    this.#heartbeats = 0;
    this.#bytes = 0;
  }

  /** Where the frame that begins with the message at `from` ends. */
  #endOfFrame(from: number): number {
    let bytes = 0;
    let end = from;
    while (end < this.#items.length && end - from < MESSAGES_MAX && bytes < FRAME_TARGET_BYTES) {
      const item = this.#items[end] as Item;
      if (item.kind !== "message") break;
      bytes += item.bytes;
      end++;
    }
    return end;
  }

  #messages(from: number, end: number): readonly PeerMessage[] {
    const messages: PeerMessage[] = [];
    for (let i = from; i < end; i++) {
      const item = this.#items[i] as Item;
      if (item.kind === "message") messages.push(item.message);
    }
    return messages;
  }

  #bytesOf(from: number, end: number): number {
    let bytes = 0;
    for (let i = from; i < end; i++) bytes += (this.#items[i] as Item).bytes;
    return bytes;
  }

  #forget(count: number): void {
    if (count === this.#items.length) {
      this.#empty();
      return;
    }
    for (const item of this.#items.splice(0, count)) this.#account(item);
  }

  /** Drops heartbeats, the oldest first, until that many more bytes fit; none, if they would not fit even so. */
  #makeRoom(bytes: number): boolean {
    let excess = this.#bytes + bytes - this.#bytesMax;
    if (excess <= 0) return true;
    // Where nothing but heartbeats waits it is taken, however large: or with a small limit it would never be sent.
    const takenAnyway = this.#items.length === this.#heartbeats;
    if (excess > this.#heartbeats * HEAD_BYTES && !takenAnyway) return false;
    this.#items = this.#items.filter((item) => {
      if (excess <= 0 || item.kind !== "message" || !isHeartbeat(item.message)) return true;
      excess -= item.bytes;
      this.#account(item);
      return false;
    });
    return true;
  }

  #account(item: Item): void {
    this.#bytes -= item.bytes;
    if (item.kind === "message" && isHeartbeat(item.message)) this.#heartbeats--;
  }
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
