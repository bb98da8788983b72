export type LogLevel = "debug" | "info" | "warn" | "error";

/** Where the library's own messages go. Output only: nothing is decided by it. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLogger: Logger = { log: () => {} };
