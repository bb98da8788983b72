import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HOST = "127.0.0.1";
/** A member that does not stop when told is killed after this long. */
const STOP_LIMIT_MS = 10_000;
/** The command itself, as it is built and published. */
const COMMAND: string = fileURLToPath(new URL("../../bin/balsa.js", import.meta.url));

/** Where one member of a local cluster lives. */
export interface LocalPlan {
  readonly name: string;
  /** `host:port` */
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly dataDir: string;
  readonly logFile: string;
}

export function planCluster(dir: string, clientPorts: readonly number[], peerPorts: readonly number[]): LocalPlan[] {
  return clientPorts.map((clientPort, i) => {
    const name = `m${i + 1}`;
    return {
      name,
      clientAddress: `${HOST}:${clientPort}`,
      peerAddress: `${HOST}:${peerPorts[i]}`,
      dataDir: join(dir, name),
      logFile: join(dir, `${name}.log`),
    };
  });
}

/** A member in a process of its own. */
export class LocalMember {
  readonly plan: LocalPlan;
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  /** Called with what the member has to say to its operator. */
  onWords: (words: string) => void = () => {};
  private readonly child: ChildProcess;
  /** Where this run's part of the log begins. */
  private readonly logStart: number;

  static start(plan: LocalPlan, cluster: readonly LocalPlan[]): LocalMember {
    mkdirSync(dirname(plan.logFile), { recursive: true });
    const log = openSync(plan.logFile, "a");
    try {
      const flags = [
        ...["--name", plan.name, "--data-dir", plan.dataDir],
        ...["--listen-client-urls", `http://${plan.clientAddress}`],
        ...["--advertise-client-urls", `http://${plan.clientAddress}`],
        ...["--listen-peer-urls", `http://${plan.peerAddress}`],
        ...["--initial-advertise-peer-urls", `http://${plan.peerAddress}`],
        ...["--initial-cluster", cluster.map(({ name, peerAddress }) => `${name}=http://${peerAddress}`).join(",")],
        "--stop-with-parent",
      ];
      // The channel is what tells the member that this process is gone, in whatever way it went.
      const child = spawn(process.execPath, [COMMAND, "server", ...flags], { stdio: ["ignore", log, log, "ipc"] });
      return new LocalMember(plan, child, fstatSync(log).size);
    } finally {
      closeSync(log);
    }
  }

  private constructor(plan: LocalPlan, child: ChildProcess, logStart: number) {
    this.plan = plan;
    this.child = child;
    this.logStart = logStart;
    this.pid = child.pid ?? 0;
    child.on("message", (words) => {
      if (typeof words === "string") this.onWords(words);
    });
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => {
        // Killed, it had no time for words.
        resolve(signal === null ? (this.lastWords() ?? `exit code ${code}`) : `killed by ${signal}`);
      });
    });
  }

  get isRunning(): boolean {
    return this.pid !== 0 && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What it said last, if that was not an entry of its log but a word to its operator. */
  private lastWords(): string | undefined {
    const said = readFileSync(this.plan.logFile).subarray(this.logStart).toString("utf8").trim();
    const line = said.slice(said.lastIndexOf("\n") + 1);
    return line === "" || line.startsWith("{") ? undefined : line.replace(/^balsa: /, "");
  }

  /** In good order if it can. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}
