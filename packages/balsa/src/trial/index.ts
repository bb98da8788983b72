export type { CalledOperation, Chronicle, Occurrence, SentMessage, Standing } from "./chronicle.js";
export type { ClientCounts } from "./clients.js";
export type { Mark } from "./coverage.js";
export { drawScenario } from "./draw-scenario.js";
export type { Fault, FaultKind, LostPower, MembershipFault, Target } from "./fault.js";
export { keyValueWorkload } from "./key-value-workload.js";
export type { Profile } from "./profile.js";
export { profiles } from "./profile.js";
export type { Release } from "./release.js";
export type { RunPageOptions } from "./run-page.js";
export { drawRun } from "./run-page.js";
export type { RunOptions, RunReport } from "./run-scenario.js";
export { runScenario } from "./run-scenario.js";
export type {
  Absence,
  BlockedWays,
  DiskSettings,
  FaultStep,
  MemberSettings,
  NetworkSettings,
  OperationStep,
  Scenario,
  Step,
  Truce,
} from "./scenario.js";
export { formatScenario, parseScenario } from "./scenario-file.js";
export type { SessionSettings } from "./session-settings.js";
export type { ShrinkOptions, StillFails } from "./shrink-scenario.js";
export { shrinkScenario } from "./shrink-scenario.js";
export type { Rule, Violation } from "./violation.js";
export type { DrawContext, MemberCalls, Workload } from "./workload.js";
