import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Etcd3 } from "etcd3";
import { freePorts } from "./free-ports.mjs";
import { measure } from "./load.mjs";

const command = fileURLToPath(new URL("../../packages/server/dist/cli/main.js", import.meta.url));
const names = ["a", "b", "c"];

/**
 * Puts through gRPC, from this process to the leader of three `balsa server` processes.
 * @param {string} dir
 * @param {readonly number[]} callers
 * @param {import("./load.mjs").Load} load
 * @param {(callers: number, figures: import("./load.mjs").Figures) => void} report
 */
export async function measureGrpc(dir, callers, load, report) {
  const ports = await freePorts(2 * names.length);
  const members = names.map((name, i) => ({
    name,
    client: `127.0.0.1:${ports[i]}`,
    peer: `http://127.0.0.1:${ports[names.length + i]}`,
  }));
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(",");
  const processes = members.map(({ name, client, peer }) => {
    const urls = ["--listen-client-urls", `http://${client}`, "--advertise-client-urls", `http://${client}`];
    const peerUrls = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer];
    const flags = ["--name", name, "--data-dir", join(dir, name), ...urls, ...peerUrls, "--initial-cluster", cluster];
    return spawn(process.execPath, [command, "server", "--log-level", "warn", ...flags], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  });
  try {
    const leader = await leaderOf(members.map(({ client }) => client));
    const client = connect(`http://${leader}`);
    await once(client, "connect");
    const value = new Uint8Array(load.valueBytes).fill(0x78);
    for (const count of callers) report(count, await measure(count, load, (key) => put(client, key, value)));
    client.close();
  } finally {
    await Promise.all(
      processes.map(async (member) => {
        if (member.exitCode !== null || member.signalCode !== null) return;
        member.kill("SIGKILL");
        await once(member, "exit");
      }),
    );
  }
}

/**
 * The address of the member that says of itself that it leads, once there is one.
 * @param {readonly string[]} addresses
 * @returns {Promise<string>}
 */
async function leaderOf(addresses) {
  const clients = addresses.map((address) => ({ address, client: new Etcd3({ hosts: `http://${address}` }) }));
  const giveUpMs = performance.now() + 30_000;
  try {
    while (performance.now() < giveUpMs) {
      for (const { address, client } of clients) {
        const status = await client.maintenance.status().catch(() => undefined);
        if (status !== undefined && status.leader !== "0" && status.leader === status.header.member_id) return address;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the cluster has no leader after 30 s");
  } finally {
    for (const { client } of clients) client.close();
  }
}

/**
 * etcd's Put as gRPC on HTTP/2 with nothing around it: it shares two CPUs with the cluster, and takes 115 µs of them a
 * call where a client of @grpc/grpc-js takes 270 (an echo, 256 in flight). The answer's bytes are left unread.
 * @param {import("node:http2").ClientHttp2Session} client
 * @param {string} key
 * @param {Uint8Array} value
 * @returns {Promise<void>}
 */
function put(client, key, value) {
  return new Promise((resolve, reject) => {
    const request = client.request(putHeaders);
    let status = "";
    /** @param {import("node:http2").IncomingHttpHeaders} headers */
    const note = (headers) => {
      status = String(headers["grpc-status"] ?? status);
    };
    request.on("response", note);
    request.on("trailers", note);
    request.on("error", reject);
    request.on("close", () => (status === "0" ? resolve() : reject(new Error(`a put ended with status ${status}`))));
    request.resume();
    request.end(framed(encodePutRequest(key, value)));
  });
}

const putHeaders = {
  ":method": "POST",
  ":path": "/etcdserverpb.KV/Put",
  "content-type": "application/grpc",
  te: "trailers",
};

/**
 * A message of gRPC: not compressed, its length, its bytes.
 * @param {Buffer} message
 */
function framed(message) {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, 5);
  return frame;
}

/**
 * PutRequest { bytes key = 1; bytes value = 2; }
 * @param {string} key
 * @param {Uint8Array} value
 * @returns {Buffer}
 */
function encodePutRequest(key, value) {
  const keyBytes = Buffer.from(key);
  return Buffer.concat([encodeBytesHeader(1, keyBytes.length), keyBytes, encodeBytesHeader(2, value.length), value]);
}

/**
 * The tag and the length of a field of bytes shorter than 16 KiB (protobuf's encoding: a varint of seven bits a byte).
 * @param {number} field
 * @param {number} length
 */
function encodeBytesHeader(field, length) {
  const tag = (field << 3) | 2;
  return Buffer.from(length < 0x80 ? [tag, length] : [tag, (length & 0x7f) | 0x80, length >>> 7]);
}
