import type { File, FileSystem, Logger } from "../platform/index.js";

/** Where a new snapshot goes: a temporary file that gets its final name once it is complete and durable. */
export class SnapshotTarget {
  readonly file: File;
  readonly #files: FileSystem;
  readonly #logger: Logger;
  readonly #temporaryPath: string;
  readonly #finalPath: string;
  readonly #directory: string;
  /** Before the name is given: may refuse. */
  readonly #admit: () => void;
  /** Once the name is durable. */
  readonly #stored: () => void;
  #isOpen = true;

  constructor(options: {
    readonly files: FileSystem;
    readonly logger: Logger;
    readonly file: File;
    readonly temporaryPath: string;
    readonly finalPath: string;
    readonly directory: string;
    readonly admit: () => void;
    readonly stored: () => void;
  }) {
    this.file = options.file;
    this.#files = options.files;
    this.#logger = options.logger;
    this.#temporaryPath = options.temporaryPath;
    this.#finalPath = options.finalPath;
    this.#directory = options.directory;
    this.#admit = options.admit;
    this.#stored = options.stored;
  }

  /** Neither finished nor discarded. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Syncs content, name and directory, in this order. */
  async finish(): Promise<void> {
    await this.file.sync();
    await this.file.close();
    this.#admit();
    await this.#files.rename(this.#temporaryPath, this.#finalPath);
    this.#isOpen = false;
    await this.#files.syncDir(this.#directory);
    this.#stored();
  }

  /** Closes the temporary file and leaves it there, under the name that it has. */
  async leave(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.file.close();
  }

  /** Removes the temporary file. No effect once it has its name, or a second time. */
  async discard(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.file.close();
      await this.#files.remove(this.#temporaryPath);
    } catch (cause) {
      // The next open removes it.
      this.#logger.log("warn", "an unfinished snapshot is left behind", { file: this.#temporaryPath, cause });
    }
  }
}
