import { readFileSync, statfsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureGrpc } from "./put/grpc.mjs";
import { measureInProcess } from "./put/in-process.mjs";

/** Bytes of a value, as in etcd's own benchmark. */
const valueBytes = 256;
const callers = [1, 64, 256];
/** statfs's type of a file system in memory, where a sync costs nothing. */
const tmpfs = 0x01021994;

/**
 * `npm run bench -- put [--json] [--seconds N] [--dir D]`: puts of 256-byte values into a cluster of three processes on
 * this machine with real syncs, with 1, 64 and 256 concurrent callers: through gRPC from a process of its own, to the
 * leader; and through `RaftNode.propose()` in the leader's own process.
 * @param {readonly string[]} flags
 */
export async function run(flags) {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      json: { type: "boolean", default: false },
      seconds: { type: "string", default: "5" },
      dir: { type: "string", default: tmpdir() },
    },
  });
  const dir = await mkdtemp(join(values.dir, "balsa-bench-put-"));
  try {
    if (statfsSync(dir).type === tmpfs) throw new Error(`${values.dir} lies in memory; name a disk with --dir`);
    console.log(`${valueBytes}-byte values, three processes on ${describeMachine()}, data in ${values.dir}`);
    console.log("callers  through    puts/s   p50 ms   p99 ms");
    /** @type {Record<string, import("./put/load.mjs").Figures>} */
    const figures = {};
    const load = { valueBytes, warmUpSeconds: 2, seconds: Number(values.seconds) };
    /** @param {string} way @returns {(callers: number, measured: import("./put/load.mjs").Figures) => void} */
    const report = (way) => (count, measured) => {
      figures[`${way}${count}`] = measured;
      const cells = [measured.perS.toFixed(0), measured.p50Ms.toFixed(2), measured.p99Ms.toFixed(2)];
      console.log(`${String(count).padStart(7)}  ${way.padEnd(9)}${cells.map((cell) => cell.padStart(9)).join("")}`);
    };
    await measureGrpc(join(dir, "grpc"), callers, load, report("grpc"));
    await measureInProcess(join(dir, "in-process"), callers, load, report("inProcess"));
    if (values.json) console.log(JSON.stringify(figures));
    return 0;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function describeMachine() {
  const model = /^model name\s*: (.*)$/m.exec(
    process.platform === "linux" ? readFileSync("/proc/cpuinfo", "utf8") : "",
  )?.[1];
  return `${availableParallelism()} CPUs (${model ?? process.arch}), Node ${process.versions.node}`;
}
