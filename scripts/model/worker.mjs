import { parentPort, workerData } from "node:worker_threads";
import { BreadthFirst, CONFIGURATIONS, Visited } from "balsa/model";

/*
 * One thread of an exploration. All threads go through the first levels alike, so that they number nothing apart; then
 * each keeps its share of the level and whatever it is the first to find from there. They know of each other's states
 * by the fingerprints in the memory that they share, and go from level to level together.
 */

/** @typedef {{ name: string, thread: number, threads: number, table: SharedArrayBuffer, control: SharedArrayBuffer }} Task */

/** Words of the control memory. */
const STOP = 0;
const ARRIVED = 1;
const GENERATION = 2;
const STATES = 3;
const WAITING = 8;

/** A level this large is worth sharing. */
const SHARED_FROM = 4096;

/** @type {Task} */
const task = workerData;
const control = new Int32Array(task.control);
const visited = new Visited(task.table);

tellEnd(explore());

function explore() {
  const configuration = CONFIGURATIONS.find(({ name }) => name === task.name);
  if (configuration === undefined) throw new Error(`no configuration "${task.name}"`);
  const alone = task.thread === 0 ? visited : new Visited(Visited.memoryFor(SHARED_FROM * 64));
  const search = Object.assign(new BreadthFirst(configuration, alone), { sharedStates: 0 });
  while (search.levelStates < SHARED_FROM && search.levelStates > 0) {
    // Not to be stopped: all threads have to come out of this alike.
    search.expandLevel(() => true);
    if (search.counterexample !== undefined) return { search, complete: false };
    search.turn();
    if (task.thread === 0) report(search);
  }
  if (search.levelStates === 0) return { search, complete: true };
  search.sharedStates = search.states;
  search.lookUpIn(visited);
  search.share(task.thread, task.threads);
  meet();
  return { search, complete: exploreTogether(search) };
}

/** @param {InstanceType<typeof BreadthFirst> & { sharedStates: number }} search */
function exploreTogether(search) {
  let told = task.thread === 0 ? 0 : search.states;
  const tell = () => {
    Atomics.add(control, STATES, search.states - told);
    told = search.states;
    if (Atomics.load(control, STATES) >= visited.capacity) Atomics.store(control, STOP, 1);
    return Atomics.load(control, STOP) === 0;
  };
  for (;;) {
    if (!search.expandLevel(tell) || search.counterexample !== undefined) Atomics.store(control, STOP, 1);
    tell();
    search.turn();
    Atomics.store(control, WAITING + task.thread, search.waitingWords > 0 ? 1 : 0);
    meet();
    const stopped = Atomics.load(control, STOP) !== 0;
    const waiting = control.subarray(WAITING, WAITING + task.threads).some((words) => words > 0);
    if (task.thread === 0) report(search);
    meet();
    if (stopped || !waiting) return !stopped;
  }
}

/** @param {{ depth: number, states: number }} search */
function report({ depth, states }) {
  parentPort?.postMessage({ depth, states: Math.max(states, Atomics.load(control, STATES)) }, []);
}

/** @param {ReturnType<typeof explore>} outcome */
function tellEnd({ search, complete }) {
  const { states, transitions, depth, counterexample } = search;
  // The first levels are everybody's; one counts them.
  const own = states - (task.thread === 0 ? 0 : search.sharedStates);
  const memory = search.memory();
  parentPort?.postMessage({ done: true, states: own, transitions, depth, complete, memory, counterexample }, []);
}

/** Waits until all threads are here. */
function meet() {
  const generation = Atomics.load(control, GENERATION);
  if (Atomics.add(control, ARRIVED, 1) + 1 === task.threads) {
    Atomics.store(control, ARRIVED, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    return;
  }
  while (Atomics.load(control, GENERATION) === generation) Atomics.wait(control, GENERATION, generation);
}
