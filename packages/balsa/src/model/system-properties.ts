import { NONE } from "../core/index.js";
import type { Cell } from "./cell.js";
import { wholeLog } from "./cell.js";
import type { History } from "./history.js";
import {
  asked,
  checkAgainst,
  checkAnswer,
  checkElection,
  checkLogMatching,
  committedIndex,
  continued,
  PropertyViolation,
} from "./history.js";
import type { Input } from "./input.js";
import { PairTable } from "./pair-table.js";
import type { Space, Step } from "./space.js";

const AGREES = 1;
const GOES_ON = 2;
const CONTRADICTS = 3;

/**
 * The properties of whole systems, looked up where they were judged before: a cell against a history, a log against
 * another one.
 */
export class SystemProperties {
  private readonly space: Space;
  private readonly againstHistory = new PairTable();
  private readonly contradictions = new Map<string, string>();
  private readonly logNumbers = new Map<string, number>();
  private readonly logOfCell: number[] = [];
  private readonly matching = new PairTable();

  constructor(space: Space) {
    this.space = space;
  }

  /**
   * The history after a step; the cells are those after it, by number.
   * @throws PropertyViolation
   */
  historyAfter(
    history: number,
    before: number,
    after: number,
    step: Step,
    input: Input,
    cells: Int32Array,
    nodes: number,
  ): number {
    const { space } = this;
    if (step.elected) checkElection(space.histories[history] as History, space.cells[after] as Cell);
    const relation = this.relation(history, after);
    if (relation === AGREES && step.answers.length === 0 && input.kind !== "read") return history;
    if (relation === CONTRADICTS) throw new PropertyViolation(this.contradictions.get(`${history}/${after}`));
    let next = space.histories[history] as History;
    // What was committed in the very step that asks, or answers, need not be seen by it.
    if (input.kind === "read") next = asked(next);
    const part = (number: number): Cell => space.cells[number] as Cell;
    if (relation === GOES_ON) {
      next = continued(next, part(before), part(after), Array.from(cells.subarray(0, nodes), part));
    }
    for (const { request, index } of step.answers) checkAnswer(next, request, index);
    const number = space.historyNumber(next);
    if (number === history) return history;
    for (let i = 0; i < nodes; i++) {
      const cell = cells[i] as number;
      if (this.relation(number, cell) === CONTRADICTS) {
        throw new PropertyViolation(this.contradictions.get(`${number}/${cell}`));
      }
    }
    return number;
  }

  /** @throws PropertyViolation */
  checkLogs(cells: Int32Array, at: number, nodes: number, changed: number): void {
    const log = this.logNumber(cells[at + changed] as number);
    for (let i = 0; i < nodes; i++) {
      const other = this.logNumber(cells[at + i] as number);
      if (other === log || this.matching.get(log, other) >= 0) continue;
      const part = (place: number): Cell => this.space.cells[cells[at + place] as number] as Cell;
      checkLogMatching(part(changed), part(i));
      this.matching.set(log, other, 1);
    }
  }

  private relation(history: number, cell: number): number {
    const known = this.againstHistory.get(history, cell);
    if (known >= 0) return known;
    const relation = this.judge(history, cell);
    this.againstHistory.set(history, cell, relation);
    return relation;
  }

  private judge(history: number, number: number): number {
    const past = this.space.histories[history] as History;
    const cell = this.space.cells[number] as Cell;
    const { node } = cell;
    const newLeader = node.role === "leader" && (past.leaders[node.term] ?? NONE) !== node.id;
    if (newLeader || node.committed > committedIndex(past)) return GOES_ON;
    try {
      checkAgainst(past, cell);
      return AGREES;
    } catch (error) {
      if (!(error instanceof PropertyViolation)) throw error;
      this.contradictions.set(`${history}/${number}`, error.message);
      return CONTRADICTS;
    }
  }

  private logNumber(cell: number): number {
    const known = this.logOfCell[cell];
    if (known !== undefined) return known;
    const { start, terms } = wholeLog(this.space.cells[cell] as Cell);
    const code = String.fromCharCode(start, ...terms);
    const number = this.logNumbers.get(code) ?? this.logNumbers.size;
    this.logNumbers.set(code, number);
    this.logOfCell[cell] = number;
    return number;
  }
}
