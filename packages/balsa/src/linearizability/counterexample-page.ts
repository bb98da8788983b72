import { escapeHtml } from "./escape-html.js";
import { DRAWN_OPERATIONS_MAX_DEFAULT, LISTED_OPERATIONS_MAX } from "./limits.js";
import type { Model } from "./model.js";
import type { Operation } from "./operation.js";
import { abridge, describeKeys, describeOperation } from "./operation-description.js";
import { type Bar, layOut, type PageLayout, type Point } from "./page-layout.js";
import { PAGE_STYLE } from "./page-style.js";
import type { Attempt, Counterexample } from "./verdict.js";

export interface PageOptions {
  /** Above the page. Default: the model's name and that the history is not linearizable. */
  readonly title?: string | undefined;
  /** Of the history's times. Default `ms`. */
  readonly timeUnit?: string | undefined;
  /** The last so many operations are drawn. Default 200. */
  readonly operationsMax?: number | undefined;
}

/**
 * A counterexample as one HTML page that needs nothing else: a bar for each operation on a time line for each client,
 * details on hovering or focusing it, and the longest partial linearizations to choose from, drawn as a line from effect
 * to effect. All texts are escaped; the page runs no script and loads nothing, and its own policy forbids both.
 */
export function drawCounterexample<State, Input, Output>(
  model: Model<State, Input, Output>,
  counterexample: Counterexample<State, Input, Output>,
  options: PageOptions = {},
): string {
  const { operation, prefix, attempts, keys } = counterexample;
  const title = escapeHtml(options.title ?? `${model.name}: not linearizable`);
  const unit = options.timeUnit ?? "ms";
  const layout = layOut(counterexample, options.operationsMax ?? DRAWN_OPERATIONS_MAX_DEFAULT);
  const notDrawn = prefix.length - layout.bars.length;
  const choices = attempts.map((_, i) => `.choice-${i}:checked ~ * .attempt-${i}{display:block}`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${PAGE_STYLE}${choices}</style>
</head>
<body>
<h1>${title}</h1>
<p>In ${text(describeKeys(keys))}, all that was answered before <span class="culprit">${text(describeOperation(model, operation))}</span>,
operation ${operation.id} of ${text(operation.client)}, can have happened in some order. Together with it there is none.</p>
<p class="faint">${prefix.length} operations began before it${notDrawn === 0 ? "" : `, the last ${layout.bars.length} are drawn`}.
Hover over one for details. A broken edge: not answered by then. Distances follow time, but short ones are stretched and
long ones cut.</p>
${attempts.map(drawChoice).join("\n")}
<section class="lanes"><div class="line" style="width:${layout.width}px;height:${layout.height}px">
${drawLanes(layout, unit)}
${layout.bars.map((bar) => drawBar(model, counterexample, bar, unit)).join("\n")}
${layout.points.map(drawOrder).join("\n")}
</div></section>
<section>
${attempts.map((attempt, i) => drawAttempt(model, attempt, i)).join("\n")}
</section>
</body>
</html>
`;
}

function text(value: string): string {
  return escapeHtml(abridge(value));
}

function drawChoice(attempt: Attempt<unknown, unknown, unknown>, i: number): string {
  const checked = i === 0 ? " checked" : "";
  const input = `<input type="radio" name="attempt" id="choice-${i}" class="choice-${i}"${checked}>`;
  return `${input}<label for="choice-${i}" class="choices">attempt ${i + 1}, ${attempt.order.length} placed</label>`;
}

function drawLanes({ lanes, ticks, bars }: PageLayout<unknown, unknown>, unit: string): string {
  const drawn = lanes.map(
    ({ client, top, height }) =>
      `<div class="lane" style="top:${top - 3}px;height:${height}px"><span class="label">${text(client)}</span></div>`,
  );
  // Times are written where there is room for them.
  let writtenTo = Number.NEGATIVE_INFINITY;
  for (const { x, at } of bars.length === 0 ? [] : ticks) {
    const label = x < writtenTo ? "" : `<span>${at} ${text(unit)}</span>`;
    if (label !== "") writtenTo = x + 16 + 7 * `${at} ${unit}`.length;
    drawn.push(`<div class="tick" style="left:${x}px">${label}</div>`);
  }
  return drawn.join("\n");
}

function drawBar<State, Input, Output>(
  model: Model<State, Input, Output>,
  { operation: culprit, attempts }: Counterexample<State, Input, Output>,
  { operation, left, width, top, height, isOpen, givenUpAt }: Bar<Input, Output>,
  unit: string,
): string {
  const { id, client, invokedAt, endedAt, outcome } = operation;
  const kind = id === culprit.id ? "bad" : outcome.kind;
  const places = attempts.map(({ order }) => order.findIndex((placed) => placed.id === id) + 1);
  const details = [
    ["operation", `${id} of ${client}`],
    ["call", abridge(model.describe.input(operation.input))],
    ["answer", answerOf(model, operation)],
    ["invoked", `${invokedAt} ${unit}`],
    [outcome.kind === "unknown" ? "given up" : "ended", endedAt === undefined ? "never" : `${endedAt} ${unit}`],
    ...places.map((place, i) => [`attempt ${i + 1}`, id === culprit.id ? "no place" : placeOf(place)]),
  ];
  const list = details.map(([term = "", detail = ""]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(detail)}</dd>`);
  const style = `left:${left}px;top:${top}px;width:${width}px;height:${height}px`;
  const mark = givenUpAt === undefined ? "" : `<span class="given-up" style="left:${givenUpAt - left}px"></span>`;
  const label = text(describeOperation(model, operation));
  return `<div class="bar ${kind}${isOpen ? " open" : ""}" style="${style}" tabindex="0"><span class="text">${label}</span>${mark}<div class="card"><dl>${list.join("")}</dl></div></div>`;
}

function answerOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  { input, outcome }: Operation<Input, Output>,
): string {
  if (outcome.kind === "completed") return abridge(model.describe.output(outcome.output, input));
  return outcome.kind === "failed" ? "failed, without effect" : "unknown: may take effect at any time after, or never";
}

function placeOf(place: number): string {
  return place === 0 ? "not placed" : `place ${place}`;
}

function drawOrder(points: readonly Point[], i: number): string {
  const line = points.map(({ x, y }) => `${x.toFixed(1)},${y}`).join(" ");
  const marks = points.map(
    ({ x, y, ordinal }) =>
      `<circle cx="${x.toFixed(1)}" cy="${y}" r="8"/><text x="${x.toFixed(1)}" y="${y + 3}">${ordinal}</text>`,
  );
  return `<svg class="order attempt-${i}" width="1" height="1"><polyline points="${line}"/>${marks.join("")}</svg>`;
}

function drawAttempt<State, Input, Output>(
  model: Model<State, Input, Output>,
  { order, state, refusals }: Attempt<State, Input, Output>,
  i: number,
): string {
  const listed = order.slice(-LISTED_OPERATIONS_MAX);
  const first = order.length - listed.length + 1;
  const told = (operation: Operation<Input, Output>): string =>
    `<code>${text(describeOperation(model, operation))}</code> <span class="faint">${text(operation.client)}</span>`;
  const omitted = first === 1 ? "" : `<p class="faint">after ${first - 1} others</p>`;
  const refused = refusals.map(({ operation, reason }, r) => {
    const kind = r === 0 ? "culprit" : "faint";
    return `<li>${told(operation)}: <span class="${kind}">${text(reason)}</span></li>`;
  });
  return `<div class="attempt attempt-${i}"><h2>Attempt ${i + 1}: ${order.length} operations placed</h2>
${omitted}<ol start="${first}">${listed.map((placed) => `<li>${told(placed)}</li>`).join("\n")}</ol>
<p>The state is then <code>${text(model.describe.state(state))}</code>, and these can't follow:</p>
<ul>${refused.join("\n")}</ul></div>`;
}
