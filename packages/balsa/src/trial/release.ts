import type { Formats } from "../node/index.js";

/** What a member runs: the release before the present one, or the present one. They differ in what they say and write. */
export type Release = "previous" | "present";

export const FORMATS: Readonly<Record<Release, Formats>> = {
  previous: { protocol: 1, terminators: false },
  present: {},
};
