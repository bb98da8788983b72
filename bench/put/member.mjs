// A process with one member in it: it opens the member when told, says so when it leads, and measures when told.
import { RaftNode } from "balsa";
import { measure } from "./load.mjs";

const utf8 = new TextEncoder();
const text = new TextDecoder();
const acknowledgement = new Uint8Array(0);

/** The least that deserves the name of a key-value store. A command: one byte of key length, the key, the value. */
class KeyValues {
  /** @type {Map<string, Uint8Array>} */
  values = new Map();

  /** @param {readonly import("balsa").Command[]} batch */
  apply(batch) {
    return batch.map(({ data }) => {
      const keyEnd = 1 + (data[0] ?? 0);
      this.values.set(text.decode(data.subarray(1, keyEnd)), data.slice(keyEnd));
      return acknowledgement;
    });
  }

  *snapshot() {
    for (const [key, value] of this.values) {
      const command = encodePut(key, value);
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, command.length);
      yield length;
      yield command;
    }
  }

  /** @param {AsyncIterable<Uint8Array>} content */
  async restore(content) {
    const pieces = [];
    for await (const piece of content) pieces.push(Uint8Array.from(piece));
    const bytes = Buffer.concat(pieces);
    this.values.clear();
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readUInt32BE(at);
      this.apply([{ index: 0, term: 0, data: bytes.subarray(at + 4, end) }]);
      at = end;
    }
  }
}

/**
 * @param {string} key
 * @param {Uint8Array} value
 */
function encodePut(key, value) {
  const keyBytes = utf8.encode(key);
  const command = new Uint8Array(1 + keyBytes.length + value.length);
  command[0] = keyBytes.length;
  command.set(keyBytes, 1);
  command.set(value, 1 + keyBytes.length);
  return command;
}

/**
 * @typedef {{ kind: "open", dir: string, name: string, listen: string, members: { name: string, address: string }[] }} Open
 * @typedef {{ kind: "measure", callers: number, load: import("./load.mjs").Load }} Measure
 *
 * @typedef {{ kind: "leading" } | { kind: "measured", figures: import("./load.mjs").Figures }} Said
 */

/** @type {RaftNode | undefined} */
let raft;

process.on("message", (/** @type {Open | Measure} */ message) => {
  const done = message.kind === "open" ? open(message) : answer(message);
  done.catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
// Without its parent it has nothing to do.
process.on("disconnect", () => process.exit());

/** @param {Open} options */
async function open({ dir, name, listen, members }) {
  raft = await RaftNode.open({
    dir,
    name,
    listen,
    cluster: { bootstrap: { id: "bench-put", members } },
    stateMachine: new KeyValues(),
    onEvent: (event) => {
      if (event.kind === "leader-changed") sayIfLeading();
    },
  });
  sayIfLeading();
}

function sayIfLeading() {
  if (raft?.status().role === "leader") say({ kind: "leading" });
}

/** @param {Said} message */
function say(message) {
  process.send?.(message);
}

/** @param {Measure} request */
async function answer({ callers, load }) {
  const node = raft;
  if (node === undefined) throw new Error("not open yet");
  const value = new Uint8Array(load.valueBytes).fill(0x78);
  const put = (/** @type {string} */ key) => node.propose(encodePut(key, value), { timeoutMs: 10_000 });
  say({ kind: "measured", figures: await measure(callers, load, put) });
}
