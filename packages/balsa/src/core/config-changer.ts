import { BalsaError } from "./balsa-error.js";
import type { ConfChangeV2, NodeChange } from "./conf-change.js";
import { confChangeStep, leavesByItself } from "./conf-change.js";
import type { ConfState } from "./conf-state.js";
import { allMembers, isJoint } from "./conf-state.js";
import type { IdSet } from "./id-set.js";
import { differenceCount, NO_IDS, withId, withoutId } from "./id-set.js";
import { invariant, unreachable } from "./invariant.js";

/** A configuration that follows another. */
export interface ConfigStep {
  readonly conf: ConfState;
  /** Members that start afresh: newcomers, and those that were removed and added again. */
  readonly joined: IdSet;
}

/**
 * The configuration that a committed change leads to (thesis §4).
 * @throws BalsaError invalid-argument: the change does not fit the configuration
 */
export function changeConfig(conf: ConfState, change: ConfChangeV2): ConfigStep {
  const step = confChangeStep(change);
  switch (step) {
    case "leave-joint":
      return leaveJoint(conf);
    case "enter-joint":
      return enterJoint(conf, leavesByItself(change), change.changes);
    case "simple":
      return simpleChange(conf, change.changes);
    default:
      throw unreachable(step satisfies never);
  }
}

/**
 * One voter comes or goes, besides any number of learners. Majorities of two configurations that differ by one voter
 * always overlap, so that no joint configuration is needed in between (thesis §4.1).
 */
export function simpleChange(conf: ConfState, changes: readonly NodeChange[]): ConfigStep {
  if (isJoint(conf)) throw refused("can't apply simple config change in joint config");
  const draft = new Draft(conf);
  draft.apply(changes);
  if (differenceCount(conf.voters, draft.voters) > 1) {
    throw refused("more than one voter changed without entering joint config");
  }
  return draft.finish();
}

/** From C(old) to C(old,new): decisions need majorities of the old and the new voters (thesis §4.3). */
export function enterJoint(conf: ConfState, autoLeave: boolean, changes: readonly NodeChange[]): ConfigStep {
  if (isJoint(conf)) throw refused("config is already joint");
  if (conf.voters.length === 0) throw refused("can't make a zero-voter config joint");
  const draft = new Draft(conf);
  draft.votersOutgoing = conf.voters;
  draft.apply(changes);
  draft.autoLeave = autoLeave;
  return draft.finish();
}

/** From C(old,new) to C(new). Voters of the old half that were demoted become learners now. */
export function leaveJoint(conf: ConfState): ConfigStep {
  if (!isJoint(conf)) throw refused("can't leave a non-joint config");
  const draft = new Draft(conf);
  for (const id of conf.learnersNext) draft.learners = withId(draft.learners, id);
  draft.learnersNext = NO_IDS;
  draft.votersOutgoing = NO_IDS;
  draft.autoLeave = false;
  return draft.finish();
}

/** A configuration in the making. */
class Draft {
  voters: IdSet;
  votersOutgoing: IdSet;
  learners: IdSet;
  learnersNext: IdSet;
  autoLeave: boolean;
  private members: IdSet;
  private joined: IdSet = NO_IDS;

  constructor(conf: ConfState) {
    this.voters = conf.voters;
    this.votersOutgoing = conf.votersOutgoing;
    this.learners = conf.learners;
    this.learnersNext = conf.learnersNext;
    this.autoLeave = conf.autoLeave;
    this.members = allMembers(conf);
  }

  apply(changes: readonly NodeChange[]): void {
    for (const { kind, id } of changes) {
      // A change of nobody is how a group is told to do nothing.
      if (id === 0) continue;
      switch (kind) {
        case "add-voter":
          this.makeVoter(id);
          break;
        case "add-learner":
          this.makeLearner(id);
          break;
        case "remove":
          this.remove(id);
          break;
        case "update":
          break;
        default:
          throw unreachable(kind satisfies never);
      }
    }
    if (this.voters.length === 0) throw refused("removed all voters");
  }

  finish(): ConfigStep {
    const { voters, votersOutgoing, learners, learnersNext, autoLeave, joined } = this;
    const conf: ConfState = { voters, votersOutgoing, learners, learnersNext, autoLeave };
    checkConfig(conf);
    return { conf, joined };
  }

  private makeVoter(id: number): void {
    this.join(id);
    this.learners = withoutId(this.learners, id);
    this.learnersNext = withoutId(this.learnersNext, id);
    this.voters = withId(this.voters, id);
  }

  /**
   * A voter of the outgoing half goes on voting in it, and so cannot be a learner yet: it waits in `learnersNext` until
   * the joint configuration is left. In this way voters and learners never overlap.
   */
  private makeLearner(id: number): void {
    this.join(id);
    if (this.learners.includes(id)) return;
    this.voters = withoutId(this.voters, id);
    if (this.votersOutgoing.includes(id)) this.learnersNext = withId(this.learnersNext, id);
    else this.learners = withId(this.learners, id);
  }

  private remove(id: number): void {
    this.voters = withoutId(this.voters, id);
    this.learners = withoutId(this.learners, id);
    this.learnersNext = withoutId(this.learnersNext, id);
    // A voter of the outgoing half stays a member until the joint configuration is left.
    if (!this.votersOutgoing.includes(id)) this.members = withoutId(this.members, id);
  }

  private join(id: number): void {
    if (this.members.includes(id)) return;
    this.members = withId(this.members, id);
    this.joined = withId(this.joined, id);
  }
}

/** What holds of every configuration. */
export function checkConfig(conf: ConfState): void {
  const { voters, votersOutgoing, learners, learnersNext } = conf;
  for (const id of learners) {
    invariant(!voters.includes(id), "a learner is no incoming voter");
    invariant(!votersOutgoing.includes(id), "a learner is no outgoing voter");
  }
  for (const id of learnersNext) {
    invariant(votersOutgoing.includes(id), "who becomes a learner next is an outgoing voter still");
    invariant(!voters.includes(id), "who becomes a learner next is no incoming voter");
  }
  if (isJoint(conf)) return;
  invariant(learnersNext.length === 0, "nobody waits to become a learner outside a joint configuration");
  invariant(!conf.autoLeave, "only a joint configuration can be left");
}

function refused(reason: string): BalsaError {
  return new BalsaError("invalid-argument", reason);
}
