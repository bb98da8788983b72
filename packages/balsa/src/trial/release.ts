import type { Formats } from "../node/index.js";

/** What a member runs, oldest first. They differ in what they say and write. */
export const RELEASES = ["previous", "between", "present"] as const;

export type Release = (typeof RELEASES)[number];

export const FORMATS: Readonly<Record<Release, Formats>> = {
  previous: { protocol: 1, terminators: false },
  between: { protocol: 2 },
  present: {},
};
