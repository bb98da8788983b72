// Opens the directory named by the first argument, and prints how long that took, in ms, and how many entries there were.
import { silentLogger } from "balsa/platform";
import { nodePlatform } from "balsa/platform/node";
import { DiskStorage } from "balsa/storage";

const [, , dir] = process.argv;
if (dir === undefined) throw new Error("name a data directory");
const platform = nodePlatform({ logger: silentLogger });
const startMs = performance.now();
const storage = await DiskStorage.open({ platform, dir, expect: { kind: "existing", group: 1, name: "bench" } });
const ms = performance.now() - startMs;
const entries = storage.lastIndex() - storage.firstIndex() + 1;
await storage.close();
console.log(JSON.stringify({ ms, entries }));
