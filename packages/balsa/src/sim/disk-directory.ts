import type { DiskFile } from "./disk-file.js";

export type DiskEntry = DiskDirectory | DiskFile;

/** A directory on a simulated disk: what programs see, and what would survive losing power. */
export class DiskDirectory {
  readonly entries: Map<string, DiskEntry> = new Map();
  readonly durable: Map<string, DiskEntry> = new Map();

  /** Programs see what survived. */
  crash(): void {
    this.entries.clear();
    for (const [name, entry] of this.durable) this.entries.set(name, entry);
  }
}

/** Forks of directories and files, each made once: those that two names lead to are one in the fork, too. */
export class DiskForks {
  readonly #forks = new Map<DiskEntry, DiskEntry>();

  directory(directory: DiskDirectory): DiskDirectory {
    const known = this.#forks.get(directory);
    if (known instanceof DiskDirectory) return known;
    const fork = new DiskDirectory();
    this.#forks.set(directory, fork);
    for (const [name, entry] of directory.entries) fork.entries.set(name, this.#entry(entry));
    for (const [name, entry] of directory.durable) fork.durable.set(name, this.#entry(entry));
    return fork;
  }

  operation({ sequence, home, changes }: DirectoryOperation): DirectoryOperation {
    return {
      sequence,
      home: this.directory(home),
      changes: changes.map(({ directory, name, entry }) => ({
        directory: this.directory(directory),
        name,
        entry: entry === undefined ? undefined : this.#entry(entry),
      })),
    };
  }

  #entry(entry: DiskEntry): DiskEntry {
    if (entry instanceof DiskDirectory) return this.directory(entry);
    const fork = this.#forks.get(entry) ?? entry.fork();
    this.#forks.set(entry, fork);
    return fork;
  }
}

/** One name in one directory gets an entry, or loses it (undefined). */
interface EntryChange {
  readonly directory: DiskDirectory;
  readonly name: string;
  readonly entry: DiskEntry | undefined;
}

/** A creation, removal or rename that no sync has covered yet. It reaches the disk as a whole. */
export interface DirectoryOperation {
  readonly sequence: number;
  /** Whose sync makes it durable; for a rename between directories the one it goes to. */
  readonly home: DiskDirectory;
  readonly changes: readonly EntryChange[];
}

export function applyChanges(changes: readonly EntryChange[], which: "entries" | "durable"): void {
  for (const { directory, name, entry } of changes) {
    if (entry === undefined) directory[which].delete(name);
    else directory[which].set(name, entry);
  }
}

/** A set of names in directories. */
class Names {
  readonly #byDirectory = new Map<DiskDirectory, Set<string>>();

  add(operation: DirectoryOperation): void {
    for (const { directory, name } of operation.changes) {
      const names = this.#byDirectory.get(directory);
      if (names === undefined) this.#byDirectory.set(directory, new Set([name]));
      else names.add(name);
    }
  }

  touchedBy(operation: DirectoryOperation): boolean {
    return operation.changes.some(({ directory, name }) => this.#byDirectory.get(directory)?.has(name) === true);
  }
}

/** What syncing `directory` covers: its own operations, and earlier ones on the same names that they build upon. */
export function coveredBySync(
  directory: DiskDirectory,
  unsynced: readonly DirectoryOperation[],
): readonly DirectoryOperation[] {
  const names = new Names();
  const covered: DirectoryOperation[] = [];
  for (const operation of unsynced.toReversed()) {
    if (operation.home !== directory && !names.touchedBy(operation)) continue;
    names.add(operation);
    covered.push(operation);
  }
  return covered.toReversed();
}

/** What survives a crash: whatever `keep` says, but nothing without the earlier operations on the same names. */
export function survivors(
  unsynced: readonly DirectoryOperation[],
  keep: (sequences: readonly number[]) => number,
): readonly DirectoryOperation[] {
  const lost = new Names();
  return unsynced.filter((operation) => {
    const survives = !lost.touchedBy(operation) && keep([operation.sequence]) === 1;
    if (!survives) lost.add(operation);
    return survives;
  });
}
