/** Runs in Node and in browsers alike. */
import { storm } from "../node/storm.js";

/** The hash of each storm's whole trace. */
export async function stormHashes(seeds: readonly string[]): Promise<readonly string[]> {
  const hashes: string[] = [];
  for (const seed of seeds) hashes.push((await storm(seed)).world.trace.hash());
  return hashes;
}
