/**
 * @typedef {object} Load
 * @property {number} valueBytes
 * @property {number} warmUpSeconds not measured
 * @property {number} seconds measured
 *
 * @typedef {object} Figures
 * @property {number} perS puts acknowledged a second
 * @property {number} p50Ms
 * @property {number} p99Ms
 */

/** Keys go round, so that the store's size stays out of the figures. */
const keys = 10_000;

/**
 * A closed loop: each caller puts again as soon as its last put was acknowledged. A put that fails ends the run.
 * @param {number} callers
 * @param {Load} load
 * @param {(key: string) => Promise<unknown>} put
 * @returns {Promise<Figures>}
 */
export async function measure(callers, load, put) {
  const beginMs = performance.now() + load.warmUpSeconds * 1_000;
  const endMs = beginMs + load.seconds * 1_000;
  /** @type {number[]} */
  const latenciesMs = [];
  let next = 0;
  const caller = async () => {
    for (let nowMs = performance.now(); nowMs < endMs; ) {
      const startMs = nowMs;
      await put(`key-${next++ % keys}`);
      nowMs = performance.now();
      if (nowMs >= beginMs && nowMs < endMs) latenciesMs.push(nowMs - startMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const sorted = Float64Array.from(latenciesMs).sort();
  /** @param {number} share */
  const quantile = (share) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return { perS: round(sorted.length / load.seconds), p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/**
 * To a thousandth: more digits would promise more than was measured.
 * @param {number} value
 */
function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
