/** What the page of a run looks like besides what all pages do. */
export const RUN_PAGE_STYLE = `
:root { --up: 84%; --leads: 40%; --append: #2b6cb0; --vote: #b7791f; --beat: #9aa4b2; --other: #7d5ab5; --answered: #2f855a; }
@media (prefers-color-scheme: dark) { :root { --up: 24%; --leads: 52%; --append: #6cb0f0; --vote: #e0b050; --beat: #5c6675;
  --other: #b294e8; --answered: #68c08e; } }
.detail { white-space: pre-line; max-width: 120ch; }
.sticky { position: sticky; top: 0; z-index: 6; background: var(--paper); padding: 8px 0; border-bottom: 1px solid var(--line); }
.tools { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; font-size: 13px; }
.tools label { cursor: pointer; white-space: nowrap; } .tools input[type="text"] { width: 180px; }
button, .tools input[type="text"] { font: inherit; color: inherit; background: var(--lane); border: 1px solid var(--line);
  border-radius: 4px; padding: 2px 9px; } button { cursor: pointer; }
button:focus-visible, svg:focus-visible, .events li:focus-visible { outline: 2px solid var(--order); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 4px; }
svg { display: block; width: 100%; user-select: none; } svg text { font: 11px ui-monospace, monospace; fill: var(--ink); }
svg text.faint { fill: var(--faint); } svg .name { font-weight: 600; font-size: 12px; }
.map { cursor: crosshair; margin-top: 8px; } .view { cursor: grab; touch-action: none; } .view.held { cursor: grabbing; }
.lane-back { fill: var(--lane); } .rule { stroke: var(--line); stroke-width: 1; }
.standing { fill: hsl(var(--h) 45% var(--up)); } .standing.leader { fill: hsl(var(--h) 60% var(--leads)); }
.standing.candidate, .standing.pre-candidate { fill: var(--vote); } .standing.down { fill: url(#down); }
.standing.starting, .standing.repairing { fill: url(#starting); } svg text.on-leader, svg text.on-candidate { fill: #fff; }
.message { stroke-width: 1.2; fill: none; opacity: .8; } .message.lost { stroke-dasharray: 3 3; }
.message.append { stroke: var(--append); } .message.vote { stroke: var(--vote); } .message.heartbeat { stroke: var(--beat); }
.message.other { stroke: var(--other); } .message:hover { stroke-width: 3.5; opacity: 1; }
.operation.completed { fill: var(--answered); } .operation.failed { fill: var(--beat); } .operation.unknown { fill: var(--vote); }
.fault { fill: var(--bad); opacity: .75; } .fault-span { fill: var(--bad); opacity: .16; } .event { fill: var(--other); }
.violation { stroke: var(--bad); stroke-width: 4; } .cursor { stroke: var(--order); stroke-width: 1.5; }
.window { fill: var(--order); opacity: .16; stroke: var(--order); } svg text.bad { fill: var(--bad); font-weight: 600; }
.columns { display: grid; grid-template-columns: minmax(300px, 380px) 1fr; gap: 24px; margin-top: 12px; align-items: start; }
@media (max-width: 800px) { .columns { grid-template-columns: 1fr; } }
table { border-collapse: collapse; font: 12px ui-monospace, monospace; } th { text-align: left; color: var(--faint); font-weight: 400; }
th, td { padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); } td.number { text-align: right; }
.events { list-style: none; margin: 8px 0; padding: 0; height: 420px; overflow-y: auto; border: 1px solid var(--line);
  border-radius: 6px; font: 12px/1.6 ui-monospace, monospace; }
.events li { display: grid; grid-template-columns: 92px 84px 1fr; gap: 8px; padding: 1px 8px; cursor: pointer; overflow-wrap: anywhere; }
.events li:hover { background: var(--lane); } .events li.now { background: var(--placed); color: var(--placed-ink); }
.events .bad { color: var(--bad); } .history { width: 100%; height: 75vh; border: 1px solid var(--line); border-radius: 6px; }
`;
