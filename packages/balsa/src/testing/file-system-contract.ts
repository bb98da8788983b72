import type { File, FileSystem } from "../platform/index.js";
import { FileError } from "../platform/index.js";
import type { ContractCase } from "./contract-case.js";
import { ContractError } from "./contract-case.js";
import { expectBytes, expectEqual, expectRejection, expectTrue } from "./expectation.js";

export interface FileSystemSubject {
  readonly files: FileSystem;
  /** A directory that exists and is empty; each case gets its own. */
  readonly dir: string;
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

function writeAndSync(file: File, position: number, buffers: readonly Uint8Array[]): Promise<FileError | undefined> {
  return new Promise((resolve) => {
    file.writeAndSync(position, buffers, resolve);
  });
}

async function create(subject: FileSystemSubject, name: string, content: Uint8Array): Promise<string> {
  const path = `${subject.dir}/${name}`;
  const file = await subject.files.open(path, "create");
  await file.write(0, [content]);
  await file.sync();
  await file.close();
  return path;
}

async function contentOf(subject: FileSystemSubject, path: string): Promise<Uint8Array> {
  const file = await subject.files.open(path, "read");
  const content = await file.read(0, await file.sizeBytes());
  await file.close();
  return content;
}

const names: readonly ContractCase<FileSystemSubject>[] = [
  {
    name: "makeDir creates missing parents and is content with what exists",
    async run({ files, dir }) {
      await files.makeDir(`${dir}/a/b/c`);
      await files.makeDir(`${dir}/a/b/c`);
      expectEqual(await files.list(`${dir}/a/b`), ["c"], "names");
      expectEqual(await files.list(`${dir}/a/b/c`), [], "names in the new directory");
    },
  },
  {
    name: "makeDir over a file is refused as exists",
    async run(subject) {
      const path = await create(subject, "f", bytes(1));
      await expectRejection(subject.files.makeDir(path), "exists", "makeDir over a file");
    },
  },
  {
    name: "list gives files and directories, sorted by code unit, and nothing from below",
    async run(subject) {
      for (const name of ["b", "a", "B", "10", "9"]) await create(subject, name, bytes(1));
      await subject.files.makeDir(`${subject.dir}/dir/below`);
      expectEqual(await subject.files.list(subject.dir), ["10", "9", "B", "a", "b", "dir"], "names");
    },
  },
  {
    name: "what does not exist is not-found: listing, opening, renaming, removing, syncing, locking in it",
    async run({ files, dir }) {
      const nowhere = `${dir}/nowhere`;
      await expectRejection(files.list(nowhere), "not-found", "list");
      await expectRejection(files.open(nowhere, "read"), "not-found", "open for reading");
      await expectRejection(files.open(nowhere, "write"), "not-found", "open for writing");
      await expectRejection(files.open(`${nowhere}/f`, "create"), "not-found", "create in it");
      await expectRejection(files.rename(nowhere, `${dir}/x`), "not-found", "rename");
      await expectRejection(files.remove(nowhere), "not-found", "remove");
      await expectRejection(files.syncDir(nowhere), "not-found", "syncDir");
      await expectRejection(files.lock(`${nowhere}/LOCK`), "not-found", "lock");
    },
  },
  {
    name: "errors are FileErrors that name the path",
    async run({ files, dir }) {
      const error = await expectRejection(files.open(`${dir}/nowhere`, "read"), "not-found", "open");
      expectTrue(error instanceof FileError && error.path === `${dir}/nowhere`, "the error must be one and name it");
    },
  },
  {
    name: "create refuses what exists and leaves it as it is",
    async run(subject) {
      const path = await create(subject, "f", bytes(1, 2));
      await expectRejection(subject.files.open(path, "create"), "exists", "create");
      expectBytes(await contentOf(subject, path), [1, 2], "content");
    },
  },
  {
    name: "a directory cannot be opened as a file",
    async run({ files, dir }) {
      await expectRejection(files.open(dir, "read"), "io", "open");
    },
  },
  {
    name: "rename replaces the file of that name; an open one keeps its content",
    async run(subject) {
      const from = await create(subject, "from", bytes(1));
      const to = await create(subject, "to", bytes(2));
      const open = await subject.files.open(to, "read");
      await subject.files.rename(from, to);
      await subject.files.syncDir(subject.dir);
      expectEqual(await subject.files.list(subject.dir), ["to"], "names");
      expectBytes(await contentOf(subject, to), [1], "content under the name");
      expectBytes(await open.read(0, 10), [2], "content of the file that was open");
      await open.close();
    },
  },
  {
    name: "rename moves between directories",
    async run(subject) {
      const from = await create(subject, "f", bytes(7));
      await subject.files.makeDir(`${subject.dir}/below`);
      await subject.files.rename(from, `${subject.dir}/below/g`);
      expectEqual(await subject.files.list(subject.dir), ["below"], "names left");
      expectBytes(await contentOf(subject, `${subject.dir}/below/g`), [7], "content");
    },
  },
  {
    name: "remove takes the name away; an open file lives on until it is closed",
    async run(subject) {
      const path = await create(subject, "f", bytes(1, 2, 3));
      const open = await subject.files.open(path, "write");
      await subject.files.remove(path);
      expectEqual(await subject.files.list(subject.dir), [], "names");
      await open.write(3, [bytes(4)]);
      expectBytes(await open.read(0, 10), [1, 2, 3, 4], "content");
      await open.close();
      await expectRejection(subject.files.open(path, "read"), "not-found", "open");
    },
  },
];

const content: readonly ContractCase<FileSystemSubject>[] = [
  {
    name: "what was written is read back; a read is short only at the end of the file",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await file.write(0, [bytes(1, 2), bytes(), bytes(3), bytes(4, 5, 6)]);
      expectEqual(await file.sizeBytes(), 6, "size");
      expectBytes(await file.read(0, 6), [1, 2, 3, 4, 5, 6], "all");
      expectBytes(await file.read(1, 3), [2, 3, 4], "the middle");
      expectBytes(await file.read(4, 100), [5, 6], "over the end");
      expectBytes(await file.read(6, 1), [], "at the end");
      expectBytes(await file.read(100, 1), [], "beyond the end");
      expectBytes(await file.read(0, 0), [], "nothing");
      await file.close();
    },
  },
  {
    name: "write overwrites in place, and a gap is zeros",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await file.write(0, [bytes(1, 1, 1, 1)]);
      await file.write(1, [bytes(2, 2)]);
      await file.write(6, [bytes(3)]);
      expectBytes(await file.read(0, 10), [1, 2, 2, 1, 0, 0, 3], "content");
      await file.close();
    },
  },
  {
    name: "opening to write keeps what is there",
    async run(subject) {
      const path = await create(subject, "f", bytes(1, 2, 3));
      const file = await subject.files.open(path, "write");
      await file.write(2, [bytes(9, 9)]);
      await file.close();
      expectBytes(await contentOf(subject, path), [1, 2, 9, 9], "content");
    },
  },
  {
    name: "truncate cuts, and grows with zeros, also where there were bytes before",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await file.write(0, [bytes(1, 2, 3, 4)]);
      await file.truncate(1);
      expectEqual(await file.sizeBytes(), 1, "size after the cut");
      await file.truncate(3);
      expectBytes(await file.read(0, 10), [1, 0, 0], "content after growing");
      await file.close();
    },
  },
  {
    name: "bytes read are the caller's: later writes don't change them, nor changing them the file",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await file.write(0, [bytes(1, 2)]);
      const read = await file.read(0, 2);
      await file.write(0, [bytes(8, 9)]);
      expectBytes(read, [1, 2], "what was read before");
      read.fill(7);
      expectBytes(await file.read(0, 2), [8, 9], "the file");
      await file.close();
    },
  },
  {
    name: "many buffers and many bytes go in one write",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      const many = Array.from({ length: 3000 }, (_, i) => bytes(i & 0xff, i >> 8));
      await file.write(0, many);
      const large = new Uint8Array(3 * 1024 * 1024).map((_, i) => (i * 7 + (i >>> 13)) & 0xff);
      expectTrue((await writeAndSync(file, 6000, [large, bytes(5)])) === undefined, "the write must succeed");
      expectEqual(await file.sizeBytes(), 6000 + large.length + 1, "size");
      expectBytes(await file.read(2998 * 2, 4), [2998 & 0xff, 2998 >> 8, 2999 & 0xff, 2999 >> 8], "the last of many");
      const read = await file.read(6000, large.length);
      expectTrue(
        read.length === large.length && read.every((byte, i) => byte === large[i]),
        "the large one must agree",
      );
      await file.close();
    },
  },
];

