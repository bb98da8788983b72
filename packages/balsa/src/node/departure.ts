import type { RawNode } from "../core/index.js";
import type { ClusterMembers } from "./cluster-members.js";

export interface DepartureParts {
  readonly raw: RawNode;
  readonly members: ClusterMembers;
  /** How long it stays once somebody has told it, if not enough others do. */
  readonly graceTicks: number;
  /** Nobody needs this member any more. */
  readonly onDeparted: () => void;
}

/**
 * A member that was removed may not be gone at once. Others may lack the news still, and by the configuration that they
 * know they may need its vote to elect whoever brings it to them: of two voters that have both stored the removal of the
 * one, the other can't even lead without it. So it goes on, and votes when it is asked (it campaigns no more once it has
 * applied its removal), until so many of the other voters refuse its connections that each quorum of them has one that
 * knows. They refuse only once it is on their disks that the removal is committed (ClusterMembers.isSurelyRemoved).
 */
export class Departure {
  /** By what this member has applied itself. */
  private out = false;
  private readonly toldBy: Set<number> = new Set();
  private ticksLeft: number;
  private readonly parts: DepartureParts;

  constructor(parts: DepartureParts) {
    this.parts = parts;
    this.ticksLeft = parts.graceTicks;
  }

  /** Whether this member knows by itself that it is none any more. */
  get isOut(): boolean {
    return this.out;
  }

  removed(): void {
    this.out = true;
  }

  /**
   * That member refuses connections of one that was removed; 0: another one says so, which is reached where this member
   * looked for one that it knows. Whether that one knows, nobody has said.
   */
  told(by: number): void {
    const { raw, members, onDeparted } = this.parts;
    this.toldBy.add(by);
    const others = members.confState.voters.filter((id) => id !== raw.id);
    const know = others.filter((id) => this.toldBy.has(id));
    if (know.length >= Math.floor(others.length / 2) + 1) onDeparted();
  }

  tick(): void {
    if (this.toldBy.size > 0 && --this.ticksLeft === 0) this.parts.onDeparted();
  }
}
