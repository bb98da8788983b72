/** Workloads with a fault planted in their state machine: what a trial must notice. */
import type { Command } from "../../src/node/index.js";
import { keyValueWorkload } from "../../src/trial/index.js";
import { KeyValueMachine } from "../../src/trial/key-value-machine.js";

export type KeyValueWorkload = typeof keyValueWorkload;

function withMachine(create: () => KeyValueMachine): KeyValueWorkload {
  return { ...keyValueWorkload, create };
}

/** Answers depend on the member: the n-th machine that is made answers otherwise now and then. */
export function answersOfItsOwn(): KeyValueWorkload {
  let made = 0;
  class Machine extends KeyValueMachine {
    readonly #number = made++;
    override apply(batch: readonly Command[]): readonly Uint8Array[] {
      const results = super.apply(batch);
      // The same to whoever reads it as JSON, and yet not the same bytes.
      return this.#number === 1 ? results.map((result) => Uint8Array.of(0x20, ...result)) : results;
    }
  }
  return withMachine(() => new Machine());
}

/** A snapshot without anything in it. */
export function emptySnapshots(): KeyValueWorkload {
  class Machine extends KeyValueMachine {
    override snapshot(): Iterable<Uint8Array> {
      return [];
    }
  }
  return withMachine(() => new Machine());
}

/** Takes the last piece that it is restored from for all of it. */
export function restoredFromOnePiece(): KeyValueWorkload {
  class Machine extends KeyValueMachine {
    override async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
      let last = new Uint8Array(0);
      for await (const piece of content) last = new Uint8Array(piece);
      const all = (async function* () {
        yield last;
      })();
      await super.restore(all);
    }
  }
  return withMachine(() => new Machine());
}

/** Reads what the member happens to have, without asking anybody. */
export function unconfirmedReads(): KeyValueWorkload {
  return {
    ...keyValueWorkload,
    call: (member, input) =>
      input.kind === "get"
        ? Promise.resolve({ kind: "value", value: member.machine.get(input.key) })
        : keyValueWorkload.call(member, input),
  };
}

/** Throws at one command of its own accord. */
export function throwingMachine(): KeyValueWorkload {
  class Machine extends KeyValueMachine {
    #applied = 0;
    override apply(batch: readonly Command[]): readonly Uint8Array[] {
      this.#applied += batch.length;
      if (this.#applied > 20) throw new Error("planted");
      return super.apply(batch);
    }
  }
  return withMachine(() => new Machine());
}
