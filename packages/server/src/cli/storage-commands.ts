import { type Command, Option } from "commander";
import { integer } from "./arguments.js";
import { snapshotInspect, snapshotVerify } from "./snapshot-files.js";
import type { TextOutput } from "./text-output.js";
import { type WalDumpFlags, type WalFlags, walDump, walInspect, walVerify } from "./wal.js";

type Done = (exitCode: number) => void;

/** Commands that look into a data directory whose member is stopped. */
export function addStorageCommands(program: Command, io: TextOutput, done: Done): void {
  addWal(program, io, done);
  addSnapshot(program, io, done);
}

function addWal(program: Command, io: TextOutput, done: Done): void {
  const wal = program.command("wal").description("look into a member's log").helpCommand(false);
  onDirectory(wal.command("inspect").description("what its files hold, a line a segment"))
    .addHelpText("after", "\nExample:\n  balsa wal inspect balsa-data/a")
    .action(async (dir: string, flags: WalFlags) => done(await walInspect(dir, flags, io)));
  onDirectory(
    wal.command("verify").description("read every byte of log and snapshots; the exit code is 1 if any is bad"),
  )
    .addHelpText(
      "after",
      `
The member must be stopped. A torn write at the end is what a crash leaves; it was never acknowledged and is no damage.
What to do about damage: docs/operations/storage.md.

Example:
  balsa wal verify balsa-data/a`,
    )
    .action(async (dir: string, flags: WalFlags) => done(await walVerify(dir, flags, io)));
  onDirectory(wal.command("dump").description("every record as it lies in the files, replaced ones too"))
    .option("--from <index>", "entries from here on", integer(1, Number.MAX_SAFE_INTEGER), 1)
    .option("--to <index>", "entries up to here", integer(1, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
    .addOption(new Option("--data <how>", "show commands").choices(["none", "text", "hex"]).default("none"))
    .addHelpText("after", "\nExamples:\n  balsa wal dump balsa-data/a --from 100 --to 120\n  balsa wal dump DIR --json")
    .action(async (dir: string, flags: WalDumpFlags) => done(await walDump(dir, flags, io)));
}

function addSnapshot(program: Command, io: TextOutput, done: Done): void {
  const snapshot = program.command("snapshot").description("look into a member's snapshots").helpCommand(false);
  onDirectory(snapshot.command("inspect").description("what each says of itself, the newest first"))
    .addHelpText("after", "\nExample:\n  balsa snapshot inspect balsa-data/a")
    .action(async (dir: string, flags: WalFlags) => done(await snapshotInspect(dir, flags, io)));
  onDirectory(snapshot.command("verify").description("read every block; the exit code is 1 if any is bad"))
    .addHelpText("after", "\nExample:\n  balsa snapshot verify balsa-data/a")
    .action(async (dir: string, flags: WalFlags) => done(await snapshotVerify(dir, flags, io)));
}

function onDirectory(command: Command): Command {
  return command.argument("<dir>", "a member's data directory").option("--json", "JSON instead of text", false);
}
