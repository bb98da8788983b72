import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { Command, InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS } from "../member/log.js";
import { ETCD_API_VERSION } from "../rpc/maintenance-service.js";
import { integer } from "./arguments.js";
import { type ConnectionFlags, type DelFlags, type GetFlags, kvDel, kvGet, kvPut, type PutFlags } from "./kv.js";
import { CLIENT_PORTS, LOCAL_ENDPOINTS, PEER_PORTS } from "./local-ports.js";
import { runServer, type ServerFlags } from "./server.js";
import { addSim } from "./sim-command.js";
import { type StatusFlags, showStatus } from "./status.js";
import { addStorageCommands } from "./storage-commands.js";
import type { TextOutput } from "./text-output.js";
import { runUp, type UpFlags } from "./up.js";

/** The command line: what there is to call, and how it is explained. Each command leaves its exit code with `done`. */
export function buildProgram(io: TextOutput, done: (exitCode: number) => void): Command {
  const program = new Command("balsa")
    .description("A replicated, durable key-value store that speaks etcd's v3 API, on Raft.")
    .version(`balsa ${ownVersion()} (etcd API ${ETCD_API_VERSION})`, "--version", "which balsa this is")
    .helpOption("-h, --help", "how a command is used")
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.error(text),
      outputError: (text, write) => write(`balsa: ${oneLine(text)}\n`),
    })
    .addHelpText(
      "after",
      `
Begin with:
  balsa up                          three members on this machine
  balsa kv put greeting hello       write to them …
  balsa kv get greeting             … and read it back
  balsa status                      who leads
  balsa COMMAND --help              the rest of it

etcdctl and the etcd clients of any language work just as well.`,
    );
  addUp(program, io, done);
  addServer(program, done);
  addStatus(program, io, done);
  addKv(program, io, done);
  addStorageCommands(program, io, done);
  addSim(program, io, done);
  return program;
}

function addUp(program: Command, io: TextOutput, done: (exitCode: number) => void): void {
  program
    .command("up")
    .description("run a cluster of three members on this machine, each a process of its own")
    .option("--data-dir <dir>", "where the members keep their data", "balsa-data")
    .addOption(portsOption("--client-ports <a,b,c>", "ports for clients", CLIENT_PORTS))
    .addOption(portsOption("--peer-ports <a,b,c>", "ports for the members among themselves", PEER_PORTS))
    .addHelpText(
      "after",
      `
Says which process leads, where clients connect, and where data and logs are. A member that dies stays down, so
that you can see what the others do. Ctrl-C stops all; the next start finds the data.

Examples:
  balsa up
  balsa up --data-dir /var/tmp/trial --client-ports 4001,4002,4003 --peer-ports 5001,5002,5003`,
    )
    .action(async (flags: UpFlags) => done(await runUp(flags, io)));
}

function addServer(program: Command, done: (exitCode: number) => void): void {
  program
    .command("server")
    .description("run one member; flags as etcd's where they mean the same")
    .option("--name <name>", "of this member, unique in the cluster", "default")
    .option("--data-dir <dir>", "where it keeps its data (default: NAME.balsa)")
    .option("--listen-client-urls <urls>", "where clients connect", "http://127.0.0.1:2379")
    .option("--advertise-client-urls <urls>", "what clients are told to connect to (default: as listened)")
    .option("--listen-peer-urls <url>", "where the other members connect", "http://127.0.0.1:2380")
    .option("--initial-advertise-peer-urls <url>", "what the other members connect to (default: as listened)")
    .option("--initial-cluster <members>", "NAME=URL,… of a new cluster's first members (default: this one alone)")
    .addOption(
      new Option("--initial-cluster-state <state>", "new: begin a cluster; existing: open what is in the directory")
        .choices(["new", "existing"])
        .default("new"),
    )
    .option("--initial-cluster-token <token>", "tells clusters with the same members apart", "etcd-cluster")
    .option("--heartbeat-interval <ms>", "between a leader's heartbeats", integer(1, 60_000), 100)
    .option("--election-timeout <ms>", "without a leader, before an election", integer(2, 600_000), 1_000)
    .option("--snapshot-count <entries>", "log entries before a snapshot is taken", integer(1, 2 ** 31), 100_000)
    .addOption(new Option("--log-level <level>", "what is logged").choices(LOG_LEVELS).default("info"))
    .addOption(
      new Option("--stop-with-parent", "stop when the process that started it is gone").hideHelp().default(false),
    )
    .addHelpText(
      "after",
      `
A directory that is empty begins the cluster of --initial-cluster; all of its first members are given the same.
One that holds data goes on with it; then the --initial flags must describe the same cluster, or be left out.
Logs are JSON lines on standard error. SIGTERM and Ctrl-C stop it in good order.

Examples:
  balsa server
  balsa server --name a --data-dir /var/lib/balsa \\
    --listen-client-urls http://10.0.0.1:2379 --listen-peer-urls http://10.0.0.1:2380 \\
    --initial-cluster a=http://10.0.0.1:2380,b=http://10.0.0.2:2380,c=http://10.0.0.3:2380`,
    )
    .action(async (flags: ServerFlags) => done(await runServer(flags)));
}

