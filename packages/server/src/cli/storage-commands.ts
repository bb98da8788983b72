import { type Command, Option } from "commander";
import { integer } from "./arguments.js";
import { type RecoverFlags, recover } from "./recover.js";
import { snapshotInspect, snapshotVerify } from "./snapshot-files.js";
import type { TextOutput } from "./text-output.js";
import { type WalDumpFlags, type WalFlags, walDump, walInspect, walVerify } from "./wal.js";
import { type WalRepairFlags, walRepair } from "./wal-repair.js";

type Done = (exitCode: number) => void;

/** Commands that look into a data directory whose member is stopped. */
export function addStorageCommands(program: Command, io: TextOutput, done: Done): void {
  addWal(program, io, done);
  addSnapshot(program, io, done);
  addRecover(program, io, done);
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
  addWalRepair(wal, io, done);
}

function addWalRepair(wal: Command, io: TextOutput, done: Done): void {
  onDirectory(wal.command("repair").description("give up what is damaged and keep what is sound before it"))
    .option("--apply", "do it; without this only say what would be done", false)
    .option("--force", "even where other members could repair it", false)
    .addHelpText(
      "after",
      `
A member of a cluster needs no such thing: it fetches what it has lost from the others when it is started. This is for
a member alone, with no copy to be put back: every entry from the first damaged one on is lost, acknowledged or not.
Damaged files are kept in DIR/set-aside.

Example:
  balsa wal repair balsa-data/a            what would be lost
  balsa wal repair balsa-data/a --apply    lose it`,
    )
    .action(async (dir: string, flags: WalRepairFlags) => done(await walRepair(dir, flags, io)));
}

function addRecover(program: Command, io: TextOutput, done: Done): void {
  program
    .command("recover")
    .description("a new cluster from one survivor, when a majority is gone for good")
    .argument("<dir>", "the survivor's data directory; it is not changed")
    .requiredOption("--to <dir>", "an empty directory for the new cluster's first member")
    .option("--peer-address <host:port>", "where the others will reach it", "127.0.0.1:2380")
    .option("--accept-data-loss", "do it; without this only say what may be lost", false)
    .addHelpText(
      "after",
      `
All that the survivor's log holds becomes the new cluster's state. What the members that are gone had and it did not
is lost, even if it was acknowledged; what it holds and was never committed becomes committed. If several members
survive, take the one whose log reaches furthest: the highest term, then the highest index. The new cluster has an ID
of its own; start its member from the new directory, then let others join it. Members of the old one must not come
back: their clients would see the past.

Examples:
  balsa recover balsa-data/a --to recovered
  balsa recover balsa-data/a --to recovered --accept-data-loss
  balsa server --name a --data-dir recovered --initial-cluster-state existing`,
    )
    .action(async (dir: string, flags: RecoverFlags) => done(await recover(dir, flags, io)));
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
