import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Zeros are many in files: so many in a row are written as their number. */
const ZEROS_MIN = 16;

/**
 * Bytes as they were written when a format was made, by name, in hexadecimal. What is recorded once stays: code that
 * writes a format anew brings names of its own. `GOLDEN=record` adds names that are missing, and changes none.
 */
export class Recorded {
  readonly #path: URL;
  readonly #samples: Record<string, string>;

  constructor(path: URL) {
    this.#path = path;
    this.#samples = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  }

  get names(): readonly string[] {
    return Object.keys(this.#samples);
  }

  /** The bytes of that name; those that are written now, if there is none yet and there is to be one. */
  bytes(name: string, written: () => Uint8Array): Uint8Array {
    const sample = this.#samples[name];
    if (sample !== undefined) return fromHex(sample);
    if (process.env["GOLDEN"] !== "record") throw new Error(`nothing is recorded of ${name}: GOLDEN=record records it`);
    const bytes = written();
    this.#samples[name] = toHex(bytes);
    writeFileSync(this.#path, `${JSON.stringify(this.#samples, undefined, 2)}\n`);
    return bytes;
  }
}

function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    while (bytes[end] === 0) end++;
    if (end - at >= ZEROS_MIN) text += `<${end - at}>`;
    else end = at + 1;
    if (end === at + 1) text += (bytes[at] as number).toString(16).padStart(2, "0");
    at = end;
  }
  return text;
}

function fromHex(text: string): Uint8Array {
  const hex = text.replaceAll(/<(\d+)>/g, (_all, zeros: string) => "00".repeat(Number(zeros)));
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
