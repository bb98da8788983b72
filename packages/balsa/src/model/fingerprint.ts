/*
 * Fingerprints have 64 bits, in two lanes of 32: numbers hold no 64-bit integers. A state's is the sum of those of its
 * parts (its cells, its messages, its history, what is left of its budgets), lane by lane, modulo 2³²: the sum of a bag
 * needs no order, and a step changes it by what the step changes. A cell's code begins with its node, so parts can't be
 * mistaken for each other.
 *
 * How likely is it that two different states are taken for one, and the second and what only it leads to are missed? A
 * part's fingerprint is a mixed 64-bit value; two different multisets of such have equal sums with probability 2⁻⁶⁴.
 * Among n states that happens at all with probability below n² / 2⁶⁵; the minimum over k renamings multiplies it by k.
 * For 10⁸ states and k = 6 that is 0.2 %, for 10⁷ it is 0.002 %.
 */

/** The two lanes of the code's fingerprint, into out[at] and out[at + 1]. */
export function fingerprintOf(code: string, seed: number, out: Int32Array, at: number): void {
  let a = seed ^ 0x9e3779b9;
  let b = seed ^ 0x85ebca6b;
  for (let i = 0; i < code.length; i++) {
    const unit = code.charCodeAt(i);
    a = Math.imul(a ^ unit, 0xcc9e2d51);
    a = ((a << 15) | (a >>> 17)) ^ b;
    b = Math.imul(b + unit, 0x1b873593);
    b = ((b << 13) | (b >>> 19)) + a;
  }
  out[at] = mixed(a ^ code.length);
  out[at + 1] = mixed(b ^ Math.imul(a, 0x2545f491));
}

/** A bijection of 32 bits in which each bit of the input moves about half of the output's. */
export function mixed(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
