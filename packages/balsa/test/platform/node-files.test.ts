import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { File, FileError } from "../../src/platform/index.js";
import { isTransient, toFileError } from "../../src/platform/node/file-error.js";
import { nodeFiles } from "../../src/platform/node/index.js";
import { NodeFile } from "../../src/platform/node/node-file.js";

let dir = "";
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "balsa-files-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function writeAndSync(file: File, position: number, buffers: readonly Uint8Array[]): Promise<FileError | undefined> {
  return new Promise((resolve) => {
    file.writeAndSync(position, buffers, resolve);
  });
}

describe("errors of the system", () => {
  test.each([
    ["ENOENT", "not-found"],
    ["ENOTDIR", "not-found"],
    ["EEXIST", "exists"],
    ["ENOSPC", "full"],
    ["EDQUOT", "full"],
    ["EMFILE", "too-many-open"],
    ["ENFILE", "too-many-open"],
    ["EACCES", "denied"],
    ["EPERM", "denied"],
    ["EROFS", "denied"],
    ["EBADF", "closed"],
    ["EIO", "io"],
    ["EFBIG", "io"],
  ])("%s is %s", (errno, code) => {
    const cause = Object.assign(new Error("what the system said"), { code: errno });
    expect(toFileError(cause, "/x")).toMatchObject({ code, path: "/x", message: "what the system said", cause });
  });

  test("EINTR and EAGAIN are worth another try, nothing else is", () => {
    for (const errno of ["EINTR", "EAGAIN"])
      expect(isTransient(Object.assign(new Error(), { code: errno }))).toBe(true);
    for (const cause of [new Error("EINTR"), "EINTR", undefined, Object.assign(new Error(), { code: "EIO" })]) {
      expect(isTransient(cause)).toBe(false);
    }
  });
});

describe("NodeFile", () => {
  test("a write that fails is told through done, never within the call; the file refuses everything but close", async () => {
    const path = join(dir, "f");
    fs.writeFileSync(path, "old");
    // A descriptor that can't be written to: what a disk that went read-only looks like.
    const file = new NodeFile(path, fs.openSync(path, "r"));
    let hasReturned = false;
    const error = await new Promise<FileError | undefined>((resolve) => {
      file.writeAndSync(0, [new Uint8Array([1])], (failure) => {
        expect(hasReturned).toBe(true);
        resolve(failure);
      });
      hasReturned = true;
    });
    expect(error).toMatchObject({ code: "closed", path });
    await expect(file.read(0, 1)).rejects.toThrow(/failed before/);
    await expect(file.sync()).rejects.toThrow(/failed before/);
    expect((await writeAndSync(file, 0, []))?.message).toMatch(/failed before/);
    await file.close();
    expect(fs.readFileSync(path, "utf8")).toBe("old");
  });

  test.runIf(fs.existsSync("/dev/full"))("a full disk is full, on the loop and in the thread pool", async () => {
    for (const lengthBytes of [10, 2 * 1024 * 1024]) {
      const file = new NodeFile("/dev/full", fs.openSync("/dev/full", "r+"));
      const error = await writeAndSync(file, 0, [new Uint8Array(lengthBytes)]);
      expect(error).toMatchObject({ code: "full", path: "/dev/full" });
      // Nothing was synced, so nothing is in doubt: it may be used further.
      expect((await writeAndSync(file, 0, [new Uint8Array(lengthBytes)]))?.message).not.toMatch(/failed before/);
      expect((await file.read(0, 1)).length).toBe(1);
      await file.close();
    }
  });

  test("close waits for what is under way", async () => {
    const path = join(dir, "f");
    const file = await nodeFiles.open(path, "create");
    const order: string[] = [];
    const large = new Uint8Array(4 * 1024 * 1024).fill(7);
    const written = writeAndSync(file, 0, [large]).then((error) =>
      order.push(error === undefined ? "written" : "failed"),
    );
    const closed = file.close().then(() => order.push("closed"));
    await Promise.all([written, closed]);
    expect(order).toEqual(["written", "closed"]);
    expect(fs.readFileSync(path).equals(large)).toBe(true);
  });

  test("new files and directories are their owner's alone", async () => {
    await nodeFiles.makeDir(join(dir, "d"));
    const file = await nodeFiles.open(join(dir, "d/f"), "create");
    await file.close();
    expect(fs.statSync(join(dir, "d")).mode & 0o777).toBe(0o700);
    expect(fs.statSync(join(dir, "d/f")).mode & 0o777).toBe(0o600);
  });

  test.runIf(process.platform === "linux")(
    "a directory that can't be made is told, where its parent is there but takes none",
    async () => {
      // Node's own way of making parents never ends there.
      await expect(nodeFiles.makeDir("/proc/balsa/data")).rejects.toMatchObject({ code: "not-found" });
    },
  );

  test.runIf(process.platform === "linux")("nothing leaks a descriptor, failures included", async () => {
    const descriptors = (): number => fs.readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let i = 0; i < 20; i += 1) {
      const file = await nodeFiles.open(join(dir, `f${i}`), "create");
      await file.close();
      await nodeFiles.syncDir(dir);
      await expect(nodeFiles.open(dir, "read")).rejects.toMatchObject({ code: "io" });
      await expect(nodeFiles.syncDir(join(dir, `f${i}`))).rejects.toMatchObject({ code: "not-found" });
      await (await nodeFiles.lock(join(dir, "LOCK"))).release();
    }
    expect(descriptors()).toBeLessThanOrEqual(before + 1);
  });
});
