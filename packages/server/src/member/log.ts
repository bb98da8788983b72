import type { Logger } from "balsa/platform";
import { type Level, type Logger as Pino, pino } from "pino";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard error, as etcd's; written at once, so that the last one before a crash is there. */
export function openLog(level: LogLevel, name: string): Pino {
  const { err } = pino.stdSerializers;
  const options = {
    level: level satisfies Level,
    base: { member: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { cause: err, error: err },
  };
  return pino(options, pino.destination({ fd: 2, sync: true }));
}

/** Cluster and member IDs are at least this, and nothing else that is logged is. */
const ID_MIN: number = 2 ** 52;

/** The library's messages, among the server's; IDs in hexadecimal, as etcd's tools show them. */
export function libraryLogger(log: Pino): Logger {
  return {
    log(level, message, fields) {
      if (fields === undefined) log[level](message);
      else
        log[level](Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readable(value)])), message);
    },
  };
}

function readable(value: unknown): unknown {
  return typeof value === "number" && value >= ID_MIN ? value.toString(16) : value;
}
