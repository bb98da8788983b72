import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RaftNode } from "balsa";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { putCommand } from "../machine/commands.js";

/**
 * The directory of a stopped member, the only one of its cluster, with some keys. Remove it afterwards.
 * @param snapshotEvery so many entries; there is at least one with keys in it then
 */
export async function dataDirectory(keys: readonly string[], snapshotEvery?: number): Promise<string> {
  let taken: () => void = () => {};
  const snapshot = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const dir = await mkdtemp(join(tmpdir(), "balsa-cli-"));
  const member = { name: "solo", address: "127.0.0.1:0" };
  const raft = await RaftNode.open({
    dir,
    name: member.name,
    listen: member.address,
    cluster: { bootstrap: { id: "cli", members: [member] } },
    stateMachine: new EtcdState(),
    snapshotLogEntries: snapshotEvery,
    onEvent: ({ kind }) => kind === "snapshot-taken" && taken(),
    keepEntries: 0,
    heartbeatMs: 10,
    electionMs: 50,
  });
  for (const key of keys) await raft.propose(putCommand(key, `value of ${key}`));
  if (snapshotEvery !== undefined) await snapshot;
  await raft.close();
  return dir;
}

/** Flips one bit of the text, in whichever file of the folder it is. */
export async function flipBit(folder: string, text: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const bytes = await readFile(path);
    const at = bytes.lastIndexOf(text);
    if (at === -1) continue;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    return;
  }
  throw new Error(`"${text}" is in no file of ${folder}`);
}
