import { CLIENT_PREFACE, FRAME, FRAME_HEADER_BYTES, readFrameHeader } from "./frame.js";
import { withoutUrlAuthority } from "./url-authority.js";

/** Larger frames are against the settings (RFC 9113 §4.2): not held back for us to look at. */
const FRAME_BYTES_MAX = 16_384;

/** What a client sends, from the preface on, with every `:authority` that is a URL replaced. */
export class AuthorityFilter {
  /** The beginning of a frame whose rest is still to come. */
  private pending: Uint8Array = new Uint8Array(0);
  /** Bytes that pass without being looked at. */
  private passing: number = CLIENT_PREFACE.length;

  /** Gives what can go on, in order. */
  filter(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const out: Uint8Array[] = [];
    /** Of what is to go on as it is and has not yet. */
    let from = 0;
    let at = 0;
    for (;;) {
      const passed = Math.min(this.passing, bytes.length - at);
      at += passed;
      this.passing -= passed;
      const header = this.passing > 0 ? undefined : readFrameHeader(bytes, at);
      if (header === undefined) break;
      const frameBytes = FRAME_HEADER_BYTES + header.lengthBytes;
      if (header.type !== FRAME.headers || header.lengthBytes > FRAME_BYTES_MAX) {
        this.passing = frameBytes;
        continue;
      }
      if (at + frameBytes > bytes.length) break;
      if (from < at) out.push(bytes.subarray(from, at));
      out.push(withoutUrlAuthority(bytes.subarray(at, at + frameBytes)));
      at += frameBytes;
      from = at;
    }
    if (from < at) out.push(bytes.subarray(from, at));
    this.pending = bytes.slice(at);
    return out;
  }
}
