import type { Link } from "./link.js";
import type { Pulse } from "./pulse.js";

/**
 * Watches a link on which something is due at least every other interval, and ends it when nothing has moved for too many
 * intervals: no byte came, and nothing of what was queued went out.
 *
 * It counts intervals that this process has lived through, since after a pause of its own what came meanwhile is still
 * waiting to be read.
 */
export class Liveness {
  readonly #pulse: Pulse;
  readonly #link: Link;
  readonly #silentIntervalsMax: number;
  readonly #ping: () => void;
  readonly #onBeat = (): void => this.#beat();
  /** The first interval is what is left of the one that the link came up in: it does not count. */
  #silentIntervals = -1;
  #bytesReceived: number;
  #bytesQueued = 0;
  #bytesFlushed = 0;

  /** @param ping called after an interval in which nothing moved, to make the other side answer */
  constructor(pulse: Pulse, link: Link, silentIntervalsMax: number, ping: () => void = () => {}) {
    this.#pulse = pulse;
    this.#link = link;
    this.#silentIntervalsMax = silentIntervalsMax;
    this.#ping = ping;
    this.#bytesReceived = link.bytesReceived;
    pulse.add(this.#onBeat);
  }

  stop(): void {
    this.#pulse.remove(this.#onBeat);
  }

  #beat(): void {
    if (this.#moved()) {
      this.#silentIntervals = 0;
      return;
    }
    this.#silentIntervals++;
    if (this.#silentIntervals >= this.#silentIntervalsMax) {
      this.stop();
      this.#link.fail(`stalled: nothing moved for ${this.#silentIntervals} s`);
      return;
    }
    this.#ping();
  }

  /** Whether a byte came, or some of what was queued an interval ago went out. */
  #moved(): boolean {
    const { bytesReceived, bytesWritten, queuedBytes } = this.#link;
    const flushed = bytesWritten - queuedBytes;
    // With an empty queue the system takes whatever is written, and goes on taking it for a peer that is gone.
    const moved = bytesReceived > this.#bytesReceived || (this.#bytesQueued > 0 && flushed > this.#bytesFlushed);
    this.#bytesReceived = bytesReceived;
    this.#bytesQueued = queuedBytes;
    this.#bytesFlushed = flushed;
    return moved;
  }
}
