import { TraceError } from "./directive.js";

const LEVELS = ["debug", "info", "warn", "error", "fatal", "none"];

/** What a directive prints, unless the level is `none`. */
export class Output {
  private level = "info";
  private text = "";

  setLevel(level: string): void {
    const name = level.toLowerCase();
    if (!LEVELS.includes(name)) throw new TraceError(`log levels are ${LEVELS.join(", ")}`);
    this.level = name;
  }

  atLevel(level: string, act: () => void): void {
    const before = this.level;
    this.setLevel(level);
    try {
      act();
    } finally {
      this.level = before;
    }
  }

  print(text: string): void {
    if (this.level !== "none") this.text += text;
  }

  /** What is printed meanwhile is indented by two. */
  indented(act: () => void): void {
    const before = this.text;
    this.text = "";
    try {
      act();
    } finally {
      const lines = this.text.replace(/\n$/, "").split("\n");
      this.text = before + (this.text === "" ? "" : lines.map((line) => `  ${line}\n`).join(""));
    }
  }

  /** All that was printed, with an error behind it; `ok` where there is nothing. Always ends its last line. */
  take(error: string): string {
    const text = this.text + error || "ok";
    this.text = "";
    return text.endsWith("\n") ? text : `${text}\n`;
  }
}
