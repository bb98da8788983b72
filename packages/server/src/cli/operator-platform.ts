import type { Platform } from "balsa/platform";
import { nodePlatform } from "balsa/platform/node";
import type { TextOutput } from "./text-output.js";

/** For commands that work on a data directory: what the library has to say goes to the operator. */
export function operatorPlatform(io: TextOutput): Platform {
  return nodePlatform({
    logger: {
      log: (level, message) => {
        if (level === "warn" || level === "error") io.error(`balsa: ${message}\n`);
      },
    },
  });
}
