import { CLIENT_PREFACE, connectionFrame, FLAG, FRAME, FRAME_HEADER_BYTES, readFrameHeader } from "./frame.js";
import { hasUrlAuthority } from "./url-authority.js";

/** A client may send this much before it has confirmed our settings: what HTTP/2 lets it, and frames around that. */
const HELD_BYTES_MAX: number = 256 * 1024;

const NOTHING: Uint8Array = new Uint8Array(0);

export type OpeningStep =
  /** More is to come; `reply` is to be sent. */
  | { readonly kind: "continue"; readonly reply: Uint8Array }
  /** The first request is there: `bytes` are the connection as a server that has said nothing yet would have read it. */
  | { readonly kind: "request"; readonly bytes: Uint8Array; readonly urlAuthority: boolean }
  /** No HTTP/2, or no client that keeps to it. */
  | { readonly kind: "refused" };

/**
 * The beginning of a connection, up to its first request: long enough to see how the client calls this server. Clients
 * wait for the server's settings before they ask for anything, so these are sent from here; what they bring back
 * (their confirmation) is kept from the HTTP/2 library, which will send its own.
 */
export class Opening {
  /** What is to be sent first: settings that set nothing. */
  readonly greeting: Uint8Array = connectionFrame(FRAME.settings, 0, NOTHING);
  /** Whole frames, and behind them what is not looked at yet. */
  private held: Uint8Array = NOTHING;
  private examined = 0;
  private confirmed = false;
  private requestAt = -1;

  /** The other side has said that it is an HTTP/2 client. */
  get hasBegun(): boolean {
    return this.examined > 0;
  }

  receive(bytes: Uint8Array): OpeningStep {
    this.held = concat([this.held, bytes]);
    if (this.held.length > HELD_BYTES_MAX || !this.beginsAsClient()) return { kind: "refused" };
    if (this.held.length < CLIENT_PREFACE.length) return { kind: "continue", reply: NOTHING };
    this.examined = Math.max(this.examined, CLIENT_PREFACE.length);
    const reply = this.examineFrames();
    if (!this.confirmed || this.requestAt < 0) return { kind: "continue", reply };
    return { kind: "request", bytes: this.held, urlAuthority: hasUrlAuthority(this.held, this.requestAt) };
  }

  private beginsAsClient(): boolean {
    const length = Math.min(this.held.length, CLIENT_PREFACE.length);
    for (let i = 0; i < length; i++) if (this.held[i] !== CLIENT_PREFACE[i]) return false;
    return true;
  }

  /** Until both the confirmation and the first request are found. Pings are answered, since somebody waits for it. */
  private examineFrames(): Uint8Array {
    const replies: Uint8Array[] = [];
    while (!this.confirmed || this.requestAt < 0) {
      const header = readFrameHeader(this.held, this.examined);
      if (header === undefined) break;
      const end = this.examined + FRAME_HEADER_BYTES + header.lengthBytes;
      if (end > this.held.length) break;
      const isAck = (header.flags & FLAG.ack) !== 0;
      if (header.type === FRAME.settings && isAck) {
        this.confirmed = true;
        this.cutOut(end);
      } else if (header.type === FRAME.ping && !isAck) {
        replies.push(connectionFrame(FRAME.ping, FLAG.ack, this.held.slice(this.examined + FRAME_HEADER_BYTES, end)));
        this.cutOut(end);
      } else {
        if (header.type === FRAME.headers && this.requestAt < 0) this.requestAt = this.examined;
        this.examined = end;
      }
    }
    return concat(replies);
  }

  /** The frame under examination was for us. */
  private cutOut(end: number): void {
    this.held = concat([this.held.subarray(0, this.examined), this.held.subarray(end)]);
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const [only = NOTHING] = pieces;
  if (pieces.length <= 1) return only;
  const whole = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
