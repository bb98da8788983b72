// Prints the bytes of heap that an idle node takes with its memory storage. Run with --expose-gc.
import { member } from "./group.mjs";

const count = 10_000;
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run with --expose-gc");
member(1, [1, 2, 3]);
collect();
const before = process.memoryUsage().heapUsed;
const nodes = Array.from({ length: count }, (_, i) => member((i % 3) + 1, [1, 2, 3]));
collect();
console.log((process.memoryUsage().heapUsed - before) / nodes.length);
