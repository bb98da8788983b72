import type { BigIntStats } from "node:fs";
import * as fs from "node:fs";
import { dirname } from "node:path";
import type { File, FileSystem, Lock } from "../index.js";
import { FileError } from "../index.js";
import { toFileError, toSyncError } from "./file-error.js";
import { NodeFile } from "./node-file.js";
import { acquireNodeLock } from "./node-lock.js";

const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;

const OPEN_FLAGS = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT | O_EXCL } as const;

/** A call of `fs` with its callback, as a promise that rejects with `FileError`. */
function settled(path: string, call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? resolve() : reject(toFileError(error, path))));
  });
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, fd) => (error === null ? resolve(fd) : reject(toFileError(error, path))));
  });
}

function statDescriptor(fd: number, path: string): Promise<BigIntStats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, { bigint: true }, (error, stats) =>
      error === null ? resolve(stats) : reject(toFileError(error, path)),
    );
  });
}

async function openFile(path: string, mode: keyof typeof OPEN_FLAGS): Promise<File> {
  const fd = await openDescriptor(path, OPEN_FLAGS[mode]);
  try {
    // A directory can be opened for reading; it is no file all the same.
    if (!(await statDescriptor(fd, path)).isFile()) throw new FileError("io", path, `${path} is not a file`);
  } catch (error) {
    await settled(path, (done) => fs.close(fd, done));
    throw error;
  }
  return new NodeFile(path, fd);
}

async function syncDirectory(path: string): Promise<void> {
  const fd = await openDescriptor(path, O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    await settled(path, (done) => {
      fs.fsync(fd, (error) => done(error && toSyncError(error, path)));
    });
  } finally {
    await settled(path, (done) => fs.close(fd, done));
  }
}

/** One directory; content with one that is there. */
function makeOne(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.mkdir(path, { mode: 0o700 }, (error) => {
      if (error === null) resolve();
      else if (error.code !== "EEXIST") reject(toFileError(error, path));
      else
        fs.stat(path, (_missing, stats) => {
          if (stats?.isDirectory()) resolve();
          else reject(toFileError(error, path));
        });
    });
  });
}

/**
 * Parents first, where they are missing. Not by Node's `recursive`: where a system says that there is no such directory though
 * the parent is there, as in /proc, that goes round and round in the thread pool for ever (Node 20).
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (cause) {
    const parent = dirname(path);
    if (!(cause instanceof FileError) || cause.code !== "not-found" || parent === path) throw cause;
    await makeDirectory(parent);
    await makeOne(path);
  }
}

/** The operating system's files. Created for their owner only. */
export const nodeFiles: FileSystem = {
  makeDir: makeDirectory,

  list: (path: string): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      fs.readdir(path, (error, names) =>
        error === null ? resolve(names.toSorted()) : reject(toFileError(error, path)),
      );
    }),

  open: openFile,

  rename: (from: string, to: string): Promise<void> => settled(from, (done) => fs.rename(from, to, done)),

  remove: (path: string): Promise<void> => settled(path, (done) => fs.unlink(path, done)),

  syncDir: syncDirectory,

  lock: (path: string): Promise<Lock> => acquireNodeLock(path),
};
