import type { Applied, Member } from "./member.js";

/** What must hold of a whole group over its whole history (Raft Figure 3, thesis §6.4). */
export class SafetyChecks {
  private readonly leaders = new Map<number, number>();
  private readonly history = new Map<number, Applied>();
  private readonly reads = new Map<string, number>();
  /** The highest index that anyone knew to be committed. */
  private committed = 0;

  /** After each deed of a member. */
  observe(member: Member): void {
    const { node } = member;
    this.committed = Math.max(this.committed, node.commit);
    if (node.role === "leader") this.observeLeader(node.term, node.id);
    for (const applied of member.applied) this.observeApplied(applied);
    for (const { requestId, index } of member.readStates) {
      const atLeast = this.reads.get(`${member.id}/${requestId}`);
      if (atLeast === undefined) throw new Error(`read ${requestId} was answered and not asked`);
      if (index < atLeast) throw new Error(`stale read: at ${index}, when ${atLeast} was committed`);
    }
  }

  /** A read that is asked now must see all that is committed now. */
  readAsked(member: Member, requestId: number): void {
    this.reads.set(`${member.id}/${requestId}`, this.committed);
  }

  /** Log matching: where two logs have an entry of the same index and term, they agree on all before it. */
  compareLogs(a: Member, b: Member): void {
    const first = Math.max(a.storage.firstIndex(), b.storage.firstIndex());
    let agree = false;
    for (let i = Math.min(a.storage.lastIndex(), b.storage.lastIndex()); i >= first; i--) {
      const same = a.storage.term(i) === b.storage.term(i);
      if (agree && !same) throw new Error(`log matching: ${a.id} and ${b.id} differ at ${i} and agree behind it`);
      agree ||= same;
    }
  }

  private observeLeader(term: number, id: number): void {
    const known = this.leaders.get(term);
    if (known !== undefined && known !== id)
      throw new Error(`election safety: ${known} and ${id} lead in term ${term}`);
    this.leaders.set(term, id);
  }

  private observeApplied(applied: Applied): void {
    const known = this.history.get(applied.index);
    if (known === undefined) this.history.set(applied.index, applied);
    else if (known.term !== applied.term || known.data !== applied.data) {
      throw new Error(`state machine safety: two entries were applied at ${applied.index}`);
    }
  }
}
