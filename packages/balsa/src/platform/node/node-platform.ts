import type { Logger, Platform } from "../index.js";
import { silentLogger } from "../index.js";
import { nodeClock } from "./node-clock.js";
import { nodeFiles } from "./node-files.js";
import { nodeNetwork } from "./node-network.js";
import { nodeRandom } from "./node-random.js";

export interface NodePlatformOptions {
  /** Silent unless given. */
  readonly logger?: Logger;
}

/** The real world: the operating system's clock, files, network and randomness. */
export function nodePlatform(options: NodePlatformOptions = {}): Platform {
  const logger = options.logger ?? silentLogger;
  return { clock: nodeClock, files: nodeFiles, network: nodeNetwork(logger), random: nodeRandom, logger };
}
