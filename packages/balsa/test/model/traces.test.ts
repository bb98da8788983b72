import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { RawNode } from "../../src/core/index.js";
import { InteractionReplay } from "../conformance/interaction.js";
import { parseTrace } from "../conformance/trace-file.js";
import type { Shown } from "./trace-walk.js";
import { TraceWalk } from "./trace-walk.js";

const folder = fileURLToPath(new URL("../../../../../shared/conformance/interaction", import.meta.url));
const present = existsSync(folder);

/**
 * The traces of etcd's library whose nodes begin alike and whose directives are among the explorer's actions: it can
 * take each step, and comes to the states that they pass through. Where writes are asynchronous that is checked after
 * every directive but those of the storage's threads, whose answers to the node itself a trace delivers by the next one
 * and the explorer at once. The other traces store and apply within a Ready, which for the explorer are several steps:
 * it is checked where all is at rest.
 */
describe.skipIf(!present)(`the explorer along recorded traces (${present ? "from" : "not there:"} ${folder})`, () => {
  it.each([
    ["campaign", "at rest"],
    ["single_node", "at rest"],
    ["prevote", "at rest"],
    ["confchange_v1_remove_leader", "at rest"],
    ["probe_and_replicate", "at rest"],
    ["async_storage_writes", "always"],
  ])("%s", (name, when) => {
    const steps = parseTrace(readFileSync(`${folder}/${name}.txt`, "utf8"));
    const replay = new InteractionReplay();
    const walk = new TraceWalk(steps);
    let compared = 0;
    for (const step of steps) {
      replay.run(step);
      walk.perform(step);
      const atRest = step.directive === "stabilize" && step.args.every(({ key }) => !/^\d+$/.test(key));
      if (when === "always" ? step.directive.endsWith("-thread") : !atRest) continue;
      expect(walk.shown(), `line ${step.line}: ${step.text}`).toEqual(shownBy(replay, walk.offset));
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

function shownBy(replay: InteractionReplay, offset: number): readonly Shown[] {
  const nodes = Reflect.get(replay, "nodes") as readonly { readonly raw: RawNode }[];
  return nodes.map(({ raw }) => {
    const { role, term, lead, commit, applied, lastIndex } = raw;
    // Their nodes begin at term 0, before an entry of term 1; the explorer's at the term of that entry.
    return { role, term: term + 1, lead, commit: commit - offset, applied: applied - offset, last: lastIndex - offset };
  });
}
