import type { ConfigStep, ConfState } from "../../src/core/index.js";
import { BalsaError, EMPTY_CONF_STATE, enterJoint, leaveJoint, simpleChange } from "../../src/core/index.js";
import { ProgressTracker } from "../../src/core/progress-tracker.js";
import { parseChanges } from "./changes.js";
import { describeConfig, describeProgress } from "./describe.js";
import { Directive, TraceError } from "./directive.js";
import type { TraceStep } from "./trace-file.js";

/** confchange/: one changer, from an empty configuration on. */
export class ConfChangeReplay {
  private readonly tracker = new ProgressTracker({
    maxInflightMessages: 10,
    maxInflightBytes: Number.POSITIVE_INFINITY,
  });
  private conf: ConfState = EMPTY_CONF_STATE;
  private lastIndex = 0;

  run(step: TraceStep): string {
    const directive = new Directive(step);
    try {
      const { conf, joined } = this.change(directive);
      this.conf = conf;
      this.tracker.adopt(conf, joined, this.lastIndex);
      return `${describeConfig(conf)}\n${describeProgress(this.tracker.peers.map(printed))}`;
    } catch (error) {
      if (error instanceof BalsaError) return `${error.message}\n`;
      throw error;
    } finally {
      this.lastIndex++;
    }
  }

  private change(directive: Directive): ConfigStep {
    const changes = parseChanges(directive.input);
    const autoLeave = directive.flag("autoleave") ?? false;
    directive.done();
    switch (directive.name) {
      case "simple":
        return simpleChange(this.conf, changes);
      case "enter-joint":
        return enterJoint(this.conf, autoLeave, changes);
      case "leave-joint":
        return leaveJoint(this.conf);
      default:
        throw new TraceError(`unknown directive ${directive.name}`);
    }
  }
}

function printed(progress: ProgressTracker["peers"][number]): Parameters<typeof describeProgress>[0][number] {
  const { id, state, match, next, isLearner, pendingSnapshot, recentlyActive, inflights } = progress;
  return {
    id,
    state,
    match,
    next,
    isLearner,
    paused: progress.isPaused(),
    pendingSnapshot,
    recentlyActive,
    inflightMessages: inflights.count,
    inflightsFull: inflights.full(),
  };
}
