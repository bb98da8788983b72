import type { TraceArg, TraceStep } from "./trace-file.js";

/** Something in a trace that the harness cannot make sense of: the trace fails, whatever it expects. */
export class TraceError extends Error {}

/** Reads a directive's arguments; every one of them must be asked for, so that none is passed over. */
export class Directive {
  readonly name: string;
  readonly input: string;
  private readonly bare: string[] = [];
  private readonly named: Map<string, readonly string[]> = new Map();

  constructor(step: TraceStep) {
    this.name = step.directive;
    this.input = step.input;
    for (const arg of step.args) this.addArg(arg);
  }

  /** The next argument that is no option. */
  word(): string {
    const word = this.bare.shift();
    if (word === undefined) throw new TraceError(`${this.name}: an argument is missing`);
    return word;
  }

  number(): number {
    return integer(this.word());
  }

  /** All further arguments that are no options. */
  numbers(): number[] {
    return this.bare.splice(0).map(integer);
  }

  has(option: string): boolean {
    return this.named.has(option);
  }

  list(option: string): readonly string[] {
    const values = this.named.get(option) ?? [];
    this.named.delete(option);
    return values;
  }

  numberList(option: string): number[] {
    return this.list(option).map(integer);
  }

  value(option: string): string | undefined {
    const values = this.list(option);
    if (values.length > 1) throw new TraceError(`${this.name}: ${option} takes one value`);
    return values[0];
  }

  numberValue(option: string): number | undefined {
    const value = this.value(option);
    return value === undefined ? undefined : integer(value);
  }

  flag(option: string): boolean | undefined {
    const value = this.value(option);
    if (value === undefined) return undefined;
    if (["true", "t", "1"].includes(value.toLowerCase())) return true;
    if (["false", "f", "0"].includes(value.toLowerCase())) return false;
    throw new TraceError(`${this.name}: ${option}=${value} is neither true nor false`);
  }

  /** Nothing may be left over. */
  done(): void {
    const rest = [...this.bare, ...this.named.keys()];
    if (rest.length > 0) throw new TraceError(`${this.name}: what is ${rest.join(" ")}?`);
  }

  private addArg({ key, values }: TraceArg): void {
    if (values === undefined) this.bare.push(key);
    else this.named.set(key, [...(this.named.get(key) ?? []), ...values]);
  }
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new TraceError(`${text} is no number`);
  return Number(text);
}
