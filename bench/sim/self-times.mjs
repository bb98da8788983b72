/**
 * Where the time of a profile went: each function's own share, largest first.
 * @param {import("node:inspector").Profiler.Profile} profile
 */
export function selfTimes(profile) {
  const { nodes, samples = [], timeDeltas = [] } = profile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  /** @type {Map<string, number>} */
  const times = new Map();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    // While others have the processor nothing is spent.
    if (name === "(idle)") continue;
    const delta = timeDeltas[i] ?? 0;
    total += delta;
    times.set(name, (times.get(name) ?? 0) + delta);
  }
  return [...times].map(([name, time]) => ({ name, share: time / total })).sort((a, b) => b.share - a.share);
}

/** @param {import("node:inspector").Runtime.CallFrame} callFrame */
function nameOf({ functionName, url, lineNumber }) {
  const where = /\/dist\/(.*)$/.exec(url)?.[1] ?? url.slice(url.lastIndexOf("/") + 1);
  const name = functionName === "" ? "(anonymous)" : functionName;
  return where === "" ? name : `${name}  ${where}:${lineNumber + 1}`;
}
