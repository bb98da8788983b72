import type { Clock } from "./clock.js";
import type { FileSystem } from "./file-system.js";
import type { Logger } from "./logger.js";
import type { Network } from "./network.js";
import type { Random } from "./random.js";

/** All that comes from outside: what is not in here, nothing above the platform may use. */
export interface Platform {
  readonly clock: Clock;
  readonly files: FileSystem;
  readonly network: Network;
  readonly random: Random;
  readonly logger: Logger;
}
