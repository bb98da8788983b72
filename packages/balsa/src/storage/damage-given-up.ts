import { BalsaError } from "../core/index.js";
import { storageFailure } from "./corruption.js";
import { DamagedDirectory } from "./damaged-directory.js";
import { dataPaths } from "./data-directory.js";
import type { DiskStorageOptions } from "./disk-storage.js";
import { loadIdentity } from "./identity.js";

/** What is left of a log whose damage nobody can repair. */
export interface GivenUp {
  /** The last index that was there, or that something sound speaks of. */
  readonly lastIndexBefore: number;
  /** The last index that is there now. */
  readonly lastIndex: number;
  /** False: the newest batches could not be read. A later term, a vote and more entries may have been in them. */
  readonly endWasKnown: boolean;
}

/**
 * Makes a damaged data directory one that opens, at the price of all entries from the first lost one on, acknowledged or
 * not. For a member that has no peers who could repair it; for any other this breaks the promises it has made. Damaged
 * files are moved to `set-aside`. undefined: there is no damage, and nothing was done.
 * @throws BalsaError `corrupt` (the identity; no snapshot is sound), `locked`, `identity-mismatch`, `storage-failed`
 */
export async function giveUpDamage(
  platform: DiskStorageOptions["platform"],
  dir: string,
): Promise<GivenUp | undefined> {
  try {
    const { group, name, memberId } = await loadIdentity(platform.files, dataPaths(dir).identity);
    const directory = await DamagedDirectory.open({ platform, dir, expect: { kind: "existing", group, name } });
    try {
      if (directory.damages.length === 0) return undefined;
      if (directory.snapshot === undefined) {
        throw new BalsaError("corrupt", `${directory.error().message}; and no snapshot of it is sound to begin from`);
      }
      const { log } = directory;
      const { lastIndex: lastIndexBefore, endKnown: endWasKnown, hardState } = log;
      const lastIndex = log.giveUpLost();
      // Where the vote is lost it may have been given to anybody: in this term to nobody (else) any more.
      await directory.rewrite(endWasKnown ? hardState : { ...hardState, vote: memberId });
      return { lastIndexBefore, lastIndex, endWasKnown };
    } finally {
      await directory.close();
    }
  } catch (cause) {
    throw storageFailure(`repairing ${dir}`, cause);
  }
}
