import { recoverCluster, type Survivor, surveySurvivor } from "balsa/node";
import { nodeFiles } from "balsa/platform/node";
import { EXIT } from "./exit-code.js";
import { operatorPlatform } from "./operator-platform.js";
import type { TextOutput } from "./text-output.js";
import { inOperatorsWords, whileNobodyWrites } from "./wal.js";

export interface RecoverFlags {
  readonly to: string;
  readonly peerAddress: string;
  readonly acceptDataLoss: boolean;
}

/** Makes a new cluster's first member of a survivor of an old one. */
export async function recover(dir: string, flags: RecoverFlags, io: TextOutput): Promise<number> {
  return inOperatorsWords(dir, () =>
    whileNobodyWrites(dir, async () => {
      const survivor = await surveySurvivor(nodeFiles, dir);
      io.out(summary(survivor));
      if (!flags.acceptDataLoss) {
        io.out("nothing is done: add --accept-data-loss to do it\n");
        return EXIT.usage;
      }
      const { to, peerAddress: address } = flags;
      const { name } = await recoverCluster({ platform: operatorPlatform(io), from: dir, to, address });
      io.out(`${to} is the first member of a new cluster. Start it:\n`);
      io.out(`  balsa server --name ${name} --data-dir ${to} --initial-cluster-state existing\n`);
      return EXIT.ok;
    }),
  );
}

function summary({ name, snapshotIndex, lastIndex, commit, term }: Survivor): string {
  const known = Math.min(Math.max(commit, snapshotIndex), lastIndex);
  const open = lastIndex - known;
  return [
    `member ${name}: log up to index ${lastIndex}, term ${term}`,
    `entries up to ${known} are known to be committed`,
    open === 0 ? "" : `the ${open} behind may have been committed, or not; they will be`,
    "what others had and this member did not is lost",
    "",
  ]
    .filter((line, i, all) => line !== "" || i === all.length - 1)
    .join("\n");
}
