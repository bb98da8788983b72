const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Bytes as Go's `%q` writes them: printable characters as they are, all others escaped. */
export function goQuote(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    if (character === undefined) {
      out += `\\x${hex(bytes[at] as number, 2)}`;
      at++;
      continue;
    }
    out += ESCAPES[character] ?? (PRINTABLE.test(character) ? character : escaped(character));
    at += new TextEncoder().encode(character).length;
  }
  return `"${out}"`;
}

/** The character whose UTF-8 begins at `at`; undefined where none does. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    } catch {
      // Not a whole character yet, or none at all.
    }
  }
  return undefined;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
