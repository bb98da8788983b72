/*
 * Seats that are booked, in TypeScript: a replicated state machine, its types, and what the simulator has to know of it.
 *
 *   npx balsa sim --workload seats.ts                 with Node 22.18 or later
 *   npx tsc --module nodenext seats.ts; npx balsa sim --workload seats.js
 */
import { sequentialModel } from "balsa/linearizability";
import type { Command, StateMachine } from "balsa/node";
import type { Workload } from "balsa/trial";

/** What clients ask for. */
type Request =
  | { readonly kind: "book"; readonly seat: string; readonly guest: string }
  | { readonly kind: "give back"; readonly seat: string; readonly guest: string }
  | { readonly kind: "who sits where" };

type Answer =
  | { readonly kind: "done" }
  | { readonly kind: "taken"; readonly by: string }
  | { readonly kind: "not yours" }
  | { readonly kind: "plan"; readonly plan: Plan };

/** Who sits where; a seat that is free has no entry. */
type Plan = Readonly<Record<string, string>>;

const SEATS = ["1A", "1B", "2A", "2B"];
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** The rules, as a function: the state machine and the model that its answers are held against share them. */
function serve(plan: Plan, request: Request): readonly [Plan, Answer] {
  switch (request.kind) {
    case "book": {
      const by = plan[request.seat];
      if (by !== undefined && by !== request.guest) return [plan, { kind: "taken", by }];
      return [{ ...plan, [request.seat]: request.guest }, { kind: "done" }];
    }
    case "give back": {
      if (plan[request.seat] !== request.guest) return [plan, { kind: "not yours" }];
      return [Object.fromEntries(Object.entries(plan).filter(([seat]) => seat !== request.seat)), { kind: "done" }];
    }
    case "who sits where":
      return [plan, { kind: "plan", plan }];
    default:
      return request satisfies never;
  }
}

class Theatre implements StateMachine {
  plan: Plan = {};

  apply(batch: readonly Command[]): readonly Uint8Array[] {
    return batch.map(({ data }) => {
      const [plan, answer] = serve(this.plan, JSON.parse(decoder.decode(data)) as Request);
      this.plan = plan;
      return encode(answer);
    });
  }

  snapshot(): Iterable<Uint8Array> {
    return [encode(this.plan)];
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    // It need not come in the pieces that snapshot() gave.
    for await (const piece of content) text += decoder.decode(piece, { stream: true });
    this.plan = JSON.parse(text) as Plan;
  }
}

/** The same for equal plans, in whatever order the seats were taken. */
function nameOf(plan: Plan): string {
  return JSON.stringify(Object.entries(plan).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sameAnswer(a: Answer, b: Answer): boolean {
  if (a.kind === "plan" && b.kind === "plan") return nameOf(a.plan) === nameOf(b.plan);
  return JSON.stringify(a) === JSON.stringify(b);
}

const workload: Workload<Theatre, Plan, Request, Answer> = {
  name: "seats",
  create: () => new Theatre(),
  draw(prng, { client }) {
    const seat = prng.pick(SEATS);
    const guest = `guest ${client}`;
    switch (prng.below(4)) {
      case 0:
        return { kind: "who sits where" };
      case 1:
        return { kind: "give back", seat, guest };
      default:
        return { kind: "book", seat, guest };
    }
  },
  probes: () => [{ kind: "book", seat: "1A", guest: "the last one" }, { kind: "who sits where" }],
  async call(member, request) {
    if (request.kind !== "who sits where") return JSON.parse(decoder.decode(await member.propose(encode(request))));
    await member.read();
    return { kind: "plan", plan: member.machine.plan };
  },
  model: sequentialModel<Plan, Request, Answer>({
    name: "seats",
    initial: () => ({}),
    apply: serve,
    sameOutput: sameAnswer,
    stateKey: nameOf,
    isReadOnly: ({ kind }) => kind === "who sits where",
    describe: {
      input: (request) => JSON.stringify(request),
      output: (answer) => JSON.stringify(answer),
      state: nameOf,
    },
  }),
  digest: ({ plan }) => nameOf(plan),
};

export default workload;
