import { once } from "node:events";
import { createServer } from "node:net";
import { ServerError } from "../server-error.js";

/**
 * Whether an address, `host:port`, can be listened on; asked of all of them before anything is touched.
 * @throws ServerError `address-in-use`, `invalid-option`
 */
export async function requireFree(what: string, address: string): Promise<void> {
  const separator = address.lastIndexOf(":");
  const host = address.slice(0, separator).replace(/^\[(.*)\]$/, "$1");
  const server = createServer();
  try {
    server.listen({ host, port: Number(address.slice(separator + 1)), exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new ServerError("address-in-use", `${what} ${address} is in use`, cause);
    throw new ServerError("invalid-option", `cannot listen on ${what} ${address}: ${message}`, cause);
  }
  await new Promise((resolve) => server.close(resolve));
}
