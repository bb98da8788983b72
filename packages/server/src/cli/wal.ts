import { decodeCommand } from "balsa/codec";
import { asConfChangeV2, BalsaError, decodeConfChange, type Entry } from "balsa/core";
import { nodeFiles } from "balsa/platform/node";
import { type Damage, type DirectoryReport, type ScannedRecord, scanLog, verifyDirectory } from "balsa/storage";
import { ServerError } from "../server-error.js";
import { EXIT } from "./exit-code.js";
import { type TextOutput, table } from "./text-output.js";

export interface WalFlags {
  readonly json: boolean;
}

export interface WalDumpFlags extends WalFlags {
  readonly from: number;
  readonly to: number;
  readonly data: "none" | "text" | "hex";
}

/** One line a segment, and what the log says as a whole. */
export async function walInspect(dir: string, flags: WalFlags, io: TextOutput): Promise<number> {
  const report = await inOperatorsWords(dir, () => verifyDirectory(nodeFiles, dir));
  const segments: SegmentFigures[] = [];
  for await (const record of scanLog(nodeFiles, dir)) count(segments, record);
  if (flags.json) io.out(`${JSON.stringify({ ...jsonOf(report), segments })}\n`);
  else {
    io.out(summary(report));
    const rows = segments.map((figures) => [
      String(figures.segment),
      String(figures.fileBytes),
      String(figures.usedBytes),
      String(figures.batches),
      String(figures.entries),
      figures.entries === 0 ? "-" : `${figures.firstIndex}-${figures.lastIndex}`,
      figures.damaged === 0 ? "" : `${figures.damaged} damaged`,
    ]);
    io.out(table([["SEGMENT", "BYTES", "USED", "BATCHES", "ENTRIES", "INDEXES", ""], ...rows]));
  }
  return report.damages.length === 0 ? EXIT.ok : EXIT.failure;
}

/** Says of every byte whether it is what was written. Fails if any is not. */
export async function walVerify(dir: string, flags: WalFlags, io: TextOutput): Promise<number> {
  const report = await inOperatorsWords(dir, () => whileNobodyWrites(dir, () => verifyDirectory(nodeFiles, dir)));
  if (flags.json) io.out(`${JSON.stringify(jsonOf(report))}\n`);
  else {
    io.out(summary(report));
    for (const damage of report.damages) io.out(`damaged: ${lineOfDamage(damage)}\n`);
    for (const { first, last } of report.lost) io.out(`lost: entries ${first} to ${last}\n`);
    if (!report.endKnown) io.out("lost: how the log ends, with a term and a vote perhaps\n");
    io.out(report.damages.length === 0 ? "sound\n" : "DAMAGED; see docs/operations/storage.md\n");
  }
  return report.damages.length === 0 ? EXIT.ok : EXIT.failure;
}

/** The log's records as they lie in the files, with what has been replaced since. */
export async function walDump(dir: string, flags: WalDumpFlags, io: TextOutput): Promise<number> {
  let isDamaged = false;
  await inOperatorsWords(dir, async () => {
    for await (const record of scanLog(nodeFiles, dir)) {
      isDamaged ||= record.kind === "damaged";
      const { index } = record.kind === "entry" ? record.entry : { index: undefined };
      if (index !== undefined && (index < flags.from || index > flags.to)) continue;
      io.out(flags.json ? `${JSON.stringify(jsonRecord(record))}\n` : textRecord(record, flags.data));
    }
  });
  return isDamaged ? EXIT.failure : EXIT.ok;
}

interface SegmentFigures {
  readonly segment: number;
  readonly fileBytes: number;
  usedBytes: number;
  batches: number;
  entries: number;
  firstIndex: number;
  lastIndex: number;
  damaged: number;
}

function count(segments: SegmentFigures[], record: ScannedRecord): void {
  if (record.kind === "segment") {
    const { segment, fileBytes } = record;
    segments.push({
      segment,
      fileBytes,
      usedBytes: 0,
      batches: 0,
      entries: 0,
      firstIndex: 0,
      lastIndex: 0,
      damaged: 0,
    });
    return;
  }
  const figures = segments.at(-1);
  if (figures === undefined) return;
  switch (record.kind) {
    case "batch":
      figures.batches++;
      return;
    case "entry": {
      const { index } = record.entry;
      figures.firstIndex = figures.entries === 0 ? index : Math.min(figures.firstIndex, index);
      figures.lastIndex = Math.max(figures.lastIndex, index);
      figures.entries++;
      return;
    }
    case "damaged":
      figures.damaged++;
      return;
    case "end":
      figures.usedBytes = record.offset;
      return;
    default:
      record satisfies never;
  }
}

