import { createHash } from "node:crypto";
import { Prng, type SimDisk } from "../../src/sim/index.js";
import { crashed, drawCrash, everyCrash, forked } from "./crash-choices.js";
import { type Found, type LegalStates, legalState } from "./log-model.js";
import { type Effect, RecordedFiles } from "./recorded-files.js";
import { type Step, StorageTrial } from "./storage-trial.js";
import { append, contentOf, DIR, entry, foundIn, openStorage, payload, plain } from "./storages.js";

/** A moment between two effects on the disk: where the power may go. */
interface CrashPoint {
  readonly disk: SimDisk;
  readonly effect: Effect;
  /** What was promised by the end of the moment, and handed over by its beginning. */
  legal: LegalStates;
}

/** What was tried. */
export class CrashTally {
  /** Moments at which the power went. */
  points = 0;
  /** Those of them whose states were all tried, sector by sector. */
  exhausted = 0;
  /** States that a crash may have left, each recovered and compared with what it may hold. */
  states = 0;
  /** Of these, how many differ in what the disk holds; a workload's disk is never another one's. */
  distinct = 0;
  /** Crashes while a state was being recovered, and right after it. */
  inRecovery = 0;
  afterRecovery = 0;

  add(other: CrashTally): void {
    this.points += other.points;
    this.exhausted += other.exhausted;
    this.states += other.states;
    this.distinct += other.distinct;
    this.inRecovery += other.inRecovery;
    this.afterRecovery += other.afterRecovery;
  }

  toString(): string {
    return (
      `${this.states} crash states (${this.distinct} distinct disks) at ${this.points} write boundaries, ` +
      `${this.exhausted} of them exhausted; ${this.inRecovery} crashes within a recovery, ${this.afterRecovery} behind one`
    );
  }
}

/** Where a moment has no more states than this, all are tried. */
const EVERY_STATE_MAX = 256;
/** Drawn in addition: torn within sectors, and where there are too many. */
const DRAWN_TORN = 12;
const DRAWN_OF_MANY = 64;
const IN_RECOVERY_ODDS = 1 / 8;
const AFTER_RECOVERY_ODDS = 1 / 4;

/** Runs one workload, drawn from the seed, and recovers from what a crash may leave at each of its write boundaries. */
export class CrashExplorer {
  readonly tally: CrashTally = new CrashTally();
  readonly #seed: string;
  readonly #prng: Prng;
  /** What each disk that has been recovered came back with. */
  readonly #recovered = new Map<string, Found>();

  constructor(seed: string) {
    this.#seed = seed;
    this.#prng = new Prng(`crash states ${seed}`);
  }

  /** @param effects about so many write boundaries */
  async run(effects: number): Promise<void> {
    const points = await this.#record(effects);
    for (const [i, point] of points.entries()) {
      this.tally.points++;
      const seen = new Set<string>();
      const disks = this.#statesOf(point);
      for (const [j, disk] of disks.entries()) {
        try {
          await this.#check(point, disk, seen);
        } catch (cause) {
          const reason = cause instanceof Error ? cause.message : String(cause);
          const place = `after ${point.effect.kind} ${point.effect.path}, boundary ${i}, state ${j}`;
          throw new Error(`workload ${this.#seed}, ${place}: ${reason}`, { cause });
        }
      }
    }
  }

