import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";

const CORE = fileURLToPath(new URL("../../src/core/index.ts", import.meta.url));

test("the core bundles for a browser as it is, and runs where there is nothing but the language", async () => {
  const bundle = await build({
    entryPoints: [CORE],
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "balsa",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  expect(bundle.warnings).toEqual([]);
  const foreign = Object.keys(bundle.metafile.inputs).filter((path) => !path.includes("src/core/"));
  expect(foreign).toEqual([]);
  // No DOM, no Node: what the core asked for beyond the language would be a ReferenceError here.
  const context = createContext({});
  runInContext(bundle.outputFiles[0]?.text ?? "", context);
  const committed: unknown = runInContext(
    `
    const storage = new balsa.MemoryStorage();
    const confState = { ...balsa.EMPTY_CONF_STATE, voters: [1] };
    storage.applySnapshot({ meta: { index: 1, term: 1, confState }, data: new Uint8Array(0) });
    storage.setHardState({ term: 1, vote: 0, commit: 1 });
    const node = new balsa.RawNode({ id: 1, electionTicks: 10, heartbeatTicks: 1, storage, random: () => 0 });
    const applied = [];
    const settle = () => {
      while (node.hasReady()) {
        const ready = node.ready();
        if (ready.hardState) storage.setHardState(ready.hardState);
        storage.append(ready.entries);
        for (const entry of ready.committedEntries) applied.push(entry.data.length);
        node.advance();
      }
    };
    node.campaign();
    settle();
    node.propose(new Uint8Array(3));
    settle();
    applied.join();
    `,
    context,
  );
  expect(committed).toBe("0,3");
});
