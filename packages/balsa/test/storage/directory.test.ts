import { expect, test } from "vitest";
import { crc32c } from "../../src/codec/index.js";
import type { BalsaError } from "../../src/core/index.js";
import { FileError, type FileErrorCode } from "../../src/platform/index.js";
import {
  type Damage,
  DamagedDirectory,
  type ExpectedIdentity,
  readLog,
  verifyDirectory,
} from "../../src/storage/index.js";
import { RecordedFiles } from "./recorded-files.js";
import {
  append,
  BOOTSTRAP,
  codeOf,
  DIR,
  entries,
  hardState,
  openStorage,
  platformOn,
  takeSnapshot,
} from "./storages.js";

const META = {
  index: 1,
  term: 1,
  confState: { voters: [2 ** 52 + 1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
};
const EXISTING = { ...BOOTSTRAP, kind: "existing" } as const;

async function filled(): Promise<RecordedFiles> {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  await append(storage, { entries: entries(1, 3, 1) });
  await storage.close();
  return files;
}

function put(files: RecordedFiles, path: string, bytes: Uint8Array): void {
  const file = files.disk.open(path, "create");
  file.write(files.disk.nextSequence(), 0, bytes);
}

function names(files: RecordedFiles, dir: string): readonly string[] {
  return files.disk.list(dir).filter((name) => !name.endsWith(".spare"));
}

test("a directory is one process' at a time", async () => {
  const files = new RecordedFiles();
  const storage = await openStorage(files);
  expect(await codeOf(openStorage(files))).toBe("locked");
  await storage.close();
  await (await openStorage(files)).close();
});

test.each<[string, ExpectedIdentity]>([
  ["cluster", { ...BOOTSTRAP, clusterId: 2 ** 52 + 99 }],
  ["member", { ...EXISTING, memberId: 2 ** 52 + 99 }],
  ["group", { ...BOOTSTRAP, group: 2 }],
  ["name", { ...BOOTSTRAP, name: "b" }],
  ["name, of a member that exists", { ...EXISTING, name: "b" }],
  ["cluster, of a member that exists", { ...EXISTING, clusterId: 2 ** 52 + 99 }],
])("another %s is refused, and nothing is touched", async (_what, identity) => {
  const files = await filled();
  const steps = files.journal.length;
  expect(await codeOf(openStorage(files, { expect: identity }))).toBe("identity-mismatch");
  expect(files.journal.slice(steps)).toEqual([]);
  await (await openStorage(files)).close();
});

test("a first member that lost its directory and joined again has another ID, and opens as the first member it was", async () => {
  const files = await filled();
  const storage = await openStorage(files, { expect: { ...BOOTSTRAP, memberId: 2 ** 52 + 99 } });
  expect(storage.identity.memberId).toBe(BOOTSTRAP.memberId);
  await storage.close();
});

test("one that joins is asked who it is when there is nothing yet, and only then", async () => {
  const files = new RecordedFiles();
  let asked = 0;
  const identity: ExpectedIdentity = {
    kind: "join",
    group: 1,
    name: "a",
    replaces: 0,
    obtain: async () => ({ clusterId: 2 ** 52 + 17, memberId: 2 ** 52 + ++asked, incarnation: 4711 }),
  };
  for (let life = 0; life < 2; life++) {
    const storage = await openStorage(files, { expect: identity });
    expect(storage.identity).toMatchObject({ memberId: 2 ** 52 + 1, incarnation: 4711, name: "a" });
    await storage.close();
  }
  expect(asked).toBe(1);
});

const EXISTING_A: ExpectedIdentity = { kind: "existing", group: 1, name: "a" };

/** What a repair would find: nothing, too, where no member is. */
async function damagesOf(files: RecordedFiles): Promise<readonly Damage[]> {
  try {
    const directory = await DamagedDirectory.open({ platform: platformOn(files), dir: DIR, expect: EXISTING_A });
    await directory.close();
    return directory.damages;
  } catch (cause) {
    expect(cause).toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("holds no member's data"),
    });
    return [];
  }
}

