import * as fs from "node:fs";

const fileBytes = 16 * 1024 * 1024;

/**
 * The yardstick: one write and one fdatasync after the other, overwriting a prepared file, by callbacks. The loop waits
 * for no sync.
 */
export class RawSyncs {
  #fd;
  #buffer;
  #position = 0;
  #isStopping = false;
  /** Syncs that have returned. */
  syncs = 0;
  /** @type {((error?: Error) => void) | undefined} */
  #onStopped;

  /** @param {string} path @param {number} writeBytes of each write */
  constructor(path, writeBytes) {
    this.#fd = fs.openSync(path, "w");
    this.#buffer = new Uint8Array(writeBytes).fill(0x5a);
    fs.writeSync(this.#fd, new Uint8Array(fileBytes), 0, fileBytes, 0);
    fs.fsyncSync(this.#fd);
  }

  start() {
    this.#isStopping = false;
    this.#next();
  }

  /** @returns {Promise<void>} */
  stop() {
    return new Promise((resolve, reject) => {
      this.#isStopping = true;
      this.#onStopped = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  close() {
    fs.closeSync(this.#fd);
  }

  #next() {
    if (this.#position + this.#buffer.length > fileBytes) this.#position = 0;
    fs.writeSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#position);
    this.#position += this.#buffer.length;
    fs.fdatasync(this.#fd, this.#synced);
  }

  /** @param {Error | null} error */
  #synced = (error) => {
    if (error !== null) {
      this.#onStopped?.(error);
      return;
    }
    this.syncs += 1;
    if (this.#isStopping) this.#onStopped?.();
    else this.#next();
  };
}
