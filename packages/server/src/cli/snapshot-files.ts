import { nodeFiles } from "balsa/platform/node";
import { type ScannedSnapshot, scanSnapshots } from "balsa/storage";
import { EXIT } from "./exit-code.js";
import { type TextOutput, table } from "./text-output.js";
import { hex, inOperatorsWords, type WalFlags } from "./wal.js";

/** A line a snapshot, every block of it verified; fails if any is damaged. */
export async function snapshotVerify(dir: string, flags: WalFlags, io: TextOutput): Promise<number> {
  const all = await scanAll(dir);
  if (flags.json) io.out(`${JSON.stringify(all.map(jsonOf))}\n`);
  else {
    const rows = all.map((one) => [
      String(one.index),
      String(one.term),
      one.kind === "sound" ? String(one.fileBytes) : "?",
      one.kind === "sound" ? "sound" : `DAMAGED: ${one.reason}`,
    ]);
    io.out(table([["INDEX", "TERM", "BYTES", ""], ...rows]));
  }
  return all.every(({ kind }) => kind === "sound") ? EXIT.ok : EXIT.failure;
}

/** What each snapshot says of itself. */
export async function snapshotInspect(dir: string, flags: WalFlags, io: TextOutput): Promise<number> {
  const all = await scanAll(dir);
  if (flags.json) io.out(`${JSON.stringify(all.map(jsonOf))}\n`);
  else for (const one of all) io.out(textOf(one));
  return all.every(({ kind }) => kind === "sound") ? EXIT.ok : EXIT.failure;
}

function scanAll(dir: string): Promise<readonly ScannedSnapshot[]> {
  return inOperatorsWords(dir, async () => {
    const all: ScannedSnapshot[] = [];
    for await (const one of scanSnapshots(nodeFiles, dir)) all.push(one);
    return all;
  });
}

function textOf(one: ScannedSnapshot): string {
  const head = `${one.file}\n  up to index ${one.index}, term ${one.term}\n`;
  if (one.kind === "damaged") return `${head}  DAMAGED: ${one.reason}\n`;
  const { confState } = one.meta;
  const list = (ids: readonly number[]): string => (ids.length === 0 ? "none" : ids.map(hex).join(", "));
  const joint = confState.votersOutgoing.length === 0 ? "" : `  outgoing voters ${list(confState.votersOutgoing)}\n`;
  return (
    `${head}  ${one.fileBytes} bytes, ${one.applicationBytes} of them the application's\n` +
    `  voters ${list(confState.voters)}\n${joint}  learners ${list(confState.learners)}\n`
  );
}

function jsonOf(one: ScannedSnapshot): object {
  if (one.kind === "damaged") return one;
  const { library, ...rest } = one;
  return { ...rest, libraryBytes: library.length };
}
