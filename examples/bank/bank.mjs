/*
 * A bank, replicated: a state machine of one's own, and all that the simulator has to know to try it under every fault.
 *
 *   npm run sim -- --workload examples/bank/bank.mjs
 */
import { sequentialModel } from "balsa/linearizability";

/**
 * What clients ask for.
 * @typedef {{ kind: "deposit", account: string, amount: number }
 *   | { kind: "transfer", from: string, to: string, amount: number }
 *   | { kind: "freeze", account: string, frozen: boolean }
 *   | { kind: "statement" }} Request
 */

/** @typedef {{ kind: "done" } | { kind: "refused", why: string } | { kind: "statement", accounts: Accounts }} Answer */

/** @typedef {import("balsa/node").StateMachine} StateMachine */

/** @typedef {Readonly<Record<string, { readonly balance: number, readonly frozen: boolean }>>} Accounts */

const ACCOUNTS = ["alice", "bob", "carol", "dave"];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @type {Accounts} */
const opened = Object.fromEntries(ACCOUNTS.map((account) => [account, { balance: 100, frozen: false }]));

/**
 * The rules of the bank, as a function: accounts and a request give accounts and an answer. The state machine and the
 * model that its answers are checked against share it; a bug in here would go unnoticed, one in anything else does not.
 * @param {Accounts} accounts
 * @param {Request} request
 * @returns {readonly [Accounts, Answer]}
 */
export function serve(accounts, request) {
  switch (request.kind) {
    case "statement":
      return [accounts, { kind: "statement", accounts }];
    case "deposit":
      return [withBalance(accounts, request.account, request.amount), { kind: "done" }];
    case "freeze": {
      const { account, frozen } = request;
      return [{ ...accounts, [account]: { ...at(accounts, account), frozen } }, { kind: "done" }];
    }
    case "transfer": {
      const { from, to, amount } = request;
      if (at(accounts, from).frozen) return [accounts, { kind: "refused", why: "frozen" }];
      if (at(accounts, from).balance < amount) return [accounts, { kind: "refused", why: "not enough money" }];
      return [withBalance(withBalance(accounts, from, -amount), to, amount), { kind: "done" }];
    }
    default:
      throw new Error("the bank offers no such thing");
  }
}

/**
 * @param {Accounts} accounts
 * @param {string} account
 */
function at(accounts, account) {
  const found = accounts[account];
  if (found === undefined) throw new Error(`there is no account ${account}`);
  return found;
}

/**
 * @param {Accounts} accounts
 * @param {string} account
 * @param {number} change
 * @returns {Accounts}
 */
function withBalance(accounts, account, change) {
  const before = at(accounts, account);
  return { ...accounts, [account]: { ...before, balance: before.balance + change } };
}

/**
 * The replicated state machine.
 * @implements {StateMachine}
 */
export class Bank {
  /** @type {Accounts} */
  accounts = opened;

  /**
   * @param {readonly { readonly data: Uint8Array }[]} batch
   * @returns {Uint8Array[]}
   */
  apply(batch) {
    return batch.map(({ data }) => {
      const [accounts, answer] = serve(this.accounts, JSON.parse(decoder.decode(data)));
      this.accounts = accounts;
      return encoder.encode(JSON.stringify(answer));
    });
  }

  /** @returns {Iterable<Uint8Array>} */
  snapshot() {
    return [encoder.encode(JSON.stringify(this.accounts))];
  }

  /** @param {AsyncIterable<Uint8Array>} content */
  async restore(content) {
    let text = "";
    for await (const piece of content) text += decoder.decode(piece, { stream: true });
    this.accounts = text === "" ? opened : JSON.parse(text);
  }
}

/** @param {unknown} value */
const text = (value) => JSON.stringify(value);

/** @type {import("balsa/linearizability").SequentialSpecification<Accounts, Request, Answer>} */
const specification = {
  name: "bank",
  initial: () => opened,
  apply: serve,
  sameOutput: (a, b) => text(a) === text(b),
  stateKey: text,
  isReadOnly: ({ kind }) => kind === "statement",
  describe: { input: text, output: text, state: text },
};

/**
 * What the simulator needs: how to make a member's state machine, what clients do, and what their answers must fit.
 * @param {() => Bank} create
 * @returns {import("balsa/trial").Workload<Bank, Accounts, Request, Answer>}
 */
export function bankWorkload(create) {
  return {
    name: "bank",
    create,
    draw(prng) {
      const account = prng.pick(ACCOUNTS);
      const other = prng.pick(ACCOUNTS.filter((one) => one !== account));
      const amount = prng.between(1, 60);
      switch (prng.below(8)) {
        case 0:
          return { kind: "deposit", account, amount };
        case 1:
        case 2:
          return { kind: "freeze", account, frozen: prng.chance(0.5) };
        case 3:
        case 4:
          return { kind: "statement" };
        default:
          return { kind: "transfer", from: account, to: other, amount };
      }
    },
    probes: () => [{ kind: "statement" }],
    async call(member, request) {
      if (request.kind === "statement") {
        await member.read();
        return { kind: "statement", accounts: member.machine.accounts };
      }
      return JSON.parse(decoder.decode(await member.propose(encoder.encode(text(request)))));
    },
    model: sequentialModel(specification),
    digest: ({ accounts }) => text(accounts),
  };
}

export default bankWorkload(() => new Bank());