const syncing: readonly ContractCase<FileSystemSubject>[] = [
  {
    name: "writeAndSync writes all its buffers in a row and calls done once, not before it returns",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      let calls = 0;
      let hasReturned = false;
      await new Promise<void>((resolve, reject) => {
        file.writeAndSync(2, [bytes(1), bytes(2, 3), bytes()], (error) => {
          calls += 1;
          if (error !== undefined) reject(error);
          else if (!hasReturned) reject(new ContractError("done before writeAndSync returned"));
          else resolve();
        });
        hasReturned = true;
      });
      expectBytes(await file.read(0, 10), [0, 0, 1, 2, 3], "content");
      expectEqual(calls, 1, "calls of done");
      await file.close();
    },
  },
  {
    name: "writeAndSync may be called again from done, and of nothing at all",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await new Promise<void>((resolve, reject) => {
        file.writeAndSync(0, [bytes(1)], (first) => {
          file.writeAndSync(1, [bytes(2)], (second) => {
            file.writeAndSync(2, [], (third) => {
              const error = first ?? second ?? third;
              if (error === undefined) resolve();
              else reject(error);
            });
          });
        });
      });
      expectBytes(await file.read(0, 10), [1, 2], "content");
      await file.close();
    },
  },
  {
    name: "a second writeAndSync on a file while one is under way is refused",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      const first = writeAndSync(file, 0, [bytes(1)]);
      let isRefused = false;
      try {
        file.writeAndSync(1, [bytes(2)], () => {});
      } catch {
        isRefused = true;
      }
      expectTrue(isRefused, "it must throw");
      expectTrue((await first) === undefined, "the first must not suffer");
      await file.close();
    },
  },
  {
    name: "writeAndSync on different files at once",
    async run({ files, dir }) {
      const opened = await Promise.all(["a", "b", "c"].map((name) => files.open(`${dir}/${name}`, "create")));
      const errors = await Promise.all(opened.map((file, i) => writeAndSync(file, 0, [bytes(i)])));
      expectTrue(
        errors.every((error) => error === undefined),
        "all must succeed",
      );
      for (const [i, file] of opened.entries()) expectBytes(await file.read(0, 2), [i], "content");
      await Promise.all(opened.map((file) => file.close()));
    },
  },
  {
    name: "sync and syncDir of what has not changed succeed",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      await file.sync();
      await file.sync();
      await files.syncDir(dir);
      await file.close();
    },
  },
  {
    name: "nothing can be done with a closed file; closing twice is closing once",
    async run({ files, dir }) {
      const file = await files.open(`${dir}/f`, "create");
      const underWay = file.write(0, [bytes(1)]);
      const closing = file.close();
      await expectRejection(file.sync(), "closed", "sync after close was called");
      await underWay;
      await closing;
      await file.close();
      await expectRejection(file.read(0, 1), "closed", "read");
      await expectRejection(file.write(0, [bytes(1)]), "closed", "write");
      await expectRejection(file.sizeBytes(), "closed", "sizeBytes");
      await expectRejection(file.truncate(0), "closed", "truncate");
      expectEqual((await writeAndSync(file, 0, [bytes(1)]))?.code, "closed", "writeAndSync");
    },
  },
  {
    name: "a file opened to read cannot be written",
    async run(subject) {
      const path = await create(subject, "f", bytes(1));
      const file = await subject.files.open(path, "read");
      let isRefused = false;
      try {
        await file.write(0, [bytes(2)]);
      } catch (error) {
        isRefused = error instanceof FileError;
      }
      expectTrue(isRefused, "it must reject with a FileError");
      await file.close();
      expectBytes(await contentOf(subject, path), [1], "content");
    },
  },
];

const locking: readonly ContractCase<FileSystemSubject>[] = [
  {
    name: "a lock excludes another holder until it is released, by whatever path",
    async run({ files, dir }) {
      await files.makeDir(`${dir}/below`);
      const lock = await files.lock(`${dir}/LOCK`);
      await expectRejection(files.lock(`${dir}/LOCK`), "locked", "the same path");
      await expectRejection(files.lock(`${dir}/below/../LOCK`), "locked", "another path to it");
      await lock.release();
      await (await files.lock(`${dir}/LOCK`)).release();
    },
  },
  {
    name: "locks on different paths have nothing to do with each other",
    async run({ files, dir }) {
      await files.makeDir(`${dir}/below`);
      const paths = ["LOCK", "LOCK2", "below/LOCK", "long".repeat(40), "ünïcode"];
      const locks = await Promise.all(paths.map((path) => files.lock(`${dir}/${path}`)));
      await Promise.all(locks.map((lock) => lock.release()));
    },
  },
];

/** What `FileSystem` and `File` promise while nothing crashes. */
export const fileSystemContract: readonly ContractCase<FileSystemSubject>[] = [
  ...names,
  ...content,
  ...syncing,
  ...locking,
];
