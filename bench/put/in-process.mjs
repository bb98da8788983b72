import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-ports.mjs";

/** @typedef {import("./member.mjs").Said} Said */

const memberModule = fileURLToPath(new URL("member.mjs", import.meta.url));

/**
 * Puts through `RaftNode.propose()` in the process of the leader; the other two members are processes of their own.
 * @param {string} dir
 * @param {readonly number[]} callers
 * @param {import("./load.mjs").Load} load
 * @param {(callers: number, figures: import("./load.mjs").Figures) => void} report
 */
export async function measureInProcess(dir, callers, load, report) {
  const ports = await freePorts(3);
  const members = ports.map((port, i) => ({ name: `m${i + 1}`, address: `127.0.0.1:${port}` }));
  const processes = members.map(({ name, address }) => {
    const member = fork(memberModule, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    member.send({ kind: "open", dir: join(dir, name), name, listen: address, members });
    return member;
  });
  try {
    const leader = await Promise.any(processes.map((member) => heard(member, "leading").then(() => member)));
    for (const count of callers) {
      const measured = heard(leader, "measured");
      leader.send({ kind: "measure", callers: count, load });
      report(count, (await measured).figures);
    }
  } finally {
    await Promise.all(
      processes.map(async (member) => {
        if (member.exitCode !== null || member.signalCode !== null) return;
        member.kill("SIGKILL");
        await once(member, "exit");
      }),
    );
  }
}

/**
 * The next message of a kind from a member; fails if the member ends instead.
 * @template {Said["kind"]} Kind
 * @param {import("node:child_process").ChildProcess} member
 * @param {Kind} kind
 * @returns {Promise<Extract<Said, { kind: Kind }>>}
 */
function heard(member, kind) {
  return new Promise((resolve, reject) => {
    /** @param {Said} message */
    const listen = (message) => {
      if (message.kind !== kind) return;
      stop();
      resolve(/** @type {Extract<Said, { kind: Kind }>} */ (message));
    };
    /** @param {number | null} code */
    const ended = (code) => {
      stop();
      reject(new Error(`a member ended with exit code ${code}`));
    };
    const stop = () => member.off("message", listen).off("exit", ended);
    member.on("message", listen).on("exit", ended);
  });
}
