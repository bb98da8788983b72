import { beyond, CONFIGURATIONS, checkLiveness, DepthFirst, walkAtRandom } from "balsa/model";

/*
 * Other ways through a configuration than all of its states, level by level.
 */

/** Steps of a random walk. */
const WALK_STEPS = 80;

/** @type {Readonly<Record<string, (configuration: any, seed: number, goOn: () => boolean) => any>>} */
const modes = {
  walks: (configuration, seed, goOn) => walkAtRandom(beyond(configuration), { seed, stepsEach: WALK_STEPS, goOn }),
  liveness: (configuration, seed, goOn) => checkLiveness(configuration, { seed, stepsEach: WALK_STEPS, goOn }),
  deepening: (configuration, _seed, goOn) => {
    const search = new DepthFirst(configuration);
    search.deepen(6, 2, goOn);
    const { states, depth, complete, counterexample } = search;
    return { states, depth, complete, counterexample };
  },
};

/**
 * @param {string} mode
 * @param {string} name
 * @param {{ seconds: number, seed: number }} limits
 */
export function inMode(mode, name, { seconds, seed }) {
  const configuration = CONFIGURATIONS.find((candidate) => candidate.name === name);
  const run = modes[mode];
  if (configuration === undefined || run === undefined) throw new Error(`no mode ${mode}, or no configuration ${name}`);
  const startMs = performance.now();
  const elapsed = () => (performance.now() - startMs) / 1000;
  const found = run(configuration, seed, () => elapsed() < seconds);
  const violations = found.counterexample === undefined ? 0 : 1;
  return { name, mode, complete: false, ...found, seconds: Number(elapsed().toFixed(1)), violations };
}
