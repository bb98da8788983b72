import { nodeFiles } from "balsa/platform/node";

/**
 * What was written to a disk, apart by what it was for.
 * @typedef {object} Written
 * @property {number} logBytes batches and segment headers
 * @property {number} preparedBytes zeros of spare segments
 * @property {number} snapshotBytes
 * @property {number} syncs of the log
 */

/**
 * Node's files, which count what is written to them.
 * @param {Written} written
 * @returns {import("balsa/platform").FileSystem}
 */
export function countedFiles(written) {
  return {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode);
      const isSnapshot = path.includes("/snapshots/");
      const writeAndSync = file.writeAndSync.bind(file);
      const write = file.write.bind(file);
      file.writeAndSync = (position, buffers, done) => {
        written.logBytes += lengthOf(buffers);
        written.syncs += 1;
        writeAndSync(position, buffers, done);
      };
      file.write = (position, buffers) => {
        written[isSnapshot ? "snapshotBytes" : "preparedBytes"] += lengthOf(buffers);
        return write(position, buffers);
      };
      return file;
    },
  };
}

/** @returns {Written} */
export function nothingWritten() {
  return { logBytes: 0, preparedBytes: 0, snapshotBytes: 0, syncs: 0 };
}

/** @param {readonly Uint8Array[]} buffers */
function lengthOf(buffers) {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.length;
  return bytes;
}