function jsonOf(report: DirectoryReport): object {
  const { identity, snapshot, ...rest } = report;
  return { ...rest, snapshot: snapshot ?? null, member: identity };
}

function summary(report: DirectoryReport): string {
  const { identity, snapshot, term, vote, commit, lastIndex, torn } = report;
  const { name, clusterId, memberId, incarnation } = identity;
  return [
    `member ${name} (${hex(memberId)}) of cluster ${hex(clusterId)}, incarnation ${hex(incarnation)}`,
    `term ${term}, vote ${vote === 0 ? "none" : hex(vote)}, commit ${commit} or later`,
    snapshot === undefined ? "no snapshot" : `snapshot up to index ${snapshot.index}, term ${snapshot.term}`,
    `log up to index ${lastIndex}`,
    ...(torn === undefined ? [] : [`a torn write at the end, which was never acknowledged: ${lineOfDamage(torn)}`]),
    "",
  ].join("\n");
}

export function lineOfDamage({ file, offset, index, term, reason }: Damage): string {
  const entry = index === undefined ? "" : `, index ${index}, term ${term ?? "unknown"}`;
  return `${file}, offset ${offset}${entry}: ${reason}`;
}

function textRecord(record: ScannedRecord, data: WalDumpFlags["data"]): string {
  switch (record.kind) {
    case "segment":
      return `${record.file}: after index ${record.previousIndex}, term ${record.previousTerm}\n`;
    case "batch": {
      const { offset, term, vote, commit, entries, reset, previousIndex } = record;
      const what = reset ? `, reset to the snapshot of index ${previousIndex}` : "";
      return `  ${offset} batch: term ${term}, vote ${vote === 0 ? "none" : hex(vote)}, commit ${commit}, ${entries} entries${what}\n`;
    }
    case "entry":
      return `  ${record.offset} entry ${record.entry.index}: ${describe(record.entry)}${payloadOf(record.entry, data)}\n`;
    case "damaged": {
      const which = record.index === undefined ? "" : ` entry ${record.index}, term ${record.term}`;
      return `  ${record.offset} DAMAGED${which}: ${record.reason}\n`;
    }
    case "end":
      return `  ${record.offset} end\n`;
    default:
      record satisfies never;
      return "";
  }
}

function describe(entry: Entry): string {
  const { type, term, data } = entry;
  if (type !== "normal") {
    const { changes } = asConfChangeV2(decodeConfChange(entry));
    return `term ${term}, membership: ${changes.map(({ kind, id }) => `${kind} ${hex(id)}`).join(", ") || "leave joint"}`;
  }
  if (data.length === 0) return `term ${term}, a new leader's empty entry`;
  return `term ${term}, ${decodeCommand(data).kind} command, ${data.length} bytes`;
}

function payloadOf({ type, data }: Entry, as: WalDumpFlags["data"]): string {
  if (as === "none" || type !== "normal" || data.length === 0) return "";
  const { payload } = decodeCommand(data);
  const text = as === "hex" ? Buffer.from(payload).toString("hex") : JSON.stringify(Buffer.from(payload).toString());
  return ` ${text}`;
}

function jsonRecord(record: ScannedRecord): object {
  if (record.kind !== "entry") return record;
  const { index, term, type, data } = record.entry;
  return { kind: "entry", offset: record.offset, index, term, type, data: Buffer.from(data).toString("base64") };
}

export function hex(id: number): string {
  return id.toString(16);
}

export async function whileNobodyWrites<Result>(dir: string, work: () => Promise<Result>): Promise<Result> {
  const lock = await nodeFiles.lock(`${dir}/lock`);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** @throws ServerError that says what to do */
export async function inOperatorsWords<Result>(dir: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "locked") {
      const what = `${dir} is in use: stop the member first, or look at a copy`;
      throw new ServerError("data-directory", what, cause);
    }
    if (code === "not-found") {
      throw new ServerError("data-directory", `${dir} holds no member's data`, cause);
    }
    if (cause instanceof BalsaError || code !== undefined) {
      throw new ServerError("data-directory", `${dir}: ${(cause as Error).message}`, cause);
    }
    throw cause;
  }
}