function addStatus(program: Command, io: TextOutput, done: (exitCode: number) => void): void {
  connecting(program.command("status").description("who leads, and how far each member has come"))
    .option("--json", "one line of JSON instead of a table", false)
    .addHelpText(
      "after",
      `
COMMITTED and APPLIED are positions in the log; REVISION and SIZE are the store's.
The exit code is 1 if an endpoint can't be reached.

Examples:
  balsa status
  balsa status --endpoints 10.0.0.1:2379,10.0.0.2:2379 --json`,
    )
    .action(async (flags: StatusFlags) => done(await showStatus(flags, io)));
}

function addKv(program: Command, io: TextOutput, done: (exitCode: number) => void): void {
  const kv = program.command("kv").description("read and write keys").helpCommand(false);
  connecting(kv.command("get").description("print keys and their values, a line each"))
    .argument("<key>", 'where to begin; "" with --prefix or --from-key is the very first')
    .argument("[range-end]", "up to, but not including, this key")
    .option("--prefix", "every key that begins with KEY", false)
    .option("--from-key", "every key from KEY on", false)
    .option("--limit <n>", "this many at the most; 0 = all", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--rev <revision>", "as of this revision; 0 = now", integer(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--keys-only", "no values", false)
    .option("--count-only", "only how many", false)
    .option("--serializable", "from the member's own state, which may be behind the leader's", false)
    .option("--json", "one line of JSON", false)
    .addHelpText("after", "\nExamples:\n  balsa kv get greeting\n  balsa kv get --prefix config/ --limit 10 --json")
    .action(async (key: string, rangeEnd: string | undefined, flags: GetFlags) =>
      done(await kvGet(key, rangeEnd, flags, io)),
    );
  connecting(kv.command("put").description("write a key"))
    .argument("<key>")
    .argument("[value]", "left out: what comes on standard input")
    .option("--prev-kv", "print what was there before", false)
    .addHelpText("after", "\nExamples:\n  balsa kv put greeting hello\n  balsa kv put config/main < main.json")
    .action(async (key: string, value: string | undefined, flags: PutFlags) => {
      const bytes = value === undefined ? await buffer(process.stdin) : new TextEncoder().encode(value);
      done(await kvPut(key, bytes, flags, io));
    });
  connecting(kv.command("del").description("delete keys; prints how many there were"))
    .argument("<key>")
    .argument("[range-end]", "up to, but not including, this key")
    .option("--prefix", "every key that begins with KEY", false)
    .option("--from-key", "every key from KEY on", false)
    .option("--prev-kv", "print what was deleted", false)
    .addHelpText("after", "\nExamples:\n  balsa kv del greeting\n  balsa kv del --prefix config/")
    .action(async (key: string, rangeEnd: string | undefined, flags: DelFlags) =>
      done(await kvDel(key, rangeEnd, flags, io)),
    );
}

/** Flags of every command that talks to a cluster: `ConnectionFlags`. */
function connecting(command: Command): Command {
  const endpoints = new Option("--endpoints <list>", "members to talk to, HOST:PORT,…; the first that can be reached")
    .argParser((list: string): ConnectionFlags["endpoints"] => list.split(",").map(endpoint))
    .default(LOCAL_ENDPOINTS, LOCAL_ENDPOINTS.join(","));
  const timeout = new Option("--timeout-ms <ms>", "how long to wait for an answer");
  return command.addOption(endpoints).addOption(timeout.argParser(integer(1, 600_000)).default(5_000));
}

function endpoint(text: string): string {
  const address = text.trim().replace(/^http:\/\//, "");
  if (!/^[^\s/]+:\d{1,5}$/.test(address)) throw new InvalidArgumentError(`"${text}" is not of the form HOST:PORT.`);
  return address;
}

function portsOption(flags: string, description: string, defaults: readonly number[]): Option {
  return new Option(flags, description)
    .argParser((list) => ports(list, defaults.length))
    .default(defaults, defaults.join(","));
}

function ports(list: string, count: number): readonly number[] {
  const numbers = list.split(",").map((text) => integer(1, 65_535)(text));
  if (numbers.length !== count) throw new InvalidArgumentError(`It takes ${count} ports, by commas.`);
  if (new Set(numbers).size !== count) throw new InvalidArgumentError("A port is given twice.");
  return numbers;
}

/** Commander's messages may have a second line with a suggestion. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, "")
    .trim()
    .replace(/\s*\n\s*/g, " ");
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}
