import { BalsaError, EMPTY_CONF_STATE } from "../core/index.js";
import { FileError } from "../platform/index.js";
import { DamagedDirectory } from "../storage/index.js";
import { clusterIdOf, firstConfiguration } from "./bootstrap.js";
import { type Configuration, decodeLibrarySection, type MemberRecord } from "./configuration.js";
import { GROUP } from "./first-snapshot.js";
import { askWhoAreMembers } from "./join.js";
import { type OpenedStorage, openStorage } from "./open-storage.js";
import type { Join, RaftNodeOptions, Settings } from "./options.js";
import { restoreState } from "./restore-state.js";

/** What a data directory turned out to be. */
export type OpenedMember =
  | ({ readonly kind: "whole" } & OpenedWhole)
  /** What is lost is to be had from the others. */
  | { readonly kind: "damaged"; readonly directory: DamagedDirectory; readonly configuration: Configuration };

/** A sound directory, and the configuration of its snapshot. */
export interface OpenedWhole extends OpenedStorage {
  readonly configuration: Configuration;
}

/**
 * Opens the data directory and brings the state machine to its snapshot. A directory that is damaged is held, if there
 * are peers that may have what is lost.
 * @throws BalsaError as `openStorage`; `corrupt` for what nobody can repair
 */
export async function openMember(options: RaftNodeOptions, settings: Settings): Promise<OpenedMember> {
  try {
    return { kind: "whole", ...(await openWhole(options, settings)) };
  } catch (cause) {
    if (!mayBeDamage(cause)) throw cause;
    return openDamaged(options, cause);
  }
}

/** Once it is known to be sound. */
export async function openWhole(options: RaftNodeOptions, settings: Settings): Promise<OpenedWhole> {
  const opened = await openStorage(options, settings);
  try {
    return { ...opened, configuration: await restoreState(opened.storage, options.stateMachine) };
  } catch (cause) {
    await opened.storage.close();
    throw cause;
  }
}

function mayBeDamage(cause: unknown): boolean {
  if (!(cause instanceof BalsaError)) return false;
  if (cause.code === "corrupt") return true;
  return cause.code === "storage-failed" && cause.cause instanceof FileError && cause.cause.code === "io";
}

async function openDamaged(options: RaftNodeOptions, cause: unknown): Promise<OpenedMember> {
  const { platform, dir, name, cluster } = options;
  const clusterId = cluster !== undefined && "bootstrap" in cluster ? clusterIdOf(cluster.bootstrap) : undefined;
  const expect = { kind: "existing", group: GROUP, name, clusterId } as const;
  const directory = await DamagedDirectory.open({ platform, dir, expect }).catch((refusal: unknown) => {
    // Filling it, or emptying it, broke off: there is no member to be repaired.
    throw refusal instanceof BalsaError && refusal.code === "invalid-argument" ? cause : refusal;
  });
  try {
    // Something else is the matter, then.
    if (directory.damages.length === 0) throw cause;
    const configuration = await configurationOf(directory, options);
    const isAlone = !configuration.members.some(({ id }) => id !== directory.identity.memberId);
    const isWhole = directory.log.isWhole && directory.snapshot !== undefined;
    if (isAlone && !isWhole) throw beyondRepair(directory, dir);
    return { kind: "damaged", directory, configuration };
  } catch (refusal) {
    await directory.close();
    throw refusal;
  }
}

/** As the newest sound snapshot names them, or, without one, the operator; or those whom the operator names. */
async function configurationOf(directory: DamagedDirectory, options: RaftNodeOptions): Promise<Configuration> {
  const { cluster } = options;
  if (directory.snapshot === undefined) {
    if (cluster !== undefined && "bootstrap" in cluster) return firstConfiguration(cluster.bootstrap);
    const members = cluster === undefined ? [] : await membersBySeeds(directory, options, cluster);
    return { confState: EMPTY_CONF_STATE, members, removed: [] };
  }
  const reader = await directory.openSnapshot();
  try {
    return decodeLibrarySection(reader.library, reader.meta.confState);
  } finally {
    await reader.close();
  }
}

/**
 * As the others tell it at the addresses that it was given. Only where nothing that it promised is lost: else those would
 * have to be asked, too, who have been removed since, and they are not among them (docs/repair.md, "Which term").
 * @throws BalsaError `removed`, `timeout`, `identity-mismatch`
 */
async function membersBySeeds(
  directory: DamagedDirectory,
  { platform, name, listen }: RaftNodeOptions,
  { join: seeds, address = listen }: Join,
): Promise<readonly MemberRecord[]> {
  const { clusterId, memberId, incarnation } = directory.identity;
  if (!directory.log.endKnown) return [];
  const self = { clusterId, memberId, incarnation, group: GROUP, name };
  return askWhoAreMembers(platform, self, seeds, address);
}

function beyondRepair(directory: DamagedDirectory, dir: string): BalsaError {
  const error = directory.error();
  const choices =
    "no other member is known that could have what is lost. If its cluster goes on without it: empty " +
    "the directory, and let it join. Otherwise put back a copy of the directory or a snapshot; or run " +
    `\`balsa wal repair ${dir}\`, which keeps what is sound and gives up the rest; or \`balsa recover\` from another directory`;
  return new BalsaError("corrupt", `${error.message}; ${choices}`, { cause: error });
}