test("a directory that has promised nothing is replaced, and one whose replacement broke off anywhere is", async () => {
  const replacing = (incarnation: number): ExpectedIdentity => ({
    kind: "join",
    group: 1,
    name: "a",
    replaces: incarnation,
    obtain: async () => ({ clusterId: 2 ** 52 + 17, memberId: 2 ** 52 + 99, incarnation: 4711 }),
  });
  const started = async (): Promise<{ files: RecordedFiles; incarnation: number }> => {
    const files = new RecordedFiles();
    const storage = await openStorage(files);
    const { incarnation } = storage.identity;
    const writer = await storage.createSnapshot(META, new Uint8Array(3));
    await writer.commit();
    await storage.close();
    return { files, incarnation };
  };
  const { files, incarnation } = await started();
  const storage = await openStorage(files, { expect: replacing(incarnation) });
  expect(storage.identity).toMatchObject({ memberId: 2 ** 52 + 99, incarnation: 4711 });
  expect(storage.snapshot().meta.index).toBe(0);
  expect(storage.lastIndex()).toBe(0);
  await storage.close();
  expect(await codeOf(openStorage(files, { expect: { ...EXISTING, memberId: BOOTSTRAP.memberId } }))).toBe(
    "identity-mismatch",
  );

  // Wherever it breaks off, the next attempt goes through.
  for (let calls = 0; ; calls++) {
    const { files: breaking, incarnation: old } = await started();
    let left = calls;
    breaking.fault = (_kind, path) => (left-- > 0 ? undefined : new FileError("io", path, "broken off"));
    const attempt = await openStorage(breaking, { expect: replacing(old) }).then(
      (opened) => opened,
      () => undefined,
    );
    breaking.fault = undefined;
    await attempt?.close();
    // What it leaves behind is no damaged member: with nothing in its log it would ask its peers for all that it had.
    expect(await damagesOf(breaking)).toEqual([]);
    const again = await openStorage(breaking, { expect: replacing(old) });
    expect(again.identity.memberId).toBe(2 ** 52 + 99);
    expect(again.lastIndex()).toBe(0);
    await again.close();
    if (attempt !== undefined) break;
  }
});

test("the identity is drawn once, and another directory's is another", async () => {
  const files = await filled();
  const first = (await readLog(files, DIR)).identity;
  expect(first).toMatchObject({
    clusterId: 2 ** 52 + 17,
    memberId: 2 ** 52 + 1,
    group: 1,
    name: "a",
    formatVersion: 1,
  });
  expect(first.incarnation).toBeGreaterThan(0);
  const storage = await openStorage(files, { expect: { kind: "existing", group: 1, name: "a" } });
  expect(storage.identity).toEqual(first);
  await storage.close();
});

test("a segment of another directory is refused", async () => {
  const files = await filled();
  const other = await openStorage(files, { dir: "/data/b", expect: { ...BOOTSTRAP, memberId: 2 ** 52 + 2 } });
  await append(other, { entries: entries(1, 3, 1) });
  await other.close();
  const [mine] = names(files, `${DIR}/log`);
  const [theirs] = names(files, "/data/b/log");
  files.disk.rename(`/data/b/log/${theirs}`, `${DIR}/log/${mine}`);
  expect(await codeOf(openStorage(files))).toBe("identity-mismatch");
});

test.each(["identity", "log", "snapshots"])(
  "a later version of the %s is refused as such, not as damage",
  async (what) => {
    const files = await filled();
    const storage = await openStorage(files);
    // One that the log could do without.
    await append(storage, { hardState: hardState(1, 0, 2) });
    await takeSnapshot(storage, 2, 1);
    await storage.close();
    const path = what === "identity" ? `${DIR}/identity` : `${DIR}/${what}/${names(files, `${DIR}/${what}`)[0]}`;
    const file = files.disk.open(path, "write");
    const bytes = file.read(0, file.sizeBytes);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 2, true);
    const headerBytes = view.getUint32(12, true);
    view.setInt32(16, crc32c(bytes, 20, headerBytes, crc32c(bytes, 0, 16, 0)), true);
    file.write(files.disk.nextSequence(), 0, bytes);
    await expect(openStorage(files)).rejects.toMatchObject({ code: "identity-mismatch" });
    await expect(openStorage(files)).rejects.toThrow("later version");
    await expect(verifyDirectory(files, DIR)).rejects.toMatchObject({ code: "identity-mismatch" });
  },
);

