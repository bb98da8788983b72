import { escapeHtml, PAGE_STYLE } from "../linearizability/index.js";
import type { Chronicle, Occurrence, SentMessage, Standing } from "./chronicle.js";
import { PAGE_MOMENTS_MAX } from "./limits.js";
import { memberName } from "./network-delay.js";
import { RUN_PAGE_SCRIPT } from "./run-page-script.js";
import { RUN_PAGE_STYLE } from "./run-page-style.js";
import type { RunReport } from "./run-scenario.js";
import type { Scenario } from "./scenario.js";

export interface RunPageOptions {
  /**
   * Of which time to show messages and progress. Left out: all of it, or, if that is too much, as much as there is room for
   * up to the violation, or else from the beginning on.
   */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** How long a violation's antecedents are in view at first, and what comes after it. */
const VIEW_BEFORE_MS = 800;
const VIEW_AFTER_MS = 100;
const VIEW_FIRST_MS = 3_000;
const TEXT_LENGTH_MAX = 300;

const STANDINGS: readonly Standing[] = [
  "down",
  "starting",
  "repairing",
  "follower",
  "pre-candidate",
  "candidate",
  "leader",
];

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Left out, before and after it. */
  readonly before: number;
  readonly after: number;
}

/**
 * A run as one HTML page that needs nothing else: a time line for each member, messages between them, faults, calls and
 * what went wrong, to be stepped through. Its script is its own and loads nothing; its policy forbids anything else. All
 * texts are escaped, or are data that the script escapes.
 * @param report of a run that kept its chronicle
 */
