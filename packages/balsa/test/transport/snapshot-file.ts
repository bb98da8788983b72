import { crc32c } from "../../src/codec/index.js";
import { BalsaError } from "../../src/core/index.js";
import type { SnapshotSink, SnapshotSource } from "../../src/transport/index.js";
import type { ResumePoint } from "../../src/transport/peer-frame.js";
import { seededBelow } from "./memory-network.js";

/** A file whose every byte matters. */
export function fileOf(bytes: number): Uint8Array {
  const below = seededBelow(bytes + 1);
  return Uint8Array.from({ length: bytes }, () => below(256));
}

export function sourceOf(file: Uint8Array): SnapshotSource & { reads: number } {
  const source = {
    fileBytes: file.length,
    reads: 0,
    agreesWith: (point: ResumePoint): Promise<boolean> =>
      Promise.resolve(checksumOf(file.subarray(0, point.position)) === point.checksum),
    readRaw: (position: number, lengthBytes: number): Promise<Uint8Array> => {
      source.reads++;
      return Promise.resolve(file.slice(position, position + lengthBytes));
    },
  };
  return source;
}

function checksumOf(bytes: Uint8Array): number {
  return crc32c(bytes, 0, bytes.length, 0);
}

/** A sink that keeps what it gets, and is told when to stop. */
export class Sink implements SnapshotSink {
  readonly pieces: Uint8Array[] = [];
  outcome: "open" | "finished" | "suspended" | "aborted" = "open";
  readonly resumed: ResumePoint | undefined;
  restarts = 0;
  writeFails = false;
  finishFails = false;
  /** Holds writes back until it is called. */
  #resume: (() => void)[] | undefined;

  /** @param part what is there from an earlier try */
  constructor(part?: Uint8Array) {
    if (part === undefined) return;
    this.pieces.push(part);
    this.resumed = { position: part.length, checksum: checksumOf(part) };
  }

  restart(): Promise<void> {
    this.pieces.length = 0;
    this.restarts++;
    return Promise.resolve();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.outcome !== "open") throw new Error("written after its end");
    if (this.#resume !== undefined) await new Promise<void>((resolve) => this.#resume?.push(resolve));
    if (this.writeFails) throw new Error("disk full");
    this.pieces.push(bytes);
  }

  finish(): Promise<void> {
    if (this.finishFails) return Promise.reject(new BalsaError("corrupt", "a block's checksum does not fit"));
    this.outcome = "finished";
    return Promise.resolve();
  }

  suspend(): Promise<void> {
    if (this.outcome !== "open") throw new Error(`suspended when ${this.outcome}`);
    this.outcome = "suspended";
    return Promise.resolve();
  }

  abort(): Promise<void> {
    if (this.outcome !== "open") throw new Error(`aborted when ${this.outcome}`);
    this.outcome = "aborted";
    return Promise.resolve();
  }

  hold(): void {
    this.#resume = [];
  }

  release(): void {
    const waiting = this.#resume ?? [];
    this.#resume = undefined;
    for (const resume of waiting) resume();
  }

  /** Whether a write is being held back. */
  get isHolding(): boolean {
    return this.#resume !== undefined && this.#resume.length > 0;
  }

  get bytes(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.length, 0);
  }
}
