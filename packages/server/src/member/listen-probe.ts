import { createServer } from "node:net";
import { listen } from "../http2/listen.js";

/**
 * Whether an address, `host:port`, can be listened on; asked of all of them before anything is touched.
 * @throws ServerError `address-in-use`, `invalid-option`
 */
export async function requireFree(what: string, address: string): Promise<void> {
  const server = createServer();
  await listen(server, what, address);
  await new Promise((resolve) => server.close(resolve));
}
