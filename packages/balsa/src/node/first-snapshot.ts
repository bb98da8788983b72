/** One group a directory for now; the formats name it. */
export const GROUP = 1;

/**
 * A new cluster begins with a snapshot that holds only its configuration: every first member writes the same one, at
 * this index and term, and the log begins behind it. So a member always finds its configuration in the same place.
 */
export const BOOTSTRAP_INDEX = 1;
export const BOOTSTRAP_TERM = 1;
