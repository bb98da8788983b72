import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Group } from "./core/group.mjs";

const payloadBytes = 256;
/** Payloads lie side by side: an ArrayBuffer for each would cost more than the protocol. */
const slab = new Uint8Array(payloadBytes * 1_024);

/**
 * `npm run bench -- core [--json] [--seconds N]`: the protocol alone, in one process and thread, with memory storage.
 * @param {readonly string[]} flags
 */
export async function run(flags) {
  const { values } = parseArgs({
    args: [...flags],
    options: { json: { type: "boolean", default: false }, seconds: { type: "string", default: "2" } },
  });
  const seconds = Number(values.seconds);
  /** @type {Record<string, number>} */
  const figures = {};
  console.log(
    `three nodes, one thread, memory storage, ${payloadBytes} B, applied on all; Node ${process.versions.node}`,
  );
  /** @param {string} name @param {number} figure @param {string} unit */
  const report = (name, figure, unit) => {
    figures[name] = Math.round(figure * 100) / 100;
    console.log(`${name.padEnd(18)}${figure.toFixed(figure < 100 ? 2 : 0).padStart(12)} ${unit}`);
  };
  for (const size of [1, 16, 128]) report(`batch${size}`, entriesPerSecond(seconds, size, proposeBatch), "entries/s");
  for (const size of [16, 128]) report(`call${size}`, entriesPerSecond(seconds, size, proposeEach), "entries/s");
  report("idleTickNs", idleTickNs(seconds), "ns");
  report("leaderTickNs", leaderTickNs(seconds), "ns");
  report("heapPerNodeBytes", heapPerNodeBytes(), "bytes");
  if (values.json) console.log(JSON.stringify(figures));
  return 0;
}

/** @param {import("./core/group.mjs").Member} leader @param {readonly Uint8Array[]} payloads */
function proposeBatch(leader, payloads) {
  leader.node.proposeBatch(payloads);
}

/** @param {import("./core/group.mjs").Member} leader @param {readonly Uint8Array[]} payloads */
function proposeEach(leader, payloads) {
  for (const payload of payloads) leader.node.propose(payload);
}

/**
 * The median of five runs, after one that is not counted.
 * @param {number} seconds @param {() => number} measureOnce
 */
function median(seconds, measureOnce) {
  measureOnce();
  const runs = Array.from({ length: 5 }, measureOnce).sort((a, b) => a - b);
  if (!(seconds > 0)) throw new RangeError("--seconds takes a number above 0");
  return runs[2] ?? Number.NaN;
}

/**
 * @param {number} seconds @param {number} size
 * @param {(leader: import("./core/group.mjs").Member, payloads: readonly Uint8Array[]) => void} propose
 */
function entriesPerSecond(seconds, size, propose) {
  const group = new Group();
  return median(seconds, () => {
    const before = group.members.map((at) => at.applied);
    const startMs = performance.now();
    let proposed = 0;
    while (performance.now() - startMs < (seconds * 1_000) / 6) {
      for (let round = 0; round < Math.max(1, 256 / size); round++) {
        /** @type {Uint8Array[]} */
        const payloads = [];
        for (let i = 0; i < size; i++) {
          const at = ((proposed + i) % 1_024) * payloadBytes;
          payloads.push(slab.subarray(at, at + payloadBytes));
        }
        propose(group.leader, payloads);
        group.settle();
        proposed += size;
      }
    }
    const elapsedMs = performance.now() - startMs;
    for (const [i, at] of group.members.entries()) {
      if (at.applied - (before[i] ?? 0) !== proposed) throw new Error("all that was proposed is applied on all three");
    }
    return (proposed / elapsedMs) * 1_000;
  });
}

/** A follower's tick; its election timer is wound back, as a leader's heartbeats would, before it runs out. @param {number} seconds */
function idleTickNs(seconds) {
  const group = new Group();
  const { node } = group.members[1];
  const heartbeat = () =>
    node.step({ type: "heartbeat", from: 1, to: 2, term: node.term, commit: node.commit, readRound: 0 });
  const ticksBetween = 9;
  return median(seconds, () => {
    let tickMs = 0;
    const rounds = Math.round(seconds * 20_000);
    // The heartbeats are timed apart and taken off: both loops are the same but for the ticks.
    const bareMs = timed(rounds, () => {
      heartbeat();
      drain(node);
    });
    tickMs = timed(rounds, () => {
      for (let i = 0; i < ticksBetween; i++) node.tick();
      heartbeat();
      drain(node);
    });
    return Math.max(0, ((tickMs - bareMs) / (rounds * ticksBetween)) * 1e6);
  });
}

/** @param {import("balsa/core").RawNode} node */
function drain(node) {
  if (!node.hasReady()) return;
  node.ready();
  node.advance();
}

/** @param {number} rounds @param {() => void} body */
function timed(rounds, body) {
  const startMs = performance.now();
  for (let i = 0; i < rounds; i++) body();
  return performance.now() - startMs;
}

/** A leader's tick with the two heartbeats that it sends and their answers. @param {number} seconds */
function leaderTickNs(seconds) {
  const group = new Group();
  return median(seconds, () => {
    const rounds = Math.round(seconds * 20_000);
    const elapsedMs = timed(rounds, () => {
      group.leader.node.tick();
      group.settle();
    });
    return (elapsedMs / rounds) * 1e6;
  });
}

/** Of 10,000 idle nodes with their storage, in a process of its own, which may ask for a collection. */
function heapPerNodeBytes() {
  const heap = fileURLToPath(new URL("core/heap.mjs", import.meta.url));
  return Number(execFileSync(process.execPath, ["--expose-gc", heap], { encoding: "utf8" }));
}
