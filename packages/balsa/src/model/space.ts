import type { PeerMessage } from "../core/index.js";
import { budgetPlace, isPossible, localInputs } from "./actions.js";
import type { Cell } from "./cell.js";
import type { Configuration } from "./configuration.js";
import { CoreRunner } from "./core-runner.js";
import { DeadMessages } from "./dead-messages.js";
import { Encoder } from "./encoding.js";
import { fingerprintOf } from "./fingerprint.js";
import { GrowingArray } from "./growing-array.js";
import type { History } from "./history.js";
import { NO_HISTORY } from "./history.js";
import type { Input } from "./input.js";
import { PairTable } from "./pair-table.js";
import type { Permutation } from "./permutation.js";
import { permutationsOf } from "./permutation.js";

const CELL = 1;
const MESSAGE = 2;
const HISTORY = 3;

/** What a step of one node does, by number in the tables of Space. */
export interface Step {
  /** The cell after it. */
  readonly cell: number;
  /** Messages that it puts on their way. */
  readonly sent: readonly number[];
  readonly answers: readonly { readonly request: number; readonly index: number }[];
  readonly violation: string | undefined;
  /** Nothing is any different. */
  readonly idle: boolean;
  /** The node leads from here on. */
  readonly elected: boolean;
}

/**
 * All the parts that states are made of, each known by a number: cells, messages, histories, and the steps between
 * cells. A step is a function of a cell and its input alone, so the core is run once for each pair, however many
 * states it occurs in: what is left to do for a state is to look things up.
 */
export class Space {
  readonly configuration: Configuration;
  readonly permutations: readonly Permutation[];
  /** By number. Deliveries follow, by the number of their message. */
  readonly inputs: readonly Input[];

  readonly cells: Cell[] = [];
  readonly messages: PeerMessage[] = [];
  readonly histories: History[] = [];
  /** Two lanes for each renaming, all renamings of one part in a row. */
  readonly cellPrints: GrowingArray = new GrowingArray();
  readonly messagePrints: GrowingArray = new GrowingArray();
  readonly historyPrints: GrowingArray = new GrowingArray();
  /** By message: the place of the node that it goes to. */
  readonly receivers: GrowingArray = new GrowingArray();
  readonly dead: DeadMessages;

  private readonly runner: CoreRunner;
  private readonly encoders: readonly Encoder[];
  private readonly cellNumbers = new Map<string, number>();
  private readonly messageNumbers = new Map<string, number>();
  private readonly historyNumbers = new Map<string, number>();
  private readonly possible: (Int32Array | undefined)[] = [];
  private readonly stepNumbers = new PairTable();
  private readonly steps: Step[] = [];

  constructor(configuration: Configuration) {
    this.configuration = configuration;
    this.permutations = permutationsOf(configuration.nodes, alikeNodes(configuration));
    this.encoders = this.permutations.map((permutation) => new Encoder(permutation));
    this.runner = new CoreRunner(configuration);
    this.dead = new DeadMessages(configuration);
    this.inputs = localInputs(configuration);
    this.historyNumber(NO_HISTORY);
  }

  firstCells(): readonly number[] {
    return this.runner.firstCells().map((cell) => this.cellNumber(cell));
  }

  /** Pairs: an input that is possible in the cell, and the place of its budget. */
  possibleInputs(cell: number): Int32Array {
    const known = this.possible[cell];
    if (known !== undefined) return known;
    const pairs = this.inputs.flatMap((input, number) =>
      isPossible(this.cells[cell] as Cell, input, this.configuration) ? [number, budgetPlace(input)] : [],
    );
    return (this.possible[cell] = Int32Array.from(pairs));
  }

  inputOf(number: number): Input {
    const local = this.inputs[number];
    if (local !== undefined) return local;
    return { kind: "deliver", message: this.messages[number - this.inputs.length] as PeerMessage };
  }

  delivery(message: number): number {
    return this.inputs.length + message;
  }

  step(cell: number, input: number): Step {
    const known = this.stepNumbers.get(cell, input);
    if (known >= 0) return this.steps[known] as Step;
    const step = this.runCore(cell, input);
    this.stepNumbers.set(cell, input, this.steps.length);
    this.steps.push(step);
    return step;
  }

  get stepCount(): number {
    return this.steps.length;
  }

  private runCore(cell: number, input: number): Step {
    const outcome = this.runner.run(this.cells[cell] as Cell, this.inputOf(input));
    const { sent: messages, readStates, violation } = outcome;
    const after = violation === undefined ? this.cellNumber(outcome.cell) : cell;
    const sent = messages.map((message) => this.messageNumber(message));
    const answers = readStates.map(({ requestId, index }) => ({ request: requestId, index }));
    const idle = after === cell && sent.length === 0 && answers.length === 0 && violation === undefined;
    const led = this.cells[cell]?.node.role === "leader";
    const elected = !led && outcome.cell.node.role === "leader";
    return { cell: after, sent, answers, violation, idle, elected };
  }

  cellNumber(cell: Cell): number {
    const known = this.cells.length;
    const number = this.number(this.cellNumbers, this.cells, this.cellPrints, CELL, cell, (encoder) =>
      encoder.cell(cell),
    );
    if (number === known) this.dead.addCell(cell);
    return number;
  }

  messageNumber(message: PeerMessage): number {
    const known = this.messages.length;
    const number = this.number(this.messageNumbers, this.messages, this.messagePrints, MESSAGE, message, (encoder) =>
      encoder.message(message),
    );
    if (number === known) {
      this.dead.addMessage(message);
      this.receivers.push(message.to - 1);
    }
    return number;
  }

  historyNumber(history: History): number {
    const { leaders, committed, reads } = history;
    const facts = [committed.length, ...committed.flatMap((entry) => [entry.term, entry.in]), reads.length, ...reads];
    const rest = String.fromCharCode(...facts);
    return this.number(
      this.historyNumbers,
      this.histories,
      this.historyPrints,
      HISTORY,
      history,
      (encoder) => rest + encoder.ids(leaders),
    );
  }

  private number<T>(
    numbers: Map<string, number>,
    parts: T[],
    prints: GrowingArray,
    seed: number,
    part: T,
    encode: (encoder: Encoder) => string,
  ): number {
    const code = encode(this.encoders[0] as Encoder);
    const known = numbers.get(code);
    if (known !== undefined) return known;
    const number = parts.length;
    numbers.set(code, number);
    parts.push(part);
    prints.reserve(2 * this.encoders.length);
    for (const encoder of this.encoders) {
      fingerprintOf(encode(encoder), seed, prints.items, prints.length);
      prints.length += 2;
    }
    return number;
  }
}

function alikeNodes(configuration: Configuration): readonly (readonly number[])[] {
  const { reductions, alike, nodes, voters, logs, changes, campaigners, led, slowNodes, cut } = configuration;
  if (!reductions.symmetry) return [];
  if (alike !== undefined) return alike;
  const naming = [voters, logs, changes, campaigners, led, slowNodes, cut];
  return naming.some((part) => part !== undefined) ? [] : [Array.from({ length: nodes }, (_, i) => i + 1)];
}
