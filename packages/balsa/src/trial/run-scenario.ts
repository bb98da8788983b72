import { checkLinearizability, drawCounterexample, explainVerdict } from "../linearizability/index.js";
import type { StateMachine } from "../node/index.js";
import { WorldError } from "../sim/index.js";
import { type Chronicle, calledOperations } from "./chronicle.js";
import { type ClientCounts, Clients } from "./clients.js";
import { SimulatedCluster } from "./cluster.js";
import { Coverage } from "./coverage.js";
import { compareDisk, compareDisksInTurn } from "./disk-comparison.js";
import { heal } from "./healing.js";
import { inputText } from "./input-text.js";
import { CHECK_STEPS_MAX, TRUCE_WAIT_MS } from "./limits.js";
import { Nemesis } from "./nemesis.js";
import type { Scenario } from "./scenario.js";
import { keepTruce } from "./truce.js";
import type { Violation } from "./violation.js";
import type { Workload } from "./workload.js";

export interface RunOptions {
  /** Keep every line of the trace, to be read, and the chronicle, to be drawn. Default false: only the trace's hash. */
  readonly keepTrace?: boolean;
}

/** What became of a scenario. */
export interface RunReport {
  readonly violation: Violation | undefined;
  readonly simulatedMs: number;
  /** Faults that hit somebody, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  readonly operations: ClientCounts;
  /** Whether the history could be decided; one that could not proves nothing. */
  readonly linearizability: "checked" | "undecided";
  /** How often rare things happened. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Of the whole trace: the same for every run of the scenario with the same code. */
  readonly traceHash: string;
  /** Empty unless asked for. */
  readonly trace: readonly string[];
  /** With the trace: `drawRun` draws it. */
  readonly chronicle: Chronicle | undefined;
}

/** Runs a scenario: faults and operations as it says, then healing, then the checks of all that clients saw. */
export async function runScenario<Machine extends StateMachine, State, Input, Output>(
  scenario: Scenario,
  workload: Workload<Machine, State, Input, Output>,
  options: RunOptions = {},
): Promise<RunReport> {
  const coverage = new Coverage();
  const trace = options.keepTrace === true ? "lines" : "hash";
  const cluster = new SimulatedCluster<Machine>(scenario, workload, coverage, trace);
  const nemesis = new Nemesis<Machine>(cluster);
  const clients = new Clients<Machine, State, Input, Output>(cluster, workload, scenario.sessions);
  cluster.events = {
    lifeEnded: (member) => clients.lifeEnded(member),
    stopped: (member) => nemesis.replace(member),
  };
  const { world } = cluster;
  try {
    compareDisksInTurn(cluster, scenario.durationMs);
    followSteps(scenario, cluster, nemesis, clients);
    await runUnlessViolated(cluster, scenario.durationMs);
    const there = await comeToMoment(cluster, scenario);
    nemesis.healAll();
    await keepTruce(cluster, clients, scenario, there);
    if (cluster.violation === undefined) await heal(cluster, clients, scenario);
    for (const member of cluster.members) if (cluster.violation === undefined) await compareDisk(cluster, member);
  } catch (error) {
    // A broken rule may surface as an event that failed; what it was is known then.
    if (cluster.violation === undefined) {
      if (!(error instanceof WorldError)) throw error;
      const detail = error.cause instanceof Error ? String(error.cause) : error.message;
      cluster.violate("no member stops by itself", detail, { thrown: error });
    }
  }
  const linearizability = cluster.violation === undefined ? checkHistory(cluster, clients, workload) : "checked";
  if (cluster.chronicle !== undefined) {
    cluster.chronicle.operations = calledOperations(workload.model, clients.history);
  }
  return {
    violation: cluster.violation,
    simulatedMs: world.nowMs,
    faults: nemesis.counts,
    operations: clients.counts,
    linearizability,
    coverage: coverage.counts,
    traceHash: world.trace.hash(),
    trace: world.trace.lines,
    chronicle: cluster.chronicle,
  };
}

/** Each step is an event of its own, which arranges for the next. */
function followSteps<Machine extends StateMachine, State, Input, Output>(
  { steps, durationMs }: Scenario,
  { world }: SimulatedCluster<Machine>,
  nemesis: Nemesis<Machine>,
  clients: Clients<Machine, State, Input, Output>,
): void {
  let at = 0;
  const arm = (): void => {
    const step = steps[at];
    if (step === undefined || step.atMs >= durationMs) return;
    const detail =
      step.kind === "fault" ? JSON.stringify({ ...step.fault, ...step.on }) : `${step.client} ${inputText(step.input)}`;
    world.after(Math.max(0, step.atMs - world.nowMs), `${step.kind} ${detail}`, () => {
      at += 1;
      if (step.kind === "fault") nemesis.take(step);
      else clients.call(step);
      arm();
    });
  };
  arm();
}

/** Until that time, or until it holds. */
async function runUnlessViolated<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  untilMs: number,
  holds: () => boolean = () => false,
): Promise<void> {
  const { world } = cluster;
  let isTime = false;
  world.after(untilMs - world.nowMs, "it is time", () => {
    isTime = true;
  });
  await world.run({ until: () => isTime || holds() || cluster.violation !== undefined, limitMs: untilMs + 1 });
}

/** Waits for the moment at which the truce is to begin. @returns the name of the member that came by it */
async function comeToMoment<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  { truce }: Scenario,
): Promise<string | undefined> {
  const moment = truce !== undefined && "on" in truce ? truce.on : undefined;
  if (moment === undefined || cluster.violation !== undefined) return undefined;
  let there: string | undefined;
  cluster.coverage.onNext(moment, (where) => {
    there ??= where;
  });
  await runUnlessViolated(cluster, cluster.world.nowMs + TRUCE_WAIT_MS, () => there !== undefined);
  return there;
}

function checkHistory<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  { model }: Workload<Machine, State, Input, Output>,
): "checked" | "undecided" {
  const { history, appliedOrder } = clients;
  const verdict = checkLinearizability(model, history, { stepsMax: CHECK_STEPS_MAX, likelyOrder: appliedOrder });
  if (verdict.kind === "not-linearizable") {
    const page = drawCounterexample(model, verdict.counterexample);
    const atMs = verdict.counterexample.operation.endedAt;
    cluster.violate("linearizable", explainVerdict(model, verdict), { page, atMs });
  }
  return verdict.kind === "undecided" ? "undecided" : "checked";
}
