/** What the page of a counterexample looks like, by day and by night. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --faint: #6a7484; --paper: #fbfaf7; --lane: #f0eee7; --line: #d8d4c8;
  --placed: #cfe0f2; --placed-ink: #17395c; --bad: #c22f2f; --unknown: #f4dfb0; --failed: #dcdcdc; --order: #2b6cb0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e0; --faint: #98a2b3; --paper: #14171c; --lane: #1c2129;
  --line: #343b47; --placed: #26405c; --placed-ink: #d5e6f8; --bad: #e05252; --unknown: #5c4a1e; --failed: #3a3d42;
  --order: #6cb0f0; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
p { margin: 4px 0; max-width: 80ch; } code, .bar, .card, .label { font-family: ui-monospace, monospace; font-size: 12px; }
.faint { color: var(--faint); } .culprit { color: var(--bad); font-weight: 600; }
.choices { margin: 16px 0 0; display: inline-block; } input[type="radio"] { accent-color: var(--order); }
input[type="radio"] + label { margin-right: 16px; cursor: pointer; }
.lanes { overflow-x: auto; margin: 12px 0; border: 1px solid var(--line); border-radius: 6px; padding: 28px 24px 190px 0; }
.line { position: relative; margin-left: 120px; }
.lane { position: absolute; left: -120px; right: 0; background: var(--lane); }
.label { position: sticky; left: 0; display: inline-block; width: 112px; padding: 4px 8px; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; background: var(--lane); z-index: 3; }
.tick { position: absolute; top: -20px; bottom: 0; border-left: 1px dotted var(--line); }
.tick span { position: absolute; left: 2px; top: 0; font-size: 10px; color: var(--faint); white-space: nowrap; }
.bar { position: absolute; border-radius: 4px; background: var(--placed); color: var(--placed-ink); outline-offset: 1px; }
.bar:hover, .bar:focus { outline: 2px solid var(--order); z-index: 5; }
.bar .text { display: block; height: 100%; padding: 3px 6px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.bar.open { border-top-right-radius: 0; border-bottom-right-radius: 0; border-right: 3px dotted var(--faint); }
.bar.unknown { background: var(--unknown); color: var(--ink); } .bar.failed { background: var(--failed); color: var(--faint); }
.bar.bad { background: var(--bad); color: #fff; }
.given-up { position: absolute; top: 0; bottom: 0; border-left: 2px dashed var(--faint); }
.card { display: none; position: absolute; top: 100%; left: 0; z-index: 9; margin-top: 4px; padding: 8px 12px; width: max-content;
  max-width: 460px; background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 6px;
  box-shadow: 0 4px 14px rgb(0 0 0 / 25%); overflow-wrap: anywhere; }
.bar:hover .card, .bar:focus .card { display: block; } .card dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0; }
.card dt { color: var(--faint); } .card dd { margin: 0; }
.order { display: none; position: absolute; left: 0; top: 0; pointer-events: none; z-index: 4; overflow: visible; }
.order polyline { fill: none; stroke: var(--order); stroke-width: 1.5; opacity: .55; }
.order circle { fill: var(--order); } .order text { fill: var(--paper); font: 600 9px ui-monospace, monospace; text-anchor: middle; }
.attempt { display: none; } .attempt ol { margin: 8px 0; padding-left: 48px; } .attempt li { overflow-wrap: anywhere; }
`;
