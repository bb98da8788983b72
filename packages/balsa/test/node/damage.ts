/** Damage to the disk of a node that is down. */
import type { WorldNode } from "../../src/sim/index.js";

const LOG = "/data/log";

/** Paths, in the log's order. */
export function segmentsOf(node: WorldNode): readonly [string, ...string[]] {
  const [first, ...others] = node.disk.list(LOG).filter((name) => /^\d{16}\.log$/.test(name));
  if (first === undefined) throw new Error(`${node.name} has no log`);
  return [`${LOG}/${first}`, ...others.map((name) => `${LOG}/${name}`)];
}

function bytesOf(node: WorldNode, path: string): Buffer {
  const file = node.disk.open(path, "read");
  return Buffer.from(file.read(0, file.sizeBytes));
}

export function flip(node: WorldNode, path: string, offset: number): void {
  node.disk.open(path, "read").rot(offset, 3);
}

/** Offset of the payload of entry `index`, whatever its term: its record says that it is a normal one of that index. */
export function payloadOf(node: WorldNode, path: string, index: number): number {
  const bytes = bytesOf(node, path);
  for (let at = 0; at + 28 < bytes.length; at++) {
    const isRecord = bytes.readUInt32LE(at + 8) === 1 && bytes.readBigUInt64LE(at + 20) === BigInt(index);
    if (isRecord && bytes.readBigUInt64LE(at + 12) < 100n) return at + 28;
  }
  throw new Error(`entry ${index} is not in ${path}`);
}

/** Wipes the magic of every batch of the newest segment between these parts of its batches, 0 to 1. */
export function damageBatchHeads(node: WorldNode, from: number, to: number): void {
  const path = segmentsOf(node).at(-1) ?? "";
  const text = bytesOf(node, path).toString("latin1");
  const heads = [...text.matchAll(/BTCH/g)].map(({ index }) => index);
  for (const at of heads.slice(Math.floor(heads.length * from), Math.ceil(heads.length * to))) flip(node, path, at);
}