export function drawRun(scenario: Scenario, report: RunReport, options: RunPageOptions = {}): string {
  const { chronicle, violation, simulatedMs } = report;
  if (chronicle === undefined) throw new Error("a run is drawn of its chronicle: run it with keepTrace");
  const window = windowOf(chronicle, report, options);
  const title = escapeHtml(scenario.name);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${PAGE_STYLE}${RUN_PAGE_STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${drawVerdict(report)}
<p class="faint">${drawFigures(scenario, report)} ${drawOmission(window)}</p>
${violation?.page === undefined ? "" : '<p><a href="#history">The history that is not linearizable</a> is at the end of the page.</p>'}
${CONTROLS}
<svg class="view" tabindex="0" role="img" aria-label="time lines of all members"></svg>
<p class="note faint"></p>
<div class="columns">
<section><h2>At <span class="at"></span></h2>
<table><thead><tr><th>member</th><th></th><th>term</th><th>commit</th><th>applied</th></tr></thead><tbody></tbody></table>
<p class="faint">Under each member's line: commit / applied. A bar's colour is its term's; the strong one leads. Grey: down.
A message without an end was lost, or never taken. Hover over anything for details.</p></section>
<section><h2>Events <span class="count faint"></span></h2><ul class="events"></ul></section>
</div>
${violation?.page === undefined ? "" : drawHistory(violation.page)}
<script type="application/json" id="run">${toScript(dataOf(scenario, chronicle, window, report, simulatedMs))}</script>
<script>${RUN_PAGE_SCRIPT}</script>
</body>
</html>
`;
}

const KINDS: readonly (readonly [string, string, string])[] = [
  ["state", "states", "--ink"],
  ["append", "appends", "--append"],
  ["vote", "votes", "--vote"],
  ["heartbeat", "heartbeats", "--beat"],
  ["other", "other messages", "--other"],
  ["fault", "faults", "--bad"],
  ["event", "events", "--other"],
  ["operation", "calls", "--answered"],
];

const CONTROLS = `<div class="sticky"><div class="tools">
<span><button type="button" data-step="-1" title="left arrow">◀ event</button> <button type="button" data-step="1" title="right arrow">event ▶</button></span>
<span><button type="button" data-zoom="0.5" title="+">zoom in</button> <button type="button" data-zoom="2" title="-">zoom out</button>
<button type="button" class="all">whole run</button> <button type="button" class="focus">back</button></span>
${KINDS.map(
  ([kind, name, colour]) =>
    `<label><input type="checkbox" data-kind="${kind}" checked> <span class="swatch" style="background:var(${colour})"></span>${name}</label>`,
).join("\n")}
<label>with <input type="text" class="text" placeholder="m1, term 5, snapshot"></label>
<span class="range faint"></span></div>
<svg class="map" role="img" aria-label="the whole run"></svg></div>`;

function drawVerdict({ violation }: RunReport): string {
  if (violation === undefined) return "<p>No rule is broken.</p>";
  const { rule, atMs, detail, page } = violation;
  // With a history of its own the rest is drawn.
  const said = page === undefined ? detail : detail.split("\n").slice(0, 2).join("\n");
  return `<p>Breaks <span class="culprit">${escapeHtml(rule)}</span> after ${atMs} ms:</p><p class="detail">${escapeHtml(shortened(said, 2_000))}</p>`;
}

function drawFigures(scenario: Scenario, { simulatedMs, faults, operations, traceHash }: RunReport): string {
  const count = Object.values(faults).reduce((sum, each) => sum + each, 0);
  const spares = scenario.spares === undefined ? "" : ` and ${scenario.spares} in reserve`;
  return `${scenario.members} members${spares}, ${(simulatedMs / 1_000).toFixed(1)} s simulated, ${count} faults, ${operations.operations} calls, trace ${escapeHtml(traceHash)}.`;
}

function drawOmission({ fromMs, toMs, before, after }: Window): string {
  if (before + after === 0) return "";
  return `Messages, and how far members are, are shown of ${fromMs.toFixed(0)} to ${toMs.toFixed(0)} ms alone: ${before} moments before that and ${after} after it are left out. States, faults and calls are all there.`;
}

/** A page of its own, with its own policy, which runs no script. */
function drawHistory(page: string): string {
  return `<section id="history"><h2>The history</h2><iframe class="history" sandbox title="the history that is not linearizable" srcdoc="${escapeHtml(page)}"></iframe></section>`;
}

/** Which messages and which progress there is room for. */
function windowOf(
  { messages, progress }: Chronicle,
  { violation, simulatedMs }: RunReport,
  options: RunPageOptions,
): Window {
  const times = [...messages.map(({ sentMs }) => sentMs), ...progress.map(({ atMs }) => atMs)].sort((a, b) => a - b);
  const askedFromMs = options.fromMs ?? 0;
  const askedToMs = options.toMs ?? simulatedMs;
  const asked = times.filter((ms) => ms >= askedFromMs && ms <= askedToMs);
  let fromMs = askedFromMs;
  let toMs = askedToMs;
  if (asked.length > PAGE_MOMENTS_MAX) {
    // Until shortly after it; of a run in which nothing went wrong, or within a range that was asked for, what comes first.
    const endMs = violation === undefined || options.fromMs !== undefined ? undefined : violation.atMs + VIEW_AFTER_MS;
    const end = endMs === undefined ? PAGE_MOMENTS_MAX : countUpTo(asked, endMs);
    fromMs = asked[Math.max(0, end - PAGE_MOMENTS_MAX)] ?? fromMs;
    toMs = asked[Math.min(asked.length, Math.max(end, PAGE_MOMENTS_MAX)) - 1] ?? toMs;
  }
  const before = times.filter((ms) => ms < fromMs).length;
  const after = times.filter((ms) => ms > toMs).length;
  return { fromMs, toMs, before, after };
}

function countUpTo(times: readonly number[], ms: number): number {
  const beyond = times.findIndex((time) => time > ms);
  return beyond < 0 ? times.length : beyond;
}

/** In the script's terms: short, since there are many. */
function dataOf(
  scenario: Scenario,
  chronicle: Chronicle,
  window: Window,
  { violation }: RunReport,
  simulatedMs: number,
): object {
  const { standings, progress, messages, occurrences, operations } = chronicle;
  const isInside = (ms: number): boolean => ms >= window.fromMs && ms <= window.toMs;
  const types = [...new Set(messages.map(({ type }) => type))];
  const machines = scenario.members + (scenario.spares ?? 0);
  const focusMs = violation?.atMs ?? 0;
  const endMs = Math.max(simulatedMs, 1);
  return {
    members: Array.from({ length: machines }, (_, number) => memberName(number)),
    kinds: STANDINGS,
    types,
    endMs,
    focusMs,
    fromMs: Math.max(0, violation === undefined ? 0 : focusMs - VIEW_BEFORE_MS),
    toMs: Math.min(endMs, violation === undefined ? VIEW_FIRST_MS : focusMs + VIEW_AFTER_MS),
    standings: standings.map(({ atMs, member, standing, term }) => [atMs, member, STANDINGS.indexOf(standing), term]),
    progress: progress
      .filter(({ atMs }) => isInside(atMs))
      .map(({ atMs, member, commit, applied }) => [atMs, member, commit, applied]),
    messages: messages
      .filter(({ sentMs }) => isInside(sentMs))
      .map(({ sentMs, from, to, arrivedMs, type, text }: SentMessage) => [
        sentMs,
        from,
        to ?? null,
        arrivedMs ?? null,
        types.indexOf(type),
        text,
      ]),
    occurrences: occurrences.map(({ atMs, forMs, member, kind, text }: Occurrence) => ({
      at: atMs,
      forMs,
      member: member ?? null,
      kind,
      text: shortened(text, TEXT_LENGTH_MAX),
    })),
    clients: [...new Set(operations.map(({ client }) => client))].sort(),
    operations: operations.map(({ invokedMs, endedMs, client, outcome, call, answer }) => ({
      from: invokedMs,
      to: endedMs ?? null,
      client,
      outcome,
      call: shortened(call, TEXT_LENGTH_MAX),
      answer: shortened(answer, TEXT_LENGTH_MAX),
    })),
  };
}

function shortened(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}

/** As the content of a script element, which nothing in it can end. */
function toScript(data: object): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}
