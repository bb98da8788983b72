import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { Lock } from "../index.js";
import { FileError } from "../index.js";
import { UNIX_SOCKET_NAME_BYTES } from "./limits.js";

/**
 * The abstract name for a lock. Padded to full length: some versions of Node pass the name's own length to the system
 * and some the whole field, and the two would not exclude each other.
 */
function socketName(identity: string): string {
  const room = UNIX_SOCKET_NAME_BYTES - 1;
  const plain = `balsa-lock:${identity}`;
  const fits = /^[\x20-\x7e]*$/.test(plain) && plain.length < room;
  const name = fits ? plain : `balsa-lock:${createHash("sha256").update(identity).digest("hex")}`;
  return `\0${name.padEnd(room, "\0")}`;
}

/** Binds an abstract Unix socket (Linux), which one process on the machine can do at a time. */
export function acquireLockSocket(path: string, identity: string): Promise<Lock> {
  return new Promise((resolve, reject) => {
    // Nobody has business connecting.
    const server = createServer((stranger) => stranger.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      const locked = error.code === "EADDRINUSE";
      reject(locked ? new FileError("locked", path, `${path} is locked by another holder`, error) : error);
    });
    server.listen({ path: socketName(identity), exclusive: true }, () => {
      // A lock is no reason for the process to go on.
      server.unref();
      server.on("error", () => {});
      resolve({ release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}