test.each<FileErrorCode>(["too-many-open", "full", "denied"])(
  "a snapshot that can't be read for want of something else (%s) is not damaged",
  async (code) => {
    const files = await filled();
    const storage = await openStorage(files);
    await append(storage, { hardState: hardState(1, 0, 2) });
    await takeSnapshot(storage, 2, 1);
    await storage.close();
    for (const use of [async () => (await openStorage(files)).close(), () => verifyDirectory(files, DIR)]) {
      let reads = 0;
      let failAt = -1;
      files.fault = (kind, path) => {
        if (!path.endsWith(".snapshot") || !["open", "sizeBytes", "read"].includes(kind)) return undefined;
        return reads++ === failAt ? new FileError(code, path, `injected at ${kind}`) : undefined;
      };
      await use();
      const all = reads;
      expect(all).toBeGreaterThan(3);
      for (failAt = 0; failAt < all; failAt++) {
        reads = 0;
        const said: unknown = await use().catch((cause: unknown) => (cause as FileError | BalsaError).code);
        expect([code, "storage-failed", "disk-full"]).toContain(said);
      }
    }
  },
);

test("what crashes left unfinished is removed, what is unknown is left alone", async () => {
  const files = await filled();
  const left = [
    `${DIR}/log/0000000000000099.log.tmp`,
    `${DIR}/snapshots/0000000000000007-0000000000000001.snapshot.tmp-3`,
  ];
  const unknown = [
    `${DIR}/notes.txt`,
    `${DIR}/log/7.log`,
    `${DIR}/log/old.log.tmp`,
    `${DIR}/snapshots/latest.snapshot`,
  ];
  for (const path of [...left, ...unknown]) put(files, path, new Uint8Array([1]));
  await (await openStorage(files)).close();
  const all = [DIR, `${DIR}/log`, `${DIR}/snapshots`].flatMap((dir) =>
    names(files, dir).map((name) => `${dir}/${name}`),
  );
  for (const path of left) expect(all).not.toContain(path);
  for (const path of unknown) expect(all).toContain(path);
});

test("restarts do not pile up files", async () => {
  const files = await filled();
  for (let i = 0; i < 5; i++) await (await openStorage(files)).close();
  expect(names(files, `${DIR}/log`).length).toBe(2);
  expect((await readLog(files, DIR)).entries.length).toBe(3);
});

test("opening what is not there says so, and makes nothing", async () => {
  const files = new RecordedFiles();
  expect(await codeOf(openStorage(files, { expect: EXISTING }))).toBe("invalid-argument");
  files.disk.makeDir(DIR);
  expect(await codeOf(openStorage(files, { expect: EXISTING }))).toBe("invalid-argument");
  expect(files.journal).toEqual([]);
});

test("a directory with something else in it is not filled", async () => {
  const files = new RecordedFiles();
  files.disk.makeDir(DIR);
  put(files, `${DIR}/thesis.pdf`, new Uint8Array([1]));
  expect(await codeOf(openStorage(files))).toBe("invalid-argument");
  expect(names(files, DIR)).toEqual(["thesis.pdf"]);
});

test("a log whose identity is lost is not overwritten", async () => {
  const files = await filled();
  files.disk.remove(`${DIR}/identity`);
  const before = names(files, `${DIR}/log`);
  expect(await codeOf(openStorage(files))).toBe("invalid-argument");
  expect(names(files, `${DIR}/log`)).toEqual(before);
});

test("an identity whose log is lost is corruption", async () => {
  const files = await filled();
  for (const name of names(files, `${DIR}/log`)) files.disk.remove(`${DIR}/log/${name}`);
  expect(await codeOf(openStorage(files))).toBe("corrupt");
});

test("options are checked before anything is touched", async () => {
  const files = new RecordedFiles();
  expect(await codeOf(openStorage(files, { segmentBytes: 1 }))).toBe("invalid-argument");
  expect(await codeOf(openStorage(files, { expect: { ...BOOTSTRAP, name: "" } }))).toBe("invalid-argument");
  expect(files.journal).toEqual([]);
});
