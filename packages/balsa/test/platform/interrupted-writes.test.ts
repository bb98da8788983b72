import type * as NodeFs from "node:fs";
import * as fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FileError } from "../../src/platform/index.js";
import { nodeFiles } from "../../src/platform/node/node-files.js";

/** How the system behaves from now on. */
const system = vi.hoisted(() => ({ bytesAtOnce: Number.POSITIVE_INFINITY, interrupts: 0, syncErrno: "" }));

function failing(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}

/** The first bytes of the buffers, as many as the system takes at once. */
function taken(buffers: readonly NodeJS.ArrayBufferView[]): NodeJS.ArrayBufferView[] {
  const whole = Buffer.concat(buffers as readonly Uint8Array[]);
  return [whole.subarray(0, Math.min(whole.length, system.bytesAtOnce))];
}

vi.mock("node:fs", async (original) => {
  const real = await original<typeof NodeFs>();
  return {
    ...real,
    writevSync: (fd: number, buffers: readonly NodeJS.ArrayBufferView[], position: number): number => {
      if (system.interrupts-- > 0) throw failing("EINTR");
      return real.writevSync(fd, taken(buffers), position);
    },
    writev: (
      fd: number,
      buffers: readonly NodeJS.ArrayBufferView[],
      position: number,
      done: (error: Error | null, count: number) => void,
    ): void => {
      if (system.interrupts-- > 0) setImmediate(done, failing("EINTR"), 0);
      else real.writev(fd, taken(buffers), position, done);
    },
    fdatasync: (fd: number, done: (error: Error | null) => void): void => {
      if (system.syncErrno === "") real.fdatasync(fd, done);
      else setImmediate(done, failing(system.syncErrno));
    },
    fsync: (fd: number, done: (error: Error | null) => void): void => {
      if (system.syncErrno === "") real.fsync(fd, done);
      else setImmediate(done, failing(system.syncErrno));
    },
  };
});

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-interrupted-"));
  Object.assign(system, { bytesAtOnce: Number.POSITIVE_INFINITY, interrupts: 0, syncErrno: "" });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Large enough not to be written on the loop. */
const LARGE = 2 * 1024 * 1024;

test.each([
  ["on the loop", 1_000, 7],
  ["in the thread pool", LARGE, 100_000],
])(
  "F4 writes %s loop on short counts and on interruptions, until all is there",
  async (_where, lengthBytes, atOnce) => {
    const file = await nodeFiles.open(join(dir, "f"), "create");
    const pieces = [1, 2, 3].map((value) => new Uint8Array(lengthBytes / 2).fill(value));
    system.bytesAtOnce = atOnce;
    system.interrupts = 3;
    const error = await new Promise<FileError | undefined>((resolve) => {
      file.writeAndSync(5, pieces, resolve);
    });
    expect(error).toBeUndefined();
    system.interrupts = 3;
    await file.write(5 + 1.5 * lengthBytes, pieces);
    await file.close();
    const whole = Buffer.concat(pieces);
    expect(fs.readFileSync(join(dir, "f")).equals(Buffer.concat([new Uint8Array(5), whole, whole]))).toBe(true);
  },
);

test("F4 a system that writes nothing and says so for ever is an error, not a loop without end", async () => {
  const file = await nodeFiles.open(join(dir, "f"), "create");
  system.interrupts = Number.POSITIVE_INFINITY;
  const error = await new Promise<FileError | undefined>((resolve) => {
    file.writeAndSync(0, [new Uint8Array(3)], resolve);
  });
  expect(error?.code).toBe("io");
  await file.close();
});

test.each(["ENOSPC", "EDQUOT", "EIO"])(
  "F1 a sync that fails with %s is final: no room that comes later helps",
  async (errno) => {
    const file = await nodeFiles.open(join(dir, "f"), "create");
    system.syncErrno = errno;
    const error = await new Promise<FileError | undefined>((resolve) => {
      file.writeAndSync(0, [new Uint8Array(3)], resolve);
    });
    expect(error?.code).toBe("io");
    system.syncErrno = "";
    await expect(file.sync()).rejects.toThrow("failed before");
    await file.close();
  },
);

test.each(["ENOSPC", "EDQUOT", "EIO"])(
  "F1 a sync of a directory that fails with %s is no lack of room that might end",
  async (errno) => {
    system.syncErrno = errno;
    await expect(nodeFiles.syncDir(dir)).rejects.toMatchObject({ code: "io", path: dir });
    system.syncErrno = "";
    await nodeFiles.syncDir(dir);
  },
);
