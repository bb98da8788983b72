import type { Space } from "./space.js";
import type { Action } from "./successors.js";
import { Successors } from "./successors.js";

/** The actions of a way from the first state, of which is known which successor was taken each time. */
export function actionsOf(space: Space, ordinals: readonly number[]): readonly Action[] {
  const walker = new Successors(space);
  walker.tellActions = true;
  walker.begin();
  return ordinals.map((ordinal) => {
    const from = walker.child.slice(0, walker.childWords);
    walker.expand(from, 0, () => walker.ordinal === ordinal);
    return walker.action;
  });
}
