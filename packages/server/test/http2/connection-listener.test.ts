import { connect, createServer, type Http2Server } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConnectionListener } from "../../src/http2/connection-listener.js";
import { CONNECTION_OPENING_MS } from "../../src/limits.js";

let http2: Http2Server;
let listener: ConnectionListener;

beforeEach(async () => {
  http2 = createServer();
  http2.on("stream", (stream, headers) => {
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
    stream.on("end", () => {
      stream.respond({ ":status": 200, authority: headers[":authority"] ?? "", bytes: String(bytes) });
      stream.end("x".repeat(bytes));
    });
  });
  listener = await ConnectionListener.open("127.0.0.1:0", (connection) => http2.emit("connection", connection));
});
afterEach(() => {
  listener.close();
  http2.close();
  vi.useRealTimers();
});

interface Answer {
  readonly headers: Record<string, unknown>;
  readonly bytes: number;
}

/** Requests over one connection, all at once. */
async function request(authority: string, bodies: readonly number[]): Promise<Answer[]> {
  const session = connect(`http://${listener.address}`);
  try {
    return await Promise.all(
      bodies.map(
        (body) =>
          new Promise<Answer>((resolve, reject) => {
            const stream = session.request({ ":method": "POST", ":path": "/", ":authority": authority });
            let headers = {};
            let bytes = 0;
            stream.on("response", (received) => (headers = received));
            stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
            stream.on("end", () => resolve({ headers, bytes }));
            stream.on("error", reject);
            stream.end(Buffer.alloc(body));
          }),
      ),
    );
  } finally {
    session.close();
  }
}

const sizes = [0, 1, 100, 70_000, 1_000_000, 5];

describe("a connection, handed over at its first request", () => {
  it.each([
    ["127.0.0.1:2379", "127.0.0.1:2379"],
    ["http://127.0.0.1:2379", "localhost"],
    ["https://some.where:2379", "localhost"],
  ])("to %s works as any other, both ways, for many requests and large ones", async (authority, seen) => {
    const answers = await request(authority, sizes);
    expect(answers.map(({ bytes }) => bytes)).toEqual(sizes);
    for (const { headers } of answers) expect(headers).toMatchObject({ authority: seen });
  });

  it("may wait with it, and is held by nobody afterwards", async () => {
    const session = connect(`http://${listener.address}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    await new Promise<void>((resolve, reject) => session.ping((error) => (error === null ? resolve() : reject(error))));
    const stream = session.request({ ":path": "/" });
    await new Promise((resolve) => stream.once("response", resolve));
    listener.close();
    const later = session.request({ ":path": "/" });
    const headers = await new Promise((resolve) => later.once("response", resolve));
    expect(headers).toMatchObject({ ":status": 200 });
    session.close();
  });
});

describe("a connection that never comes to a request", () => {
  const open = (): Promise<Socket> =>
    new Promise((resolve) => {
      const [host, port] = listener.address.split(":");
      const socket = connectSocket(Number(port), host, () => resolve(socket));
      socket.resume();
      socket.on("error", () => {});
    });
  const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

  it("is closed when it speaks something else", async () => {
    const socket = await open();
    const end = closed(socket);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await expect(end).resolves.toBeUndefined();
  });

  it("is closed when the listener is", async () => {
    const socket = await open();
    const greeted = new Promise((resolve) => socket.once("data", resolve));
    await greeted;
    const end = closed(socket);
    listener.close();
    await expect(end).resolves.toBeUndefined();
  });

  it("is closed when it says nothing for too long", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = await open();
    await new Promise((resolve) => socket.once("data", resolve));
    const end = closed(socket);
    await vi.advanceTimersByTimeAsync(CONNECTION_OPENING_MS);
    await expect(end).resolves.toBeUndefined();
  });
});
