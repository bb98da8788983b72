import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, connect as rawConnect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { CloseReason, Connection, ConnectionHandlers, Listener } from "../../src/platform/index.js";
import { nodeNetwork } from "../../src/platform/node/index.js";

const network = nodeNetwork();

class End implements ConnectionHandlers {
  readonly connection: Connection | undefined;
  readonly reasons: CloseReason[] = [];
  readonly pieces: Uint8Array[] = [];
  #changed: () => void = () => {};
  constructor(connection?: Connection) {
    this.connection = connection;
  }
  onOpen(): void {}
  onData(bytes: Uint8Array): void {
    this.pieces.push(bytes);
    this.#changed();
  }
  onDrain(): void {}
  onClose(reason: CloseReason): void {
    this.reasons.push(reason);
    this.#changed();
  }
  async until(isReached: (end: End) => boolean): Promise<void> {
    while (!isReached(this)) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close();
  listener = undefined;
});

/** Listens, and gives the first end that is accepted. */
async function acceptOne(): Promise<{ port: number; accepted: Promise<End> }> {
  let accept = (_end: End): void => {};
  const accepted = new Promise<End>((resolve) => {
    accept = resolve;
  });
  listener = await network.listen("127.0.0.1:0", (connection) => {
    const end = new End(connection);
    accept(end);
    return end;
  });
  return { port: Number(listener.address.split(":")[1]), accepted };
}

describe("nodeNetwork", () => {
  test("the connections of a process that is killed end at once", async () => {
    const { port, accepted } = await acceptOne();
    const script = `require("net").connect(${port}, "127.0.0.1"); setInterval(() => {}, 1000)`;
    const child = spawn(process.execPath, ["-e", script], { stdio: "inherit" });
    const end = await accepted;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    const exitedMs = performance.now();
    await end.until(({ reasons }) => reasons.length > 0);
    expect(performance.now() - exitedMs).toBeLessThan(1000);
    expect(["ended", "reset"]).toContain(end.reasons[0]?.kind);
  });

  test("an accepted connection tells where it comes from", async () => {
    const { port, accepted } = await acceptOne();
    const socket = rawConnect(port, "127.0.0.1");
    const end = await accepted;
    expect(end.connection?.remoteAddress).toBe(`127.0.0.1:${socket.localPort}`);
    end.connection?.close();
    await end.until(({ reasons }) => reasons.length > 0);
    socket.destroy();
  });

  test("the buffers of one write reach the system together: small ones arrive as one piece", async () => {
    const { port, accepted } = await acceptOne();
    const dialled = network.connect(`127.0.0.1:${port}`, new End());
    const end = await accepted;
    dialled.write(Array.from({ length: 100 }, (_, i) => new Uint8Array([i, i])));
    await end.until(({ pieces }) => pieces.length > 0);
    expect(end.pieces.map((piece) => piece.length)).toEqual([200]);
    dialled.close();
    await end.until(({ reasons }) => reasons.length > 0);
  });

  test("a connection that breaks tells so, without an unhandled error, and once", async () => {
    const { port, accepted } = await acceptOne();
    const socket = rawConnect(port, "127.0.0.1");
    const end = await accepted;
    socket.resetAndDestroy();
    await end.until(({ reasons }) => reasons.length > 0);
    expect(end.reasons).toMatchObject([{ kind: "reset" }]);
    end.connection?.write([new Uint8Array([1])]);
    end.connection?.close();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(end.reasons).toHaveLength(1);
  });

  test("a peer that only shuts its side has ended the connection", async () => {
    const { port, accepted } = await acceptOne();
    const socket = rawConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const end = await accepted;
    socket.end();
    await end.until(({ reasons }) => reasons.length > 0);
    expect(end.reasons).toEqual([{ kind: "ended" }]);
    socket.destroy();
  });

  test("what is received is plain Uint8Arrays, not Buffers, whose slice does not copy", async () => {
    const { port, accepted } = await acceptOne();
    const socket = rawConnect(port, "127.0.0.1");
    socket.write("hello");
    const end = await accepted;
    await end.until(({ pieces }) => pieces.length > 0);
    expect(Object.getPrototypeOf(end.pieces[0])).toBe(Uint8Array.prototype);
    socket.destroy();
    await end.until(({ reasons }) => reasons.length > 0);
  });

  test("an address of another machine is no address to listen on", async () => {
    const listening = network.listen("192.0.2.1:0", () => new End());
    await expect(listening).rejects.toMatchObject({ code: "bad-address" });
  });

  test("an address that another server has is in use, also one that is no part of this", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : 0;
    const listening = network.listen(`127.0.0.1:${port}`, () => new End());
    await expect(listening).rejects.toMatchObject({ code: "address-in-use", message: `127.0.0.1:${port} is in use` });
    server.close();
    await once(server, "close");
  });
});
