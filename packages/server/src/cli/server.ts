import { readdir } from "node:fs/promises";
import type { RaftNodeEvent } from "balsa";
import { addressOfUrl, initialClusterOf, urlsOf } from "../member/address.js";
import { type LogLevel, openLog } from "../member/log.js";
import { Member } from "../member/member.js";
import type { MemberOptions } from "../member/member-options.js";
import { ServerError } from "../server-error.js";
import { EXIT } from "./exit-code.js";

/** As they are on the command line. */
export interface ServerFlags {
  readonly name: string;
  readonly dataDir?: string;
  readonly listenClientUrls: string;
  readonly advertiseClientUrls?: string;
  readonly listenPeerUrls: string;
  readonly initialAdvertisePeerUrls?: string;
  readonly initialCluster?: string;
  readonly initialClusterState: "new" | "existing";
  readonly initialClusterToken: string;
  readonly heartbeatInterval: number;
  readonly electionTimeout: number;
  readonly snapshotCount: number;
  readonly logLevel: LogLevel;
  readonly stopWithParent: boolean;
}

/** Runs one member until it is told to stop. */
export async function runServer(flags: ServerFlags): Promise<number> {
  const options = await optionsOf(flags);
  const log = openLog(flags.logLevel, flags.name);
  const told = toldToStop(flags.stopWithParent);
  const member = await Member.start(options, log, flags.stopWithParent ? tellParent : undefined);
  const { clusterId, memberId, clientAddresses } = member;
  const ids = { clusterId: clusterId.toString(16), memberId: memberId.toString(16) };
  log.info(
    { ...ids, clientAddresses, peerAddress: options.peerAddress, dataDir: options.dataDir },
    "ready for clients",
  );
  const ending = await Promise.race([told, member.failed]);
  if (typeof ending === "string") log.info({ reason: ending }, "stopping");
  else log.error({ cause: ending }, "stopping: the member has failed");
  await member.stop();
  log.info("stopped");
  return typeof ending === "string" ? EXIT.ok : EXIT.failure;
}

/** @throws ServerError `invalid-option` */
export async function optionsOf(flags: ServerFlags): Promise<MemberOptions> {
  const { name } = flags;
  const listenClientUrls = urlsOf("--listen-client-urls", flags.listenClientUrls);
  const listenPeerUrl = onlyOne("--listen-peer-urls", flags.listenPeerUrls);
  const advertisedPeerUrl = onlyOne("--initial-advertise-peer-urls", flags.initialAdvertisePeerUrls ?? listenPeerUrl);
  if (flags.electionTimeout < 2 * flags.heartbeatInterval) {
    throw new ServerError("invalid-option", "--election-timeout must be at least twice --heartbeat-interval");
  }
  const dataDir = flags.dataDir ?? `${name}.balsa`;
  return {
    name,
    dataDir,
    clientAddresses: listenClientUrls.map((url) => addressOfUrl("--listen-client-urls", url)),
    advertisedClientUrls: urlsOf("--advertise-client-urls", flags.advertiseClientUrls ?? flags.listenClientUrls),
    peerAddress: addressOfUrl("--listen-peer-urls", listenPeerUrl),
    bootstrap: await bootstrapOf(flags, dataDir, addressOfUrl("--initial-advertise-peer-urls", advertisedPeerUrl)),
    heartbeatMs: flags.heartbeatInterval,
    electionMs: flags.electionTimeout,
    snapshotEntries: flags.snapshotCount,
  };
}

/** undefined: what the directory holds is opened, whatever it is. */
async function bootstrapOf(
  flags: ServerFlags,
  dataDir: string,
  peerAddress: string,
): Promise<MemberOptions["bootstrap"]> {
  const { name, initialCluster, initialClusterState, initialClusterToken: id } = flags;
  if (initialClusterState === "existing") {
    if (await holdsSomething(dataDir)) return undefined;
    throw new ServerError(
      "invalid-option",
      `--initial-cluster-state existing: ${dataDir} holds no data, and this server can't join a cluster yet (the library's RaftNode can)`,
    );
  }
  if (initialCluster === undefined) {
    // etcd's default, a cluster of one; a member that is started again need not repeat what it was first told.
    return (await holdsSomething(dataDir)) ? undefined : { id, members: [{ name, address: peerAddress }] };
  }
  const members = initialClusterOf("--initial-cluster", initialCluster);
  const self = members.find((member) => member.name === name);
  if (self === undefined)
    throw new ServerError("invalid-option", `--initial-cluster does not name this member, ${name}`);
  if (self.address !== peerAddress) {
    throw new ServerError(
      "invalid-option",
      `--initial-cluster has ${name} at ${self.address}, --initial-advertise-peer-urls at ${peerAddress}`,
    );
  }
  return { id, members };
}

async function holdsSomething(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0;
  } catch {
    // Not there, or no directory: opening it will say what is wrong.
    return false;
  }
}

function onlyOne(flag: string, list: string): string {
  const [url, ...others] = urlsOf(flag, list);
  if (url === undefined || others.length > 0)
    throw new ServerError("invalid-option", `${flag}: one URL, not ${others.length + 1}`);
  return url;
}

/** What whoever watches the processes of a cluster is to see without a look at their logs. */
function tellParent(event: RaftNodeEvent): void {
  const words = wordsOf(event);
  if (words !== undefined && process.connected) process.send?.(words);
}

function wordsOf(event: RaftNodeEvent): string | undefined {
  switch (event.kind) {
    case "repair-started":
      return `${event.damage}. It takes no part until the others have given back what it lost`;
    case "repaired":
      return `its log is whole again after ${Math.ceil(event.tookMs)} ms; the damaged files are in set-aside`;
    case "disk-full":
      return "its disk is full: where it leads, writes are refused until there is room";
    case "disk-has-room":
      return "its disk has room again";
    default:
      return undefined;
  }
}

/** Resolves with why. A second signal ends the process at once. */
function toldToStop(withParent: boolean): Promise<string> {
  return new Promise((resolve) => {
    let told = false;
    const onSignal = (signal: string): void => {
      if (told) process.exit(EXIT.failure);
      told = true;
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    if (!withParent) {
      process.on("SIGINT", onSignal);
      return;
    }
    // Ctrl-C reaches parent and children alike; what it means for the children is the parent's decision.
    process.on("SIGINT", () => {});
    // The channel does not keep a member running that has stopped.
    process.channel?.unref();
    process.once("disconnect", () => resolve("the parent process is gone"));
  });
}
