import { silentLogger } from "balsa/platform";
import { nodePlatform } from "balsa/platform/node";
import { DiskStorage } from "balsa/storage";
import { countedFiles, nothingWritten } from "./counted-files.mjs";

/** A member of a cluster that does not exist. */
const whose = /** @type {const} */ ({ clusterId: 2 ** 52, memberId: 2 ** 52 + 1, group: 1, name: "bench" });
/** As RaftNode's default: at this size of the log a snapshot is due. */
const snapshotLogBytes = 64 * 1024 * 1024;
const confState = { voters: [whose.memberId], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
/** Payloads lie side by side, as those that come over the wire do. */
const payloads = 1_024;

/** A log on a disk, and callers that append to it: each again as soon as its last entry is durable. */
export class LogLoad {
  #storage;
  /** @type {import("./counted-files.mjs").Written} */
  written;
  #slab = new Uint8Array(0);
  #entryBytes = 0;
  #lastIndex = 0;
  #appended = 0;
  #inFlight = 0;
  #isStopping = false;
  #isTakingSnapshot = false;
  /** @type {(() => void) | undefined} */
  #onStopped;
  /** @type {Error | undefined} */
  #failure;

  /** @param {DiskStorage} storage @param {import("./counted-files.mjs").Written} written */
  constructor(storage, written) {
    this.#storage = storage;
    this.written = written;
  }

  /** @param {string} dir made anew */
  static async open(dir) {
    const written = nothingWritten();
    const platform = { ...nodePlatform({ logger: silentLogger }), files: countedFiles(written) };
    const storage = await DiskStorage.open({ platform, dir, expect: { kind: "bootstrap", ...whose } });
    return new LogLoad(storage, written);
  }

  /** Entries that have become durable. */
  get appended() {
    return this.#appended;
  }

  /** @param {number} callers @param {number} entryBytes */
  start(callers, entryBytes) {
    this.#isStopping = false;
    if (entryBytes !== this.#entryBytes) {
      this.#entryBytes = entryBytes;
      this.#slab = new Uint8Array(entryBytes * payloads).map((_, i) => (i * 31) & 0xff);
    }
    for (let i = 0; i < callers; i++) this.#append();
  }

  /** Resolves when nothing is under way any more. */
  async stop() {
    this.#isStopping = true;
    if (this.#inFlight > 0) {
      await /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.#onStopped = resolve;
        })
      );
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close() {
    await this.#storage.close();
  }

  #append() {
    const index = ++this.#lastIndex;
    const at = (index % payloads) * this.#entryBytes;
    const data = this.#slab.subarray(at, at + this.#entryBytes);
    this.#inFlight++;
    this.#storage.append(
      {
        hardState: undefined,
        entries: [{ type: "normal", index, term: 1, data, checksum: 0 }],
        snapshot: undefined,
        mustSync: true,
      },
      this.#done,
    );
  }

  /** @param {Error | undefined} error */
  #done = (error) => {
    this.#inFlight--;
    this.#appended++;
    if (error !== undefined) {
      this.#failure = error;
      this.#isStopping = true;
    }
    if (!this.#isStopping) this.#append();
    else if (this.#inFlight === 0) this.#onStopped?.();
    if (this.#storage.logBytes > snapshotLogBytes && !this.#isTakingSnapshot) void this.#takeSnapshot();
  };

  /** A small one: what it costs is another bench's; it lets the log release its segments. */
  async #takeSnapshot() {
    this.#isTakingSnapshot = true;
    try {
      const index = this.#storage.lastIndex();
      const writer = await this.#storage.createSnapshot({ index, term: 1, confState }, new Uint8Array(0));
      await writer.write(new Uint8Array(1_024));
      await writer.commit();
      this.#storage.compact(index);
    } catch (cause) {
      this.#failure = new Error("taking a snapshot", { cause });
      this.#isStopping = true;
    } finally {
      this.#isTakingSnapshot = false;
    }
  }
}
