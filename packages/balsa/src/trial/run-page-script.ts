/**
 * What the page of a run does in the browser: draws the part of it that is in view, and steps from event to event. Plain
 * script as browsers have run it for years; it reads its data from the element `run` and loads nothing.
 */
export const RUN_PAGE_SCRIPT: string = String.raw`
"use strict";
const run = JSON.parse(document.getElementById("run").textContent);
const LEFT = 76, TOP = 46, LANE = 62, BAR = 18, ROW = 13, MESSAGES_MAX = 1500, LISTED = 150;
const view = document.querySelector(".view"), map = document.querySelector(".map"), list = document.querySelector(".events");
const escapeText = (text) => String(text).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
const time = (ms) => ms.toFixed(3) + " ms";
const hue = (term) => (term * 67 + 200) % 360;
const KINDS = { append: "append", "append-response": "append", heartbeat: "heartbeat", "heartbeat-response": "heartbeat",
  vote: "vote", "vote-response": "vote", "pre-vote": "vote", "pre-vote-response": "vote" };
const messages = run.messages.map(([sent, from, to, arrived, type, text]) =>
  ({ sent, from, to, arrived, kind: KINDS[run.types[type]] || "other", text }));
const standings = run.members.map(() => []);
for (const [at, member, standing, term] of run.standings) standings[member].push({ at, standing: run.kinds[standing], term });
const progress = run.members.map(() => []);
for (const [at, member, commit, applied] of run.progress) progress[member].push({ at, commit, applied });

// All that can be stepped to.
const events = [];
const add = (at, kind, member, text, bad) => events.push({ at, kind, member, text, bad });
run.standings.forEach(([at, member, standing, term]) =>
  add(at, "state", member, run.kinds[standing] + (term > 0 ? ", term " + term : "")));
for (const { sent, from, to, arrived, kind, text } of messages) {
  const whom = to === null ? "somebody" : run.members[to];
  add(sent, kind, from, "to " + whom + ": " + text + (arrived === null ? " (never arrives)" : ""));
  if (arrived !== null) add(arrived, kind, to, "from " + run.members[from] + ": " + text);
}
const ends = { completed: "answered", failed: "failed, without effect", unknown: "given up, outcome unknown" };
const endOf = ({ outcome, answer }) => ends[outcome] + (answer === "" ? "" : ": " + answer);
for (const operation of run.operations) {
  add(operation.from, "operation", null, operation.client + " calls " + operation.call);
  if (operation.to !== null) add(operation.to, "operation", null, operation.client + "'s " + operation.call + ": " + endOf(operation));
}
for (const { at, member, kind, text } of run.occurrences) add(at, kind, member, text, kind === "violation");
events.forEach((event, i) => { event.order = i; });
events.sort((a, b) => a.at - b.at || a.order - b.order);

const shown = (kind) => kind === "violation" || document.querySelector('input[data-kind="' + kind + '"]').checked;
let from = run.fromMs, to = run.toMs, filtered = events, at = 0, cursor = run.focusMs;

/** The last item of a rising list that is not after a time; -1 if there is none. */
function lastBefore(items, ms, timeOf) {
  let low = 0, high = items.length;
  while (low < high) { const middle = (low + high) >> 1; if (timeOf(items[middle]) <= ms) low = middle + 1; else high = middle; }
  return low - 1;
}

function widthOf(svg) { return Math.max(500, svg.clientWidth || 1200); }

function standingBars(x, y, height, first, last, width, labelled) {
  let svg = "";
  standings.forEach((spans, member) => {
    const begin = Math.max(0, lastBefore(spans, first, (span) => span.at));
    for (let i = begin; i < spans.length && spans[i].at < last; i++) {
      const { at: start, standing, term } = spans[i];
      const end = i + 1 < spans.length ? spans[i + 1].at : run.endMs;
      const left = Math.max(LEFT, x(start)), right = Math.min(width, x(end));
      if (right - left < (labelled ? 0.05 : 0.3)) continue;
      svg += '<rect class="standing ' + standing + '" style="--h:' + hue(term) + '" x="' + left.toFixed(2) + '" y="' + y(member) +
        '" width="' + Math.max(0.5, right - left).toFixed(2) + '" height="' + height + '"><title>' +
        escapeText(run.members[member] + " " + standing + (term > 0 ? ", term " + term : "") + ", " + time(start) + " to " + time(end)) + "</title></rect>";
      const label = (standing === "follower" ? "" : standing + " ") + (term > 0 ? "t" + term : "");
      if (labelled && right - left > label.length * 7 + 8) svg += '<text class="on-' + (standing === "leader" ? "leader" : standing.endsWith("candidate") ? "candidate" : "faint") +
        '" x="' + (left + 4).toFixed(1) + '" y="' + (y(member) + 13) + '">' + label + "</text>";
    }
  });
  return svg;
}

const PATTERNS = '<defs><pattern id="down" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="var(--failed)"/><rect width="3" height="6" fill="var(--faint)" opacity=".55"/></pattern>' +
  '<pattern id="starting" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="var(--lane)"/><rect width="2" height="6" fill="var(--faint)" opacity=".5"/></pattern></defs>';

function drawMap() {
  const width = widthOf(map), height = run.members.length * 8 + 22;
  const x = (ms) => LEFT + (ms / run.endMs) * (width - LEFT);
  map.setAttribute("viewBox", "0 0 " + width + " " + height);
  map.style.height = height + "px";
  let svg = PATTERNS + '<text class="faint" x="0" y="12">whole run</text>' + standingBars(x, (member) => 6 + member * 8, 6, 0, run.endMs, width, false);
  for (const { at: ms, kind } of run.occurrences) {
    if (kind === "fault") svg += '<rect class="fault" x="' + x(ms).toFixed(1) + '" y="0" width="1" height="4"/>';
    if (kind === "violation") svg += '<line class="violation" x1="' + x(ms) + '" x2="' + x(ms) + '" y1="0" y2="' + height + '"/>';
  }
  svg += '<rect class="window" x="' + x(from).toFixed(1) + '" y="2" width="' + Math.max(2, x(to) - x(from)).toFixed(1) + '" height="' + (height - 18) + '"/>';
  svg += '<line class="cursor" x1="' + x(cursor) + '" x2="' + x(cursor) + '" y1="0" y2="' + (height - 14) + '"/>';
  const ticks = 6;
  for (let i = 0; i <= ticks; i++) svg += '<text class="faint" text-anchor="' + (i === ticks ? "end" : "start") + '" x="' + x(run.endMs * i / ticks) + '" y="' + (height - 3) + '">' + (run.endMs * i / ticks / 1000).toFixed(1) + " s</text>";
  map.innerHTML = svg;
}

/** A round step of time for about so many ticks. */
function stepOf(span, count) {
  const least = span / count;
  let power = 0.001;
  while (power * 10 < least) power *= 10;
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least) || 10 * power;
}

function drawMessages(x, y, width) {
  const inView = messages.filter((m) => m.sent < to && (m.arrived === null ? m.sent : m.arrived) > from && m.to !== null && shown(m.kind));
  const note = document.querySelector(".note");
  note.textContent = inView.length > MESSAGES_MAX ? inView.length + " messages are in view: zoom in, or leave out kinds, to see them" : "";
  if (inView.length > MESSAGES_MAX) return "";
  return inView.map((m) => {
    const down = m.to > m.from, startY = y(m.from) + (down ? BAR : 0), endY = y(m.to) + (down ? 0 : BAR);
    let endX = x(m.arrived === null ? m.sent : m.arrived), lastY = endY;
    if (m.arrived === null) { endX += 14; lastY = startY + (endY - startY) * 0.35; }
    const title = escapeText(run.members[m.from] + " to " + run.members[m.to] + ": " + m.text + "; " + time(m.sent) + (m.arrived === null ? ", never arrives" : " to " + time(m.arrived)));
    return '<path class="message ' + m.kind + (m.arrived === null ? " lost" : "") + '" marker-end="url(#' + (m.arrived === null ? "lost" : "tip") + ')" d="M' + x(m.sent).toFixed(1) + " " + startY + "L" + endX.toFixed(1) + " " + lastY.toFixed(1) + '"><title>' + title + "</title></path>";
  }).join("");
}

function drawOperations(x, top, width) {
  if (!shown("operation")) return "";
  let svg = "";
  run.clients.forEach((client, row) => { svg += '<text class="faint" x="0" y="' + (top + row * ROW + 10) + '">' + escapeText(client) + "</text>"; });
  for (const operation of run.operations) {
    const { from: start, to: end, client, outcome } = operation;
    const last = end === null ? run.endMs : end;
    if (start > to || last < from) continue;
    const left = Math.max(LEFT, x(start)), right = Math.min(width, x(last));
    svg += '<rect class="operation ' + outcome + '" x="' + left.toFixed(1) + '" y="' + (top + run.clients.indexOf(client) * ROW + 2) + '" rx="2" width="' + Math.max(2, right - left).toFixed(1) + '" height="' + (ROW - 4) + '"><title>' +
      escapeText(client + ": " + operation.call + ": " + endOf(operation) + "; " + time(start) + (end === null ? "" : " to " + time(end))) + "</title></rect>";
  }
  return svg;
}

function drawOccurrences(x, y, width, height) {
  let svg = "", written = LEFT;
  for (const { at: ms, forMs, member, kind, text } of run.occurrences) {
    if (!shown(kind)) continue;
    const end = ms + (forMs || 0);
    if (ms > to || end < from) continue;
    const title = "<title>" + escapeText(time(ms) + (member === null ? "" : " " + run.members[member]) + ": " + text) + "</title>";
    if (kind === "violation") { svg += '<line class="violation" x1="' + x(ms) + '" x2="' + x(ms) + '" y1="14" y2="' + height + '">' + title + "</line>"; continue; }
    if (kind === "fault" && forMs > 0) {
      const left = Math.max(LEFT, x(ms)), right = Math.min(width, x(end)), lane = member === null ? 22 : y(member) - 7;
      svg += '<rect class="fault-span" x="' + left.toFixed(1) + '" y="' + lane + '" width="' + Math.max(0, right - left).toFixed(1) + '" height="' + (member === null ? 14 : BAR + 14) + '">' + title + "</rect>";
    }
    if (ms < from) continue;
    const markY = member === null || kind === "fault" ? 29 : y(member) + BAR + 9;
    svg += '<circle class="' + kind + '" cx="' + x(ms).toFixed(1) + '" cy="' + markY + '" r="4">' + title + "</circle>";
    const label = kind === "fault" ? text.split(" ")[0] : "";
    if (label !== "" && x(ms) > written) { svg += '<text x="' + (x(ms) + 6).toFixed(1) + '" y="33">' + escapeText(label) + "</text>"; written = x(ms) + 16 + label.length * 7; }
  }
  return svg;
}

function drawProgress(x, y, width) {
  let svg = "";
  progress.forEach((points, member) => {
    let written = 0;
    for (let i = Math.max(0, lastBefore(points, from, (point) => point.at)); i < points.length && points[i].at < to; i++) {
      const left = Math.max(LEFT, x(points[i].at)), label = points[i].commit + "/" + points[i].applied;
      if (left < written) continue;
      written = left + label.length * 7 + 16;
      svg += '<text class="faint" x="' + left.toFixed(1) + '" y="' + (y(member) + BAR + 13) + '">' + label + "</text>";
    }
  });
  return svg;
}

function drawView() {
  const width = widthOf(view), clientsTop = TOP + run.members.length * LANE, height = clientsTop + run.clients.length * ROW + 8;
  const x = (ms) => LEFT + ((ms - from) / (to - from)) * (width - LEFT), y = (member) => TOP + member * LANE + 14;
  view.setAttribute("viewBox", "0 0 " + width + " " + height);
  view.style.height = height + "px";
  let svg = PATTERNS + '<defs><marker id="tip" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="5" markerHeight="5" orient="auto"><path d="M0 0L6 3L0 6z" fill="context-stroke"/></marker>' +
    '<marker id="lost" viewBox="0 0 6 6" refX="3" refY="3" markerWidth="6" markerHeight="6"><path d="M0 0L6 6M6 0L0 6" stroke="var(--bad)" stroke-width="1.5"/></marker>' +
    '<clipPath id="inside"><rect x="' + LEFT + '" y="0" width="' + (width - LEFT) + '" height="' + height + '"/></clipPath></defs>';
  run.members.forEach((name, member) => {
    svg += '<rect class="lane-back" x="0" y="' + (y(member) - 2) + '" width="' + width + '" height="' + (BAR + 4) + '"/><text class="name" x="4" y="' + (y(member) + 13) + '">' + escapeText(name) + "</text>";
  });
  const step = stepOf(to - from, width / 130);
  for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) {
    svg += '<line class="rule" x1="' + x(ms).toFixed(1) + '" x2="' + x(ms).toFixed(1) + '" y1="14" y2="' + height + '"/><text class="faint" x="' + (x(ms) + 3).toFixed(1) + '" y="11">' + Number(ms.toFixed(3)) + " ms</text>";
  }
  svg += '<text class="faint" x="0" y="33">faults</text><g clip-path="url(#inside)">' + standingBars(x, y, BAR, from, to, width, true) + drawProgress(x, y, width) + drawMessages(x, y, width) + drawOccurrences(x, y, width, height) + "</g>" +
    drawOperations(x, clientsTop, width);
  if (cursor >= from && cursor <= to) svg += '<line class="cursor" x1="' + x(cursor) + '" x2="' + x(cursor) + '" y1="14" y2="' + height + '"/>';
  view.innerHTML = svg;
  document.querySelector(".range").textContent = time(from) + " to " + time(to);
}

/** Who is what at the cursor. */
function drawTable() {
  document.querySelector(".at").textContent = time(cursor);
  document.querySelector("tbody").innerHTML = run.members.map((name, member) => {
    const standing = standings[member][lastBefore(standings[member], cursor, (span) => span.at)];
    const point = progress[member][lastBefore(progress[member], cursor, (p) => p.at)];
    const cell = (value) => '<td class="number">' + (value === undefined ? "?" : value) + "</td>";
    return "<tr><td>" + escapeText(name) + "</td><td>" + (standing === undefined ? "not there yet" : standing.standing) + "</td>" +
      cell(standing && standing.term > 0 ? standing.term : undefined) + cell(point && point.commit) + cell(point && point.applied) + "</tr>";
  }).join("");
}

function drawList() {
  const first = Math.max(0, Math.min(at - LISTED / 2, filtered.length - LISTED)), last = Math.min(filtered.length, first + LISTED);
  document.querySelector(".count").textContent = filtered.length === 0 ? "none" : at + 1 + " of " + filtered.length;
  list.innerHTML = filtered.slice(first, last).map(({ at: ms, member, text, bad }, i) =>
    '<li data-i="' + (first + i) + '" class="' + (first + i === at ? "now" : "") + '"><span>' + ms.toFixed(3) + "</span><span>" + escapeText(member === null || member === undefined ? "" : run.members[member]) + '</span><span class="' + (bad ? "bad" : "") + '">' + escapeText(text) + "</span></li>").join("");
  const now = list.querySelector(".now");
  if (now !== null) list.scrollTop = now.offsetTop - list.offsetTop - list.clientHeight / 2;
}

function draw() { drawMap(); drawView(); drawTable(); }

function filter() {
  const text = document.querySelector("input.text").value.toLowerCase();
  filtered = events.filter(({ kind, member, text: said }) => shown(kind) && (text === "" || ((member === null || member === undefined ? "" : run.members[member] + " ") + said).toLowerCase().includes(text)));
  at = Math.max(0, lastBefore(filtered, cursor, (event) => event.at));
  drawList();
  drawView();
}

function look(begin, end) {
  const span = Math.min(run.endMs, Math.max(0.05, end - begin));
  from = Math.max(0, Math.min(begin, run.endMs - span));
  to = from + span;
  draw();
}

function goTo(index) {
  if (filtered.length === 0) return;
  at = Math.max(0, Math.min(index, filtered.length - 1));
  cursor = filtered[at].at;
  if (cursor < from || cursor > to) look(cursor - (to - from) / 2, cursor + (to - from) / 2); else draw();
  drawList();
}

function zoom(factor, around) {
  const center = around === undefined ? (cursor >= from && cursor <= to ? cursor : (from + to) / 2) : around;
  look(center - (center - from) * factor, center + (to - center) * factor);
}

const msAt = (svg, event, first, last) => {
  const box = svg.getBoundingClientRect();
  return first + Math.max(0, (event.clientX - box.left) / box.width * widthOf(svg) - LEFT) / (widthOf(svg) - LEFT) * (last - first);
};
document.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => goTo(at + Number(button.dataset.step))));
document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom(Number(button.dataset.zoom))));
document.querySelector(".all").addEventListener("click", () => look(0, run.endMs));
document.querySelector(".focus").addEventListener("click", () => { cursor = run.focusMs; look(run.fromMs, run.toMs); filter(); });
document.querySelectorAll("input").forEach((input) => input.addEventListener("input", filter));
list.addEventListener("click", (event) => { const item = event.target.closest("li"); if (item !== null) goTo(Number(item.dataset.i)); });
document.addEventListener("keydown", (event) => {
  if (event.target.matches('input[type="text"]')) return;
  const action = { ArrowLeft: () => goTo(at - 1), ArrowRight: () => goTo(at + 1), "+": () => zoom(0.5), "-": () => zoom(2) }[event.key];
  if (action !== undefined) { event.preventDefault(); action(); }
});
map.addEventListener("click", (event) => { const ms = msAt(map, event, 0, run.endMs), half = (to - from) / 2; look(ms - half, ms + half); });
view.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.shiftKey) return;
  event.preventDefault();
  zoom(event.deltaY > 0 ? 1.25 : 0.8, msAt(view, event, from, to));
}, { passive: false });
let held;
view.addEventListener("pointerdown", (event) => { held = { x: event.clientX, from, to, moved: false }; });
window.addEventListener("pointermove", (event) => {
  if (held === undefined) return;
  const by = (event.clientX - held.x) / view.getBoundingClientRect().width * (held.to - held.from);
  if (Math.abs(event.clientX - held.x) < 4) return;
  held.moved = true;
  view.classList.add("held");
  look(held.from - by, held.to - by);
});
window.addEventListener("pointerup", (event) => {
  if (held !== undefined && !held.moved) goTo(lastBefore(filtered, msAt(view, event, from, to), (e) => e.at));
  held = undefined;
  view.classList.remove("held");
});
window.addEventListener("resize", draw);
draw();
filter();
document.documentElement.dataset.drawn = "yes";
`;
