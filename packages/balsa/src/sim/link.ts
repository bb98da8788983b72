import type { Prng } from "./prng.js";

/** How long a piece is on its way, whole µs. */
export type Delay = (prng: Prng) => number;

/** The way from one node to another: what all connections that way share. */
export interface LinkOptions {
  readonly delayUs: Delay;
  /** Bytes that fit through in a millisecond; what is sent beyond them queues up. Infinity: as many as there are. */
  readonly bytesPerMs: number;
  /** How often a piece is lost. It comes a retransmission later, and with it all behind it on its connection. */
  readonly lossChance: number;
}

/** The shortest time after which TCP sends again, doubled each time (Linux). */
const RETRANSMIT_US_FIRST = 200_000;
const RETRANSMITS_MAX = 6;

/** Any delay in [leastUs, mostUs], all equally often. */
export function uniformDelay(leastUs: number, mostUs: number): Delay {
  return (prng) => prng.between(leastUs, mostUs);
}

/**
 * Most pieces take [leastUs, 2 · leastUs); each doubling beyond is taken with `tailChance`, up to `mostUs`. With 0.5
 * the mean grows with every doubling that is allowed.
 */
export function longTailedDelay(leastUs: number, mostUs: number, tailChance: number): Delay {
  return (prng) => {
    let scaleUs = leastUs;
    while (scaleUs < mostUs && prng.chance(tailChance)) scaleUs *= 2;
    return Math.min(mostUs, scaleUs + prng.below(scaleUs));
  };
}

/** One direction between two nodes. */
export class Link {
  options: LinkOptions;
  isBlocked = false;
  /** Nothing arrives before; then all goes on. */
  stalledUntilUs = 0;
  /** The last byte that was sent is through the narrowest place. */
  #freeUs = 0;

  constructor(options: LinkOptions) {
    this.options = options;
  }

  /** How long a piece that is sent now takes. */
  travelUs(prng: Prng, nowUs: number, lengthBytes: number): number {
    const { delayUs, bytesPerMs, lossChance } = this.options;
    let takesUs = delayUs(prng);
    if (lossChance > 0) {
      let againUs = RETRANSMIT_US_FIRST;
      for (let i = 0; i < RETRANSMITS_MAX && prng.chance(lossChance); i += 1) {
        takesUs += againUs;
        againUs *= 2;
      }
    }
    if (bytesPerMs === Number.POSITIVE_INFINITY) return takesUs;
    this.#freeUs = Math.max(this.#freeUs, nowUs) + Math.ceil((lengthBytes * 1000) / bytesPerMs);
    return takesUs + this.#freeUs - nowUs;
  }
}
