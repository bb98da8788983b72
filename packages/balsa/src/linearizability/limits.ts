/**
 * Steps of the model before a check gives up undecided. A step with its bookkeeping takes about 1 µs (short states) to
 * 5 µs, so this is some 5 to 25 s. docs/linearizability.md tells how many histories take.
 */
export const STEPS_MAX_DEFAULT = 5_000_000;

/**
 * Configurations that are remembered at once before a check gives up undecided. Each takes an estimated 250 bytes (a key, a set
 * of spent operations, their places in a map) and at the most one state key more: with short states 125 MB.
 */
export const CONFIGURATIONS_MAX_DEFAULT = 500_000;

/** Steps an operation that the search which goes deepest first has to itself. Most histories take a tenth of it. */
export const DEEPEST_FIRST_STEPS = 32;

/** Steps of one search before it is the other's turn. */
export const TURN_STEPS = 1_000;

/** Partial linearizations that a counterexample keeps, each of them ending in another state. */
export const ATTEMPTS_MAX = 12;

/** Operations that a page draws, the last ones, unless told otherwise: more than a reader looks at. */
export const DRAWN_OPERATIONS_MAX_DEFAULT = 200;

/** Characters of an operation's description that an explanation or a page shows. */
export const DESCRIPTION_LENGTH_MAX = 400;

/** Attempts, and the last operations of each, that an explanation tells: what fits the screen of a failed test. */
export const EXPLAINED_ATTEMPTS_MAX = 3;
export const EXPLAINED_OPERATIONS_MAX = 8;

/** The end of each partial linearization that a page lists and whose operations it draws wherever they begin. */
export const LISTED_OPERATIONS_MAX = 40;
