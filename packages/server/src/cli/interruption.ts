import { EXIT } from "./exit-code.js";

/** A terminal sends Ctrl-C to every process of a command, and some of these pass it on: so one may come twice. */
const SAME_MS = 500;

/** Ctrl-C, or being told to stop, while a command works: the first time it comes to an end, then it breaks off at once. */
export class Interruption {
  #askedMs: number | undefined;
  readonly #onSignal: () => void;

  /** @param onAsked the command is to come to an end */
  constructor(onAsked: () => void) {
    this.#onSignal = () => {
      const nowMs = performance.now();
      if (this.#askedMs === undefined) {
        this.#askedMs = nowMs;
        onAsked();
      } else if (nowMs - this.#askedMs > SAME_MS) process.exit(EXIT.interrupted);
    };
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  get isAsked(): boolean {
    return this.#askedMs !== undefined;
  }

  /** From here on a signal ends the process, as it does by itself. */
  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
