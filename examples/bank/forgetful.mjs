/*
 * The same bank with a bug of the kind that no unit test finds: a snapshot without what was added later. It shows only
 * where a member comes back from its snapshot, and somebody then moves money that should stay.
 *
 *   npm run sim -- --workload examples/bank/forgetful.mjs --profile short
 */
import { Bank, bankWorkload } from "./bank.mjs";

const encoder = new TextEncoder();

export class ForgetfulBank extends Bank {
  /** @override */
  snapshot() {
    const balances = Object.entries(this.accounts).map(([account, { balance }]) => [
      account,
      { balance, frozen: false },
    ]);
    return [encoder.encode(JSON.stringify(Object.fromEntries(balances)))];
  }
}

export default bankWorkload(() => new ForgetfulBank());
