import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RaftNode } from "balsa";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { range } from "../../src/sim/kv-request.js";
import { putCommand } from "../machine/commands.js";

/**
 * The directory of a stopped member, the only one of its cluster, with some keys. Remove it afterwards.
 * @param snapshotEvery so many entries; there is at least one with keys in it then
 * @param names of the cluster's members; with others than itself it can't be given keys
 */
export async function dataDirectory(
  keys: readonly string[],
  snapshotEvery?: number,
  names: readonly string[] = ["solo"],
): Promise<string> {
  // One may come before the first key: the cluster's own first entries count, too.
  const taken: number[] = [];
  let onTaken: () => void = () => {};
  const dir = await mkdtemp(join(tmpdir(), "balsa-cli-"));
  const members = names.map((name, i) => ({ name, address: `127.0.0.1:${i}` }));
  const raft = await RaftNode.open({
    dir,
    name: "solo",
    listen: "127.0.0.1:0",
    cluster: { bootstrap: { id: "cli", members } },
    stateMachine: new EtcdState(),
    snapshotLogEntries: snapshotEvery,
    onEvent: (event) => {
      if (event.kind !== "snapshot-taken") return;
      taken.push(event.index);
      onTaken();
    },
    keepEntries: 0,
    heartbeatMs: 10,
    electionMs: 50,
  });
  const indexes: number[] = [];
  for (const key of keys) indexes.push((await raft.propose(putCommand(key, `value of ${key}`))).index);
  const first = indexes[0] ?? 0;
  while (snapshotEvery !== undefined && !taken.some((index) => index >= first)) {
    await new Promise<void>((resolve) => {
      onTaken = resolve;
    });
  }
  await raft.close();
  return dir;
}

/** What a member that is alone in its cluster has, started from the directory. */
export async function keysIn(dir: string): Promise<readonly string[]> {
  const state = new EtcdState();
  const raft = await RaftNode.open({
    dir,
    name: "solo",
    listen: "127.0.0.1:0",
    stateMachine: state,
    heartbeatMs: 10,
    electionMs: 50,
  });
  await raft.read();
  await raft.close();
  return state.range(range("\0", { rangeEnd: "\0" })).versions.map(({ key }) => key);
}

/** Flips one bit of the text, in whichever log or snapshot of the folder it is; not in one that was begun only. */
export async function flipBit(folder: string, text: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/\.(log|snapshot)$/.test(name) && (await flipBitIn(join(folder, name), text))) return;
  }
  throw new Error(`"${text}" is in no file of ${folder}`);
}

/** Flips one bit of the text where it comes last in the file. False if it is not in there. */
export async function flipBitIn(path: string, text: string): Promise<boolean> {
  const bytes = await readFile(path);
  const at = bytes.lastIndexOf(text);
  if (at === -1) return false;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
  return true;
}
