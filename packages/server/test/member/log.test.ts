import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { libraryLogger } from "../../src/member/log.js";

describe("the library's messages in the server's log", () => {
  it("keep level, text and fields, with IDs as etcd's tools show them", () => {
    const lines: string[] = [];
    const logger = libraryLogger(pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) }));
    logger.log("warn", "peer lost", { peer: 0x1516ed05abc5ee, term: 7, address: "a:1", leader: 0 });
    logger.log("info", "plain");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { level: 40, msg: "peer lost", peer: "1516ed05abc5ee", term: 7, address: "a:1", leader: 0 },
      { level: 30, msg: "plain" },
    ]);
  });
});
