import { allMembers } from "balsa/core";
import { nodeFiles } from "balsa/platform/node";
import { type DirectoryReport, giveUpDamage, verifyDirectory } from "balsa/storage";
import { EXIT } from "./exit-code.js";
import { operatorPlatform } from "./operator-platform.js";
import type { TextOutput } from "./text-output.js";
import { inOperatorsWords, lineOfDamage, type WalFlags, whileNobodyWrites } from "./wal.js";

export interface WalRepairFlags extends WalFlags {
  readonly apply: boolean;
  readonly force: boolean;
}

/** Gives up what is damaged, if told to. Fails where it did not come to be sound. */
export async function walRepair(dir: string, flags: WalRepairFlags, io: TextOutput): Promise<number> {
  const report = await inOperatorsWords(dir, () => whileNobodyWrites(dir, () => verifyDirectory(nodeFiles, dir)));
  const { lines, ...plan } = planOf(report);
  const { snapshot, damages } = report;
  const hasPeers = snapshot !== undefined && allMembers(snapshot.confState).length > 1;
  const mayApply = damages.length > 0 && flags.apply && (flags.force || !hasPeers);
  if (mayApply) {
    const result = await inOperatorsWords(dir, () => giveUpDamage(operatorPlatform(io), dir));
    say(flags, io, { ...plan, applied: true, result }, [
      ...lines,
      `done: the log ends at index ${result?.lastIndex ?? report.lastIndex}; damaged files are in ${dir}/set-aside`,
    ]);
    return EXIT.ok;
  }
  if (damages.length > 0 && hasPeers && !flags.force) {
    lines.push("nothing is done: other members can repair it. Start it; or, if they are gone for good, add --force");
  } else if (damages.length > 0) lines.push("nothing is done: add --apply to do it");
  say(flags, io, { ...plan, applied: false, hasPeers }, lines);
  return damages.length === 0 ? EXIT.ok : EXIT.failure;
}

interface Plan {
  readonly damaged: number;
  /** The last index that would stay. */
  readonly keepsTo: number;
  readonly lastIndex: number;
  readonly lines: string[];
}

function planOf({ damages, lost, lastIndex, endKnown, snapshot }: DirectoryReport): Plan {
  const keepsTo = (lost[0]?.first ?? lastIndex + 1) - 1;
  const lines = damages.map((damage) => `damaged: ${lineOfDamage(damage)}`);
  if (damages.length === 0) lines.push("sound: there is nothing to repair");
  else if (snapshot === undefined) lines.push("no snapshot is sound: only a copy of the directory can help");
  else if (lost.length > 0) lines.push(`entries ${keepsTo + 1} to ${lastIndex} would be lost, acknowledged or not`);
  else lines.push("no entry would be lost");
  if (!endKnown)
    lines.push("how the log ended is not known: later entries are lost, too, and a term and a vote perhaps");
  return { damaged: damages.length, keepsTo, lastIndex, lines };
}

function say({ json }: WalFlags, io: TextOutput, figures: object, lines: readonly string[]): void {
  io.out(json ? `${JSON.stringify(figures)}\n` : `${lines.join("\n")}\n`);
}
