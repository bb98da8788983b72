import { beforeAll, expect, test } from "vitest";
import {
  drawRun,
  drawScenario,
  keyValueWorkload,
  type Profile,
  profiles,
  type RunReport,
  runScenario,
  type Scenario,
} from "../../src/trial/index.js";
import { unconfirmedReads } from "./broken-workloads.js";

const profile = profiles.get("short") as Profile;
const SHORT: Profile = { ...profile, members: [3], durationMs: 4_000, calmChance: 0, singleKindChance: 0 };

let scenario: Scenario;
let report: RunReport;

beforeAll(async () => {
  scenario = drawScenario("page", SHORT, keyValueWorkload);
  report = await runScenario(scenario, keyValueWorkload, { keepTrace: true });
});

/** What the page's script is given. */
function dataIn(page: string): {
  readonly members: readonly string[];
  readonly kinds: readonly string[];
  readonly standings: readonly (readonly number[])[];
  readonly progress: readonly (readonly number[])[];
  readonly messages: readonly (readonly [number, number, number | null, number | null, number, string])[];
  readonly occurrences: readonly { readonly at: number; readonly kind: string; readonly text: string }[];
  readonly operations: readonly { readonly from: number; readonly to: number | null }[];
} {
  const json = /<script type="application\/json" id="run">(.*?)<\/script>/s.exec(page)?.[1];
  return JSON.parse(json ?? "");
}

test("a page tells of each member what it was, how far it got, and what it said", () => {
  const data = dataIn(drawRun(scenario, report));
  expect(data.members).toEqual(["m1", "m2", "m3"]);
  for (const member of [0, 1, 2]) {
    const was = data.standings.filter(([, of]) => of === member).map(([, , kind = -1]) => data.kinds[kind]);
    expect(was[0]).toBe("starting");
    expect(was).toContain("follower");
    expect(data.progress.some(([, of, commit = 0]) => of === member && commit > 10)).toBe(true);
  }
  expect(data.standings.some(([, , kind = -1]) => data.kinds[kind] === "leader")).toBe(true);
  expect(data.operations).toHaveLength(report.operations.operations);
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  expect(data.occurrences.filter(({ kind }) => kind === "fault")).toHaveLength(faults);
});

test("messages arrive after they were sent, most of them soon", () => {
  const { messages } = dataIn(drawRun(scenario, report));
  expect(messages.length).toBeGreaterThan(200);
  const arrived = messages.filter(([, , , at]) => at !== null);
  expect(arrived.length).toBeGreaterThan(messages.length * 0.5);
  expect(arrived.every(([sent, , , at]) => (at ?? 0) > sent)).toBe(true);
  const ways = arrived.map(([sent, , , at]) => (at ?? 0) - sent).sort((a, b) => a - b);
  expect(ways[Math.floor(ways.length / 2)]).toBeLessThan(200);
});

test("a range that is asked for is all that is drawn of messages, and the page says what it leaves out", () => {
  const all = dataIn(drawRun(scenario, report)).messages;
  const fromMs = Math.floor(all[Math.floor(all.length / 2)]?.[0] ?? 0);
  const toMs = fromMs + 500;
  const page = drawRun(scenario, report, { fromMs, toMs });
  const { messages, standings } = dataIn(page);
  expect(messages.length).toBeGreaterThan(0);
  expect(messages.every(([sent]) => sent >= fromMs && sent <= toMs)).toBe(true);
  expect(standings).toEqual(dataIn(drawRun(scenario, report)).standings);
  expect(page).toMatch(/of \d+ to \d+ ms alone: \d+ moments before that and \d+ after it are left out/);
  expect(all.length).toBeGreaterThan(messages.length);
});

test("a run of minutes has a page of bounded size, of what led to the violation", async () => {
  const moments = 40_000;
  const { chronicle } = report;
  if (chronicle === undefined) throw new Error("it was kept");
  const long = Array.from({ length: moments }, (_, at) => ({ atMs: at, member: 0, commit: at, applied: at }));
  const page = drawRun(
    scenario,
    {
      ...report,
      simulatedMs: moments,
      violation: { rule: "log matching", detail: "planted", atMs: 35_000 },
      chronicle: Object.assign(Object.create(chronicle), { messages: [], progress: long }),
    },
    {},
  );
  const { progress } = dataIn(page);
  expect(progress).toHaveLength(30_000);
  expect(progress.at(-1)?.[0]).toBe(35_100);
  expect(page).toContain("of 5101 to 35100 ms alone: 5101 moments before that and 4899 after it are left out");
});

test("what is drawn can't end the script that draws it, nor load anything", () => {
  const evil = "</script><script>alert(1)</script><!--";
  const page = drawRun(
    { ...scenario, name: evil },
    { ...report, violation: { rule: "log matching", detail: evil, atMs: 1 } },
  );
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/(?:src|href)="(?!#)/);
});

test("a history that is not linearizable is on the page of its run", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const drawn = drawScenario(`page ${seed}`, SHORT, unconfirmedReads());
    const broken = await runScenario(drawn, unconfirmedReads(), { keepTrace: true });
    if (broken.violation?.rule !== "linearizable") continue;
    const page = drawRun(drawn, broken);
    expect(page).toContain('<section id="history">');
    expect(page).toContain("can have happened in some order");
    expect(dataIn(page).occurrences.some(({ kind, at }) => kind === "violation" && at < 4_000)).toBe(true);
    return;
  }
  throw new Error("no seed shows what was planted");
});

test("a run that is looked at is the same run", async () => {
  expect((await runScenario(scenario, keyValueWorkload)).traceHash).toBe(report.traceHash);
});

test("without its chronicle a run can't be drawn", () => {
  expect(() => drawRun(scenario, { ...report, chronicle: undefined })).toThrow("keepTrace");
});
