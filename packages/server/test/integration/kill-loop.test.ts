import { randomInt } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { Cluster, type MemberProcess, plainClient } from "./cluster.js";
import { verify, Writers } from "./writers.js";

/** So many processes are killed; `npm run deep` has far more, and goes on for a time. */
const KILLS = Number(process.env["BALSA_KILLS"] ?? 8);
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 0);

/** Kills after which all that was written is looked for, on each member. */
const KILLS_A_ROUND = 25;
/** Writes go on within this, whoever was killed, on a machine with other work to do. */
const GAP_MS_MAX = 20_000;

let cluster: Cluster | undefined;

afterEach(() => cluster?.remove());

/** One member mostly, any of them; now and then a majority, or all. */
function drawVictims(members: readonly MemberProcess[]): readonly MemberProcess[] {
  const count = [1, 1, 1, 1, 1, 2, 3][randomInt(7)] ?? 1;
  const first = randomInt(members.length);
  return Array.from({ length: count }, (_, i) => members[(first + i) % members.length]).filter(
    (member) => member !== undefined,
  );
}

/** Kills under load until there were so many, then compares what each member holds with what was acknowledged. */
async function round(each: Cluster, kills: number, prefix: string): Promise<{ kills: number; acknowledged: number }> {
  const clients = [0, 1].map(() => plainClient(each.endpoints, 2_000));
  const writers = new Writers(clients, 4, prefix);
  let killed = 0;
  try {
    await writers.nextAcknowledgement();
    while (killed < kills) {
      const victims = drawVictims(each.members);
      // At any instant: in the middle of an election, of a write, of another's coming back.
      await new Promise((resolve) => setTimeout(resolve, randomInt(150)));
      await Promise.all(victims.map((member) => each.stop(member, "SIGKILL")));
      killed += victims.length;
      for (const member of victims) each.start(member);
      const limit = new Promise<undefined>((resolve) => setTimeout(resolve, GAP_MS_MAX, undefined).unref());
      const acknowledgedMs = await Promise.race([writers.nextAcknowledgement(), limit]);
      if (acknowledgedMs === undefined) throw new Error(`no write within ${GAP_MS_MAX} ms\n${each.outputs()}`);
    }
  } finally {
    await writers.stop();
  }
  await each.caughtUp();
  for (const member of each.members) {
    expect(await verify(member.client, `${prefix}/`, writers)).toMatchObject({ lost: [], wrong: [] });
  }
  for (const client of clients) client.close();
  return { kills: killed, acknowledged: writers.acknowledged.size };
}

test(
  `F1 D6 any of three processes killed under load, over and over, ${KILLS} times at least: nothing acknowledged is lost`,
  async () => {
    cluster = await Cluster.create(3, ["--snapshot-count", "500"]);
    await cluster.startAll();
    const startedMs = performance.now();
    let [kills, acknowledged] = [0, 0];
    for (let i = 0; kills < KILLS || performance.now() - startedMs < SECONDS * 1_000; i++) {
      const done = await round(cluster, Math.min(KILLS_A_ROUND, Math.max(1, KILLS - kills)), `loop/${i}`);
      kills += done.kills;
      acknowledged += done.acknowledged;
      const seconds = (performance.now() - startedMs) / 1_000;
      console.log(`${kills} kills in ${seconds.toFixed(0)} s, ${acknowledged} writes acknowledged, none lost`);
    }
    expect(kills).toBeGreaterThanOrEqual(KILLS);
  },
  (SECONDS + 60) * 1_000 + KILLS * 10_000,
);
