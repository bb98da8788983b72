/**
 * One rule of an interface's contract, as a test that any test runner can run: rejects with a `ContractError` where the
 * implementation breaks the rule. Waits for nothing but the implementation's own promises and callbacks, so that it
 * runs in real and in simulated time alike.
 */
export interface ContractCase<Subject> {
  /** The rule, as a sentence. */
  readonly name: string;
  run(subject: Subject): Promise<void>;
}

/** An implementation does not keep its contract. */
export class ContractError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ContractError";
  }
}
