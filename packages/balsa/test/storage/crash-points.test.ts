import { expect, test } from "vitest";
import type { CrashChoice } from "../../src/sim/index.js";
import { keepUnsynced, loseUnsynced, Prng } from "../../src/sim/index.js";
import { crashPoint, type RecordedWorkload, recordWorkload } from "./crash-workload.js";
import { difference, type Found } from "./log-model.js";
import { crashedDisk, type JournalStep, RecordedFiles } from "./recorded-files.js";
import { allEntries, openStorage } from "./storages.js";

/** Of the crash states that are not the two plain ones, for each step. */
const DRAWN_PER_STEP = 6;
/** Of the crash points inside a recovery, one in so many is tried. */
const RECOVERY_CRASH_ONE_IN = 7;

const SEED = process.env["BALSA_SEED"] ?? String(Date.now());

function anyOrder(prng: Prng): CrashChoice {
  return {
    keep: (sequences) => prng.below(sequences.length + 1),
    tear: () => (prng.chance(0.25) ? prng.below(512) : 0),
  };
}

async function found(files: RecordedFiles): Promise<Found> {
  const storage = await openStorage(files);
  const snapshot = storage.snapshot().meta;
  const result: Found = {
    hardState: storage.initialState().hardState,
    snapshot: snapshot.index === 0 ? undefined : snapshot,
    entries: allEntries(storage),
  };
  await storage.close();
  return result;
}

/** Recovery gives a state that was written, no older than what was acknowledged. */
function check({ states }: RecordedWorkload, steps: readonly JournalStep[], recovered: Found): void {
  const point = crashPoint(steps);
  expect(recovered.snapshot?.index ?? 0).toBeGreaterThanOrEqual(point.snapshotIndex);
  const reasons: string[] = [];
  for (let writes = point.acknowledged; writes <= point.submitted; writes++) {
    const state = states[writes];
    const reason = state === undefined ? "no such state" : difference(state, recovered);
    if (reason === undefined) return;
    reasons.push(`not ${writes} writes: ${reason}`);
  }
  throw new Error(reasons.join("; "));
}

test("F1 a crash at any write boundary loses nothing acknowledged and invents nothing", async () => {
  const workload = await recordWorkload();
  const { journal } = workload;
  const prng = new Prng(`crash points ${SEED}`);
  let crashes = 0;
  for (let length = 1; length <= journal.length; length++) {
    const steps = journal.slice(0, length);
    const choices = [keepUnsynced, loseUnsynced];
    for (let i = 0; i < DRAWN_PER_STEP; i++) choices.push(anyOrder(prng));
    for (const [i, choice] of choices.entries()) {
      try {
        const files = new RecordedFiles(crashedDisk(steps, choice));
        check(workload, steps, await found(files));
        // What was recovered stays.
        if (i < 2) check(workload, steps, await found(files));
        crashes++;
      } catch (cause) {
        throw new Error(`crash ${i} after ${length} of ${journal.length} steps, seed ${SEED}`, { cause });
      }
    }
  }
  expect(crashes).toBeGreaterThan(1000);
  console.log(`${crashes} crash states, seed ${SEED}`);
});

test("F1 a crash within recovery is recovered from", async () => {
  const workload = await recordWorkload();
  const prng = new Prng(`crashes in recovery ${SEED}`);
  let crashes = 0;
  for (let length = 1; length <= workload.journal.length; length++) {
    const steps = workload.journal.slice(0, length);
    const files = new RecordedFiles(crashedDisk(steps, anyOrder(new Prng(`${SEED} ${length}`))));
    await found(files);
    const { journal } = files;
    for (let inner = 1; inner <= journal.length; inner++) {
      if (!prng.chance(1 / RECOVERY_CRASH_ONE_IN)) continue;
      // The same first crash, then the recovery as far as it got, then a second crash.
      const disk = crashedDisk(steps, anyOrder(new Prng(`${SEED} ${length}`)));
      const twice = new RecordedFiles(crashedDisk(journal.slice(0, inner), anyOrder(prng), disk));
      try {
        check(workload, steps, await found(twice));
        crashes++;
      } catch (cause) {
        throw new Error(`step ${length}, then step ${inner} of its recovery, seed ${SEED}`, { cause });
      }
    }
  }
  expect(crashes).toBeGreaterThan(100);
});
