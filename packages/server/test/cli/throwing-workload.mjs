import { keyValueWorkload } from "balsa/trial";

function broken() {
  throw new TypeError("no such thing");
}

/** The function of this name throws. */
const how = String(process.env["THROWING"]);

export default { ...keyValueWorkload, [how]: broken };
