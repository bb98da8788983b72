export { nodeClock } from "./node-clock.js";
export { nodeFiles } from "./node-files.js";
export { nodeNetwork } from "./node-network.js";
export type { NodePlatformOptions } from "./node-platform.js";
export { nodePlatform } from "./node-platform.js";
export { nodeRandom } from "./node-random.js";
