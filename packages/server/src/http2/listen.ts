import { once } from "node:events";
import type { Server } from "node:net";
import { formatAddress, parseAddress } from "balsa/platform";
import { ServerError } from "../server-error.js";

/**
 * Listens on `host:port`; gives the address, with the port that was given for port 0.
 * @param what what the address is for, in the operator's words
 * @throws ServerError `address-in-use`, `invalid-option`
 */
export async function listen(server: Server, what: string, address: string): Promise<string> {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new ServerError("invalid-option", `${what} ${address} is not of the form host:port`);
  try {
    server.listen({ host: parsed.host, port: parsed.port, exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new ServerError("address-in-use", `${what} ${address} is in use`, cause);
    throw new ServerError("invalid-option", `cannot listen on ${what} ${address}: ${message}`, cause);
  }
  const bound = server.address();
  return bound === null || typeof bound === "string" ? address : formatAddress(parsed.host, bound.port);
}
