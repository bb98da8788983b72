import type { NodeChange, NodeChangeKind } from "../../src/core/index.js";
import { CHANGE_LETTERS } from "./describe.js";
import { TraceError } from "./directive.js";

/** `v4 l5 r1 u2` */
export function parseChanges(input: string): NodeChange[] {
  return input
    .split(/\s+/)
    .filter((token) => token !== "")
    .map((token) => {
      const letters = Object.entries(CHANGE_LETTERS) as [NodeChangeKind, string][];
      const kind = letters.find(([, letter]) => token.startsWith(letter))?.[0];
      if (kind === undefined || !/^.\d+$/.test(token)) throw new TraceError(`${token} is no change`);
      return { kind, id: Number(token.slice(1)) };
    });
}
