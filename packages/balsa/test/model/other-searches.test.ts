import { describe, expect, it } from "vitest";
import { CONFIGURATIONS } from "../../src/model/configurations.js";
import { DepthFirst } from "../../src/model/depth-first.js";
import { checkLiveness } from "../../src/model/liveness.js";
import { beyond, RandomWalk, walkAtRandom } from "../../src/model/random-walk.js";
import { bounds, explored } from "./explored.js";

/** A condition that holds so many times. */
function times(count: number): () => boolean {
  let left = count;
  return () => left-- > 0;
}

describe("random walks beyond the bounds", () => {
  it.each(CONFIGURATIONS.map(({ name }) => name))("%s: nothing is violated", (name) => {
    const walks = walkAtRandom(beyond(bounds(name)), { seed: Date.now() % 100_000, stepsEach: 40, goOn: times(4) });
    expect(walks.counterexample).toBeUndefined();
    expect(walks.steps).toBeGreaterThan(40);
  });

  it("the same seed takes the same way, another one another", () => {
    const [once, again, other] = [5, 5, 6].map((seed) => {
      const walk = new RandomWalk(beyond(bounds("replication")), seed);
      for (let i = 0; i < 20; i++) walk.step();
      return [...walk.state];
    });
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });
});

describe("fair runs from where a random walk ends", () => {
  it.each(["elections", "replication", "async-writes", "pre-vote", "pre-vote-logs", "snapshots", "transfer"])(
    "%s: a connected majority comes to a leader and commits",
    (name) => {
      const { runs, counterexample } = checkLiveness(bounds(name), { seed: 3, stepsEach: 30, goOn: times(8) });
      expect(counterexample).toBeUndefined();
      expect(runs).toBe(8);
    },
  );
});

describe("depth first, deeper from time to time", () => {
  it("meets the states that are met level by level", () => {
    const configuration = bounds("re-election");
    const search = new DepthFirst(configuration);
    search.deepen(8, 8, () => true);
    const levels = explored(configuration).search;
    expect(search.complete).toBe(true);
    // The first state is not met, it is where both begin.
    expect(search.states + 1).toBe(levels.states);
  });
});
