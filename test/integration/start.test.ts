import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freePorts, plainClient } from "../../packages/server/test/integration/cluster.js";
import { root } from "../house/house.js";
import { ExampleProject, exampleWith, promisedOutput } from "./example-project.js";

it("npm start runs a cluster that the README's etcd client uses, SIGTERM on npm stops all of it, and the next start finds the data", async () => {
  const ports = await freePorts(6);
  const dataDir = mkdtempSync(join(tmpdir(), "balsa-start-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const flags = [
    "--data-dir",
    dataDir,
    "--client-ports",
    ports.slice(0, 3).join(),
    "--peer-ports",
    ports.slice(3).join(),
  ];

  const first = await start(flags);
  expect(first.members).toHaveLength(3);
  const { example, project } = clientExample(ports);
  onTestFinished(() => project.remove());
  expect(project.compilerComplaints()).toBe("");
  expect(await project.run()).toBe(promisedOutput(example));
  await stop(first);

  const second = await start(flags);
  const client = plainClient(`127.0.0.1:${ports[2]}`);
  expect(await client.get("greeting").string()).toBe("hello");
  client.close();
  await stop(second);
});

interface LocalCluster {
  readonly npm: ChildProcess;
  /** The process IDs that it has printed. */
  readonly members: readonly number[];
}

/** `npm start`, until it says that all are running. */
async function start(flags: readonly string[]): Promise<LocalCluster> {
  const npm = spawn("npm", ["start", "--", ...flags], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    npm.kill("SIGTERM");
  });
  let output = "";
  const said = new Promise<void>((resolve, reject) => {
    for (const stream of [npm.stdout, npm.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("Ctrl-C stops")) resolve();
      });
    }
    npm.on("exit", (code) => reject(new Error(`npm start ended with exit code ${code}:\n${output}`)));
  });
  await said;
  return { npm, members: [...output.matchAll(/\bprocess (\d+)/g)].map(([, id]) => Number(id)) };
}

async function stop({ npm, members }: LocalCluster): Promise<void> {
  expect(members.filter(isRunning)).toEqual(members);
  const ended = once(npm, "exit");
  npm.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(members.filter(isRunning)).toEqual([]);
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/** The README's example of an etcd client, as it stands but for the ports. */
function clientExample(ports: readonly number[]): { readonly example: string; readonly project: ExampleProject } {
  const written = exampleWith("etcd3");
  const inReadme = [...new Set(written.match(/(?<=:)\d+(?=")/g))];
  expect(inReadme).toEqual(["2379", "22379", "32379"]);
  const example = inReadme.reduce((text, port, i) => text.replaceAll(`:${port}"`, `:${ports[i]}"`), written);
  return { example, project: new ExampleProject(example, { etcd3: "node_modules/etcd3" }) };
}
