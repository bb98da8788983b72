import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/model/configuration.js";
import type { History } from "../../src/model/history.js";
import { normalForm } from "../../src/model/normal-form.js";
import { Space } from "../../src/model/space.js";
import { Successors } from "../../src/model/successors.js";
import { bounds } from "./explored.js";

interface Seen {
  readonly states: number;
  /** What the states are when they are seen through another configuration's reductions. */
  readonly images: ReadonlySet<string>;
  /** All renamings of all states. */
  readonly orbits: number;
}

/** Explores `configuration`, and looks at each of its states through the reductions of `lens`. */
function look(configuration: Configuration, lens: Configuration, part: "whole" | "without messages" = "whole"): Seen {
  const successors = new Successors(new Space(configuration));
  const through = new Image(successors, new Space(lens), part);
  const seen = new Set<string>();
  const images = new Set<string>();
  let orbits = 0;
  successors.begin();
  const take = (): Int32Array | undefined => {
    expect(successors.violation).toBeUndefined();
    const fingerprint = `${successors.low}/${successors.high}`;
    if (seen.has(fingerprint)) return undefined;
    seen.add(fingerprint);
    orbits += successors.orbitSize();
    const state = successors.child.slice(0, successors.childWords);
    images.add(through.of(state));
    return state;
  };
  for (let level = [take()]; level.length > 0; ) {
    const next: (Int32Array | undefined)[] = [];
    for (const state of level) {
      if (state === undefined) continue;
      successors.expand(state, 0, () => {
        const found = take();
        if (found !== undefined) next.push(found);
        return false;
      });
    }
    level = next;
  }
  return { states: seen.size, images, orbits };
}

class Image {
  private readonly successors: Successors;
  private readonly lens: Space;
  private readonly part: "whole" | "without messages";

  constructor(successors: Successors, lens: Space, part: "whole" | "without messages") {
    this.successors = successors;
    this.lens = lens;
    this.part = part;
  }

  of(state: Int32Array): string {
    const { space, nodes, headWords } = this.successors;
    const { lens } = this;
    const cells = Array.from(state.subarray(0, nodes), (number) => {
      const cell = space.cells[number]!;
      return lens.cellNumber({ ...cell, node: normalForm(cell.node, lens.configuration) });
    });
    const past = lens.historyNumber(space.histories[state[nodes]!] as History);
    const spent = this.part === "whole" ? [...state.subarray(nodes + 1, headWords - 1)] : [];
    const messages = Array.from(state.subarray(headWords), (number) => lens.messageNumber(space.messages[number]!));
    const alive = messages.filter((message) => !lens.dead.isDead(message, cells[lens.receivers.items[message]!]!));
    return [...cells, past, ...spent, "|", ...(this.part === "whole" ? alive.sort((a, b) => a - b) : [])].join(" ");
  }
}

const small: readonly (readonly [string, Configuration])[] = [
  ["elections", bounds("elections", { maxTerm: 2 }, { crashes: 0 })],
  ["elections, slow disks", bounds("async-writes", { maxTerm: 2, nodes: 2 })],
  ["replication", bounds("replication", { maxTerm: 2, nodes: 2 }, { heartbeats: 1 })],
  ["two leaders of two nodes", bounds("replication", { nodes: 2 }, { duplicates: 0, proposals: 0 })],
];

describe("each reduction against its absence", () => {
  it.each(small)("symmetry in %s: the renamings of its states are all there are", (_name, configuration) => {
    const whole = { ...configuration, reductions: { ...configuration.reductions, symmetry: false } };
    const reduced = look(configuration, configuration);
    expect(reduced.states).toBeLessThan(reduced.orbits);
    expect(reduced.orbits).toBe(look(whole, whole).states);
  });

  it.each(small)("dead state in %s: what is left out changes nothing else", (_name, configuration) => {
    const reduced = { ...configuration, reductions: { ...configuration.reductions, symmetry: false } };
    const whole = { ...reduced, reductions: { ...reduced.reductions, deadState: false } };
    const seen = look(whole, reduced);
    expect(seen.images).toEqual(imagesOf(reduced));
    expect(seen.states).toBeGreaterThanOrEqual(seen.images.size);
  });

  it.each(small)("dead messages in %s: what is left out changes nothing else", (_name, configuration) => {
    const reduced = { ...configuration, reductions: { ...configuration.reductions, symmetry: false } };
    const whole = { ...reduced, reductions: { ...reduced.reductions, deadMessages: false } };
    const seen = look(whole, reduced);
    expect(seen.images).toEqual(imagesOf(reduced));
    expect(seen.states).toBeGreaterThan(seen.images.size);
  });

  it("loss as delay: with losses as steps the nodes come to the same states", () => {
    const reduced = bounds("elections", { maxTerm: 2, nodes: 2 }, { crashes: 0 }, { symmetry: false });
    const whole = { ...reduced, reductions: { ...reduced.reductions, lossIsDelay: false } };
    const seen = look(whole, reduced, "without messages");
    expect(seen.images).toEqual(look(reduced, reduced, "without messages").images);
    expect(seen.states).toBeGreaterThan(look(reduced, reduced).states);
  });
});

function imagesOf(configuration: Configuration): ReadonlySet<string> {
  return look(configuration, configuration).images;
}
