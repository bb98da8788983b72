import { Worker } from "node:worker_threads";

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {number} states distinct ones, those that differ only by a renaming of nodes counted once
 * @property {number} depth steps on the longest of the shortest ways to a state
 * @property {number} transitions
 * @property {number} seconds
 * @property {number} violations 0 or 1: the search ends with the first
 * @property {boolean} complete whether that is every state within the bounds
 * @property {number} tableBytes for fingerprints, as far as they are in use
 * @property {number} bytes of everything that grows with the states
 * @property {number} coreRuns how often the core was run, in all threads
 * @property {any} [counterexample]
 */

/** Control words that workers share; see worker.mjs. */
const CONTROL_BYTES = 256;
const BYTES_PER_FINGERPRINT = 8;

/**
 * Explores a configuration.
 * @param {string} name
 * @param {{ threads: number, seconds: number, states: number, log: (line: string) => void }} limits
 * @returns {Promise<Result>}
 */
export async function explore(name, { threads, seconds, states, log }) {
  const { Visited } = await import("balsa/model");
  const startMs = performance.now();
  const table = Visited.memoryFor(states);
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const elapsed = () => (performance.now() - startMs) / 1000;
  const timer = setTimeout(() => Atomics.store(new Int32Array(control), 0, 1), seconds * 1000);
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, thread) =>
      runWorker({ name, thread, threads, table, control }, ({ depth, states: seen }) =>
        log(`${name}: ${seen} states, ${depth} steps deep, ${elapsed().toFixed(0)} s`),
      ),
    ),
  ).finally(() => clearTimeout(timer));
  return { name, seconds: Number(elapsed().toFixed(1)), ...combined(parts) };
}

/** @param {readonly any[]} parts */
function combined(parts) {
  const total = (/** @type {(part: any) => number} */ of) => parts.reduce((sum, part) => sum + of(part), 0);
  // Where the first levels were all there is, every thread went through them.
  const alone = parts.every(({ states }, i) => i === 0 || states === parts[0].states);
  const states = alone ? parts[0].states : total((part) => part.states);
  const tableBytes = states * BYTES_PER_FINGERPRINT;
  const counterexample = parts.map((part) => part.counterexample).find((found) => found !== undefined);
  return {
    states,
    depth: Math.max(...parts.map(({ depth }) => depth)) - 1,
    transitions: alone ? parts[0].transitions : total((part) => part.transitions),
    violations: counterexample === undefined ? 0 : 1,
    complete: parts.every(({ complete }) => complete),
    tableBytes,
    bytes: tableBytes + total(({ memory }) => memory.frontierBytes + memory.pathBytes),
    coreRuns: total(({ memory }) => memory.steps),
    ...(counterexample === undefined ? {} : { counterexample }),
  };
}

/**
 * @param {object} workerData
 * @param {(progress: { depth: number, states: number }) => void} onProgress
 * @returns {Promise<any>}
 */
function runWorker(workerData, onProgress) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.mjs", import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 6144 },
    });
    worker.on("message", (message) => (message.done === true ? resolve(message) : onProgress(message)));
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`a thread ended with ${code}`)));
  });
}
