import { mkdirSync } from "node:fs";
import { keyValueWorkload } from "balsa/trial";

/** The first process to make this directory ends, or fails, in the middle of a seed, if it is to; all others run on. */
const claim = String(process.env["FATAL_CLAIM"]);

function isFirst() {
  try {
    mkdirSync(claim);
    return true;
  } catch {
    return false;
  }
}

export default {
  ...keyValueWorkload,
  create() {
    if (process.env["FATAL_HOW"] === "mark") isFirst();
    if (process.env["FATAL_HOW"] === "exit" && isFirst()) process.exit(7);
    return keyValueWorkload.create();
  },
  /** @param {Parameters<typeof keyValueWorkload.draw>} args */
  draw(...args) {
    if (process.env["FATAL_HOW"] === "throw" && isFirst()) throw new Error("nothing to ask for");
    return keyValueWorkload.draw(...args);
  },
};