  async #record(effects: number): Promise<readonly CrashPoint[]> {
    const points: CrashPoint[] = [];
    const prng = this.#prng.stream("workload");
    const trial = new StorageTrial(`trial ${this.#seed}`, {
      segmentBytes: prng.pick([512, 900, 1500, 2048, 4096]),
      isPaced: prng.chance(0.75),
      observer: {
        onEffect: (disk, legal, effect) => {
          points.push({ disk: forked(disk), legal, effect });
        },
        onPromise(legal) {
          const point = points.at(-1);
          if (point === undefined) return;
          const isSameLife = point.legal.states === legal.states;
          const newest = isSameLife ? Math.max(point.legal.newest, legal.oldest) : legal.newest;
          point.legal = { ...legal, newest };
        },
      },
    });
    const steps = {
      *[Symbol.iterator]() {
        while (points.length < effects) yield drawStep(prng);
      },
    };
    await trial.run(steps);
    return points;
  }

  #statesOf({ disk }: CrashPoint): readonly SimDisk[] {
    const every = everyCrash(disk, EVERY_STATE_MAX);
    if (every !== undefined) this.tally.exhausted++;
    const disks = [...(every ?? [])];
    if (disk.unsyncedRange() === undefined) return disks;
    const drawn = every === undefined ? DRAWN_OF_MANY : DRAWN_TORN;
    for (let i = 0; i < drawn; i++) disks.push(crashed(disk, drawCrash(this.#prng, disk)));
    return disks;
  }

  /** @param seen what was there in other states of this moment */
  async #check({ legal }: CrashPoint, disk: SimDisk, seen: Set<string>): Promise<void> {
    this.tally.states++;
    const key = `${digest(disk)} ${disk.capacityBytes}`;
    if (seen.has(key)) return;
    seen.add(key);
    const known = this.#recovered.get(key);
    if (known !== undefined) {
      legalState(legal, known);
      return;
    }
    this.tally.distinct++;
    this.#recovered.set(key, await this.#recover(disk, legal));
  }

  async #recover(disk: SimDisk, legal: LegalStates): Promise<Found> {
    // One of the recovery's write boundaries, each with the same odds.
    let boundaries = 0;
    let within: SimDisk | undefined;
    let isRecovering = this.#prng.chance(IN_RECOVERY_ODDS);
    const onEffect = (): void => {
      if (!isRecovering) return;
      boundaries++;
      if (this.#prng.below(boundaries) === 0) within = forked(disk);
    };
    const files: RecordedFiles = new RecordedFiles(disk, { onEffect });
    const storage = await openStorage(files);
    isRecovering = false;
    const found = foundIn(storage);
    legalState(legal, found);
    if (found.snapshot !== undefined) {
      const { index, term } = found.snapshot;
      expectSame("the snapshot's content", await contentOf(storage), payload(index, term, 100));
    }
    if (this.#prng.chance(AFTER_RECOVERY_ODDS)) {
      this.tally.afterRecovery++;
      await this.#checkLasting(files, storage, found);
    }
    files.isDead = true;
    if (within !== undefined) {
      this.tally.inRecovery++;
      legalState(legal, await opened(crashed(within, drawCrash(this.#prng, within))));
    }
    return found;
  }

  /** What was recovered stays, and so does what is written then: whatever happens next. */
  async #checkLasting(
    files: RecordedFiles,
    storage: Awaited<ReturnType<typeof openStorage>>,
    found: Found,
  ): Promise<void> {
    const { disk } = files;
    let expected = found;
    if (hasRoom(disk) && this.#prng.chance(0.3)) {
      const index = storage.lastIndex() + 1;
      const { vote, commit } = found.hardState;
      // A term of its own: a snapshot that was received and never taken over is not of what is added here.
      const term = found.hardState.term + 1_000;
      const hardState = { term, vote, commit };
      const added = entry(index, term, this.#prng.below(700));
      await append(storage, { hardState, entries: [added] });
      expected = { ...found, hardState, entries: [...found.entries, added] };
    }
    if (this.#prng.chance(0.3)) await storage.close();
    files.isDead = true;
    const after = this.#prng.chance(0.3) ? forked(disk) : crashed(disk, drawCrash(this.#prng, disk));
    const again = await opened(after);
    const summary = ({ hardState, snapshot, entries }: Found): unknown => [hardState, snapshot, plain(entries)];
    expectSame("what was recovered", summary(again), summary(expected));
  }
}

async function opened(disk: SimDisk): Promise<Found> {
  const files = new RecordedFiles(disk);
  const found = foundIn(await openStorage(files));
  files.isDead = true;
  return found;
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what} is ${one}, not ${other}`);
}

function hasRoom(disk: SimDisk): boolean {
  return disk.capacityBytes === Number.POSITIVE_INFINITY;
}

/** All that a program can see of a disk. */
function digest(disk: SimDisk): string {
  const hash = createHash("sha1");
  const add = (path: string): void => {
    for (const name of disk.list(path)) {
      const below = `${path}/${name}`;
      hash.update(below);
      if (DIRECTORIES.includes(below)) {
        add(below);
      } else {
        const file = disk.open(below, "read");
        hash.update(`: ${file.sizeBytes} `).update(file.read(0, file.sizeBytes));
      }
    }
  };
  add("");
  return hash.digest("base64");
}

const DIRECTORIES: readonly string[] = ["/data", DIR, `${DIR}/log`, `${DIR}/snapshots`];

const fraction = (prng: Prng): number => prng.below(1001) / 1000;

function drawStep(prng: Prng): Step {
  switch (prng.below(20)) {
    case 0:
    case 1:
    case 2:
      return { kind: "hard-state", commit: fraction(prng), vote: prng.below(3) };
    case 3:
    case 4:
      return { kind: prng.pick(["snapshot", "snapshot-meanwhile"]), at: fraction(prng) };
    case 5:
    case 6:
      return { kind: "compact", at: fraction(prng) };
    case 7:
      return { kind: "receive" };
    case 8:
      return { kind: prng.pick(["idle", "reopen"]) };
    case 9:
      return { kind: prng.pick(["kill", "power-loss"]) };
    case 10:
      return { kind: "failed-sync" };
    case 11:
      return { kind: "full-disk" };
    case 12:
      return { kind: "settle" };
    case 13:
    case 14:
      return { kind: "pause" };
    default: {
      const bytes = prng.below(prng.pick([20, 200, 1200]));
      const from = prng.chance(0.7) ? 1 : fraction(prng);
      return { kind: "append", from, count: prng.below(prng.pick([2, 4, 8])), bytes, newTerm: prng.chance(0.2) };
    }
  }
}
